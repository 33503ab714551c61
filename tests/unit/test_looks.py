"""An alarm is one event until a full window has been quiet."""

from datetime import UTC, datetime, timedelta

from selfheal.drift.looks import event_start

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def start(**changes):
    arguments = {"alarming": False, "previous_start": None, "last_alarm": None, "lookback": DAY} | changes
    return event_start(NOON, **arguments)


def test_quiet_times_have_no_event():
    """Nothing rings, nothing began."""
    assert start() is None


def test_the_first_alarm_begins_an_event():
    """It began when it rang."""
    assert start(alarming=True) == NOON


def test_an_event_goes_on_while_its_last_alarm_is_in_the_window():
    """Silence of less than a window neither ends an event nor lets the next alarm begin another."""
    began = NOON - 30 * HOUR
    assert start(previous_start=began, last_alarm=NOON - 23 * HOUR) == began
    assert start(alarming=True, previous_start=began, last_alarm=NOON - 23 * HOUR) == began


def test_after_a_quiet_window_the_event_is_over():
    """A look that finds a full window without alarm ends it; an alarm after that is a new event."""
    assert start(previous_start=NOON - 50 * HOUR, last_alarm=NOON - DAY) is None
    assert start(alarming=True, previous_start=None, last_alarm=NOON - DAY) == NOON


def test_looks_further_apart_than_a_window_keep_an_event():
    """Every look finds the alarm, a week after the last one: it is the same event, whose labels are counted on."""
    began = NOON - 21 * DAY
    assert start(alarming=True, previous_start=began, last_alarm=NOON - 7 * DAY) == began
