"""The ledger's story: what follows from its entries, whatever they are."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from selfheal.contract.model import Policy
from selfheal.records.ledger import Decision, Evidence, LedgerEntry, Outcome, Switch
from selfheal.records.pointer import Pointer
from selfheal.records.story import Story

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def decided(
    number: int, kind: str = "promote", *, replaces: int | None = None, newest: datetime | None = None
) -> Decision:
    """Decision d<number> of that hour, about v<number> instead of the version before it."""
    evidence = Evidence(key="rows", sha256="0" * 64, rows=1, oldest=newest, newest=newest) if newest else None
    return Decision(
        decision_id=f"d{number}",
        kind=kind,
        decided_at=START + number * HOUR,
        version=f"v{number}",
        previous_version=f"v{number - 1}",
        replaces=None if replaces is None else f"d{replaces}",
        reason="",
        trigger="drift",
        actor="test",
        execution=f"v{number - 1}-0",
        evidence=evidence,
    )


def ended(number: int, kind: str = "done") -> Outcome:
    return Outcome(decision_id=f"d{number}", kind=kind, recorded_at=START + number * HOUR, reason="")


def switched(*, paused: bool) -> Switch:
    return Switch(switch_id=f"{paused}", paused=paused, changed_at=START, reason="", actor="ann")


def told(*parts: Decision | Outcome | Switch) -> Story:
    kinds = {Decision: "decision", Outcome: "outcome", Switch: "switch"}
    return Story(
        tuple(
            LedgerEntry(sequence=position, previous_hash="", **{kinds[type(part)]: part})
            for position, part in enumerate(parts, start=1)
        )
    )


PARTS = st.one_of(
    st.builds(decided, st.integers(1, 5), st.sampled_from(["bootstrap", "promote", "reject", "rollback", "failed"])),
    st.builds(ended, st.integers(1, 5), st.sampled_from(["done", "conflict"])),
    st.builds(lambda paused: switched(paused=paused), st.booleans()),
)


def test_an_empty_ledger_tells_nothing():
    """No cooldown, no pause, nothing open."""
    story, policy = Story(), Policy()
    assert (story.last_move, story.pause, story.open_moves, story.decisions) == (None, None, [], ())
    assert story.cooldown_ends(policy) is story.next_start_allowed(policy) is None


def test_a_lost_move_starts_no_cooldown_and_is_never_in_production():
    """d2 met another production: d1 is the last move, and v1 is what production stands on."""
    story = told(decided(1), ended(1), decided(2, replaces=1), ended(2, "conflict"))
    assert story.last_move == START + HOUR
    assert story.cooldown_ends(Policy()) == START + HOUR + timedelta(days=Policy().gates.cooldown_days)
    production = Pointer(version="v1", promoted_at=START, previous_version="v0", decision_id="d1")
    assert story.versions_in_line(production) == ["v1"]


def test_what_a_later_decision_replaced_was_in_production_though_its_outcome_is_missing():
    """d2 replaced d1, and the pointer rests on d2: both have moved production."""
    story = told(decided(1), decided(2, replaces=1))
    assert story.ever_in_production("d2") == {"d1", "d2"}
    assert [move.decision_id for move in story.open_moves] == ["d1", "d2"]


def test_a_move_is_unsettled_once_nobody_can_be_at_it_any_more():
    """A quarter of an hour after it was decided, and not before."""
    story = told(decided(1))
    assert story.unsettled(START + HOUR + timedelta(minutes=14)) == []
    assert [move.decision_id for move in story.unsettled(START + HOUR + timedelta(minutes=15))] == ["d1"]


def test_which_rows_judged_whom():
    """v1 by the rows of d1; attempts to replace v1 by those of d2, a rejection; rollbacks are no attempts."""
    story = told(decided(1, newest=START), decided(2, "reject", newest=START + DAY), decided(2, "rollback"))
    assert story.judged_until("v1") == START
    assert story.rivals_judged_until("v1") == START + DAY
    assert story.judged_until("v7") is None
    assert story.rivals_judged_until("v2") is None


def test_attempts_are_counted_by_the_version_that_was_to_be_healed():
    """Two decisions of one healing of v0 are one attempt; v1 has had one, v2 none."""
    again = decided(1, "failed").model_copy(update={"decision_id": "d1-conflict"})
    story = told(decided(1), again, decided(2))
    assert [story.attempts(version) for version in ("v0", "v1", "v2")] == [1, 1, 0]


def test_a_pause_stops_what_was_decided_before_it_also_when_it_is_over():
    """d1 stands before the pause, d2 under it, d3 after it; people's commands go on."""
    story = told(decided(1), switched(paused=True), decided(2), switched(paused=False), decided(3))
    assert story.pause is None
    assert story.decided_under_a_pause == {"d2"}
    assert story.pause_after(decided(1)).sequence == 2
    assert [story.pause_after(decided(number)) for number in (2, 3)] == [None, None]
    assert story.pause_after(decided(1).model_copy(update={"execution": None})) is None


@given(st.lists(PARTS, max_size=12))
def test_a_move_is_open_until_its_outcome_is_told(parts: list):
    """Of every ledger: each move has an outcome or is open, and never both."""
    story = told(*parts)
    outcomes = {entry.outcome.decision_id for entry in story.entries if entry.outcome}
    for decision in story.decisions:
        is_open = decision in story.open_moves
        assert is_open == (decision.is_move and decision.decision_id not in outcomes)


@given(st.lists(PARTS, max_size=12), st.booleans())
def test_the_newest_switch_decides_on_the_pause(parts: list, paused: bool):  # noqa: FBT001
    """Whatever came before it."""
    assert (told(*parts, switched(paused=paused)).pause is not None) == paused
