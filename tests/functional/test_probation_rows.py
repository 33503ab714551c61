"""A probation's looks: what an hour came to is kept, and says what reading it anew would say."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from selfheal.prefixes import LABELS_ACCEPTED, PREDICTIONS, PREDICTIONS_HOURLY, PROBATIONS
from selfheal.records.healing import Verdict
from selfheal.records.labels import Label
from selfheal.records.ledger import Decision
from selfheal.records.monitoring import FaultPeriod
from selfheal.records.probation import Probation
from selfheal.stores.collection import Stores
from selfheal.stores.memory import MemoryBucket
from selfheal.usecases.heal.conclude import conclude
from selfheal.usecases.heal.evidence import read_evidence
from selfheal.usecases.monitor.check_probation import check_probation
from selfheal.usecases.monitor.fresh_labels import FreshLabels
from selfheal.usecases.monitor.probation_rows import Rivals, judged_rows
from selfheal.usecases.monitor.roll_up import roll_up_closed_hours
from tests.support.healing import DAY, HOUR, START, FakeNotifications, healed_environment, traffic
from tests.support.reading import ReadBucket

PROMOTED = START + 10 * DAY
NOW = PROMOTED + 12 * HOUR


def on_probation(data: MemoryBucket) -> Stores:
    """v2 in production since ten hours of labelled traffic, all of it rolled up."""
    stores, healing = healed_environment(stores=Stores(data, MemoryBucket()))
    verdict = Verdict(version="v2", kind="promote", reason="all gates passed", gates=(), evidence=None)
    conclude(stores, healing, verdict, PROMOTED)
    traffic(stores, since=PROMOTED, rows=600)
    roll_up_closed_hours(stores, NOW)
    return stores


def looked(stores: Stores, later: timedelta = timedelta(0)) -> Probation:
    found = check_probation(stores, stores.ledger.story(), FakeNotifications(), NOW + later)
    assert found is not None
    return found


def test_an_hour_is_read_once():
    """The second look reads neither log nor labels; a further hour's labels make the third read that hour alone."""
    data = ReadBucket()
    stores = on_probation(data)
    first = looked(stores)
    data.read.clear()
    assert looked(stores) == first
    assert [key for key in data.read if key.startswith((PREDICTIONS, PREDICTIONS_HOURLY, LABELS_ACCEPTED))] == []
    traffic(stores, since=PROMOTED + 12 * HOUR, rows=60, seed=1)
    roll_up_closed_hours(stores, NOW + 3 * HOUR)
    data.read.clear()
    assert looked(stores, 3 * HOUR).labels == first.labels + 60
    assert [key for key in data.read if key.startswith(PREDICTIONS_HOURLY)] == [
        f"{PREDICTIONS_HOURLY}dt=2026-03-11/hh=12.parquet"
    ]


def test_once_enough_rows_judge_no_more_are_read():
    """With as many own answers kept as judge a version before its promotion, later labels are left alone.

    Answers that the version before it gave, labelled late, don't end the bet on the new one.
    """
    data = ReadBucket()
    stores = on_probation(data)
    promotion = stores.ledger.story().decisions[-1]
    production = stores.models.manifest(stores.pointer.read().pointer.version)
    rivals = Rivals.read(stores, production, "v1")

    def judged(most: int, of: Decision = promotion) -> list[str]:
        fresh = FreshLabels(stores, production.contract, promotion, NOW + 3 * HOUR)
        return list(judged_rows(stores, of, fresh, rivals, most=most).row_ids)

    first = judged(most=500)
    traffic(stores, since=PROMOTED + 12 * HOUR, rows=60, seed=1)
    roll_up_closed_hours(stores, NOW + 3 * HOUR)
    data.read.clear()
    assert judged(most=len(first)) == first
    assert not [key for key in data.read if key.startswith((PREDICTIONS_HOURLY, LABELS_ACCEPTED))]
    later = promotion.model_copy(update={"decided_at": PROMOTED + 6 * HOUR})
    assert len(judged(most=len(first), of=later)) == len(first) + 60


def correct_labels(stores: Stores) -> None:
    """Three that were said are taken back."""
    said = list(stores.labels.of_predictions_between(PROMOTED, NOW).values())[:3]
    stores.labels.accept(
        Label(prediction_id=one.prediction_id, label=1 - int(one.label), label_timestamp=NOW, received_at=NOW)
        for one in said
    )


def log_late(stores: Stores) -> None:
    """An hour's rows are logged, and labelled, when it has been rolled up."""
    traffic(stores, since=PROMOTED + 5 * HOUR, rows=20, seed=2)


def find_a_fault(stores: Stores) -> None:
    """The pipeline is found to have been broken for two hours."""
    stores.fault_periods.add(FaultPeriod(start=PROMOTED + 2 * HOUR, end=PROMOTED + 4 * HOUR, faults=("frozen x",)))


@pytest.mark.parametrize("change", [correct_labels, log_late, find_a_fault])
def test_what_was_kept_says_what_reading_anew_says(change: Callable[[Stores], None]):
    """Labels, log objects or faults that came after a look count in the next, to the last bit."""
    stores = on_probation(MemoryBucket())
    before = looked(stores)
    change(stores)
    after = looked(stores, HOUR)
    assert (after.labels, after.difference) != (before.labels, before.difference)
    for key in list(stores.data.keys(PROBATIONS)):
        stores.data.put(key, b"of another release")
    assert looked(stores, HOUR) == after


def test_rows_that_were_kept_bring_a_version_back_with_their_labels_and_answers():
    """The look that finds v2 worse has judged half of the rows before: its evidence holds all of them."""
    stores = on_probation(MemoryBucket())
    looked(stores)
    traffic(stores, since=PROMOTED + 12 * HOUR, rows=1200, slope=-2.0, seed=1)
    roll_up_closed_hours(stores, NOW + 2 * DAY)
    found = looked(stores, 2 * DAY)
    assert found.rolled_back
    rows = read_evidence(stores, stores.ledger.decisions()[-1].evidence)
    assert (len(rows), rows.gains.mean()) == (1800, found.difference)
