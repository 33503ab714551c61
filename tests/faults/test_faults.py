"""A few minutes' sample of `make fault-sweep`: nothing is lost and nothing false is said, whatever fails or meets."""

from itertools import islice

import pytest

from selfheal.records.ledger import Decision
from tests.faults.chaos import Lived, live
from tests.faults.invariants import violations
from tests.faults.mixes import MIXES, Met, meet
from tests.faults.stages import STAGES, snapshots
from tests.faults.sweep import Swept, sweep
from tests.faults.world import World

# Of each stage so many faults; the sweep injects all.
SAMPLE = 4


@pytest.mark.parametrize("stage", STAGES)
def test_a_fault_of_any_call_of_a_stage_is_recovered_from(stage: str):
    """A call fails before or after it took effect, for good, or its process is killed; then come AWS's retries."""
    swept = Swept()
    for _ in islice(sweep(stage, swept), SAMPLE):
        pass
    assert swept.injected.total() == SAMPLE
    assert swept.violations == {}


def test_a_whole_life_under_random_faults_loses_nothing():
    """Three days of traffic, labels, monitoring, healing and people, each call of which may fail."""
    lived = Lived()
    live(2, lived)
    assert lived.counts["faults"] > 0
    assert lived.violations == {}


def test_whoever_meets_whom_one_wins_and_the_other_is_told():
    """Every mix of two and three actors in one order each; the sweep tries thousands."""
    met = Met()
    for position, mix in enumerate(MIXES):
        meet(mix, position, met)
    assert len(met.orders) == len(MIXES)
    assert met.violations == {}


# The harness sees what it is for


@pytest.fixture
def world() -> World:
    """A world right after its promotion."""
    return snapshots()["people"].clone()


def test_a_lost_prediction_is_seen(world: World):
    """An answer whose log object is gone."""
    key = next(iter(world.data.keys("predictions/")))
    world.data._objects.pop(key)
    assert any("is in the log 0 times" in found for found in violations(world))


def test_a_lost_label_is_seen(world: World):
    """An upload of which nothing was kept."""
    for key in list(world.data.keys("labels/accepted/")):
        world.data.put(key, b"")
    assert "an uploaded label is neither accepted nor refused" in violations(world)


def test_an_untold_promotion_is_seen(world: World):
    """Production moved, and no message says so."""
    world.sent.clear()
    assert any(found.startswith("nobody was told of a promote") for found in violations(world))


def test_a_promotion_that_was_told_and_did_not_happen_is_seen(world: World):
    """The ledger says that a move was lost, and a message that it was made."""
    made: Decision = next(d for d in world.stores.ledger.decisions() if d.kind == "promote")
    world.moves.remove(made.decision_id)
    assert "a promote is recorded as done, and was never in production" in violations(world)


def test_a_ledger_without_its_last_entry_is_seen(world: World):
    """What the chain alone can't show."""
    last = max(world.registry.keys("ledger/"))
    world.registry._objects.pop(last)
    world.registry._keys.remove(last)
    with pytest.raises(Exception, match="is missing"):
        violations(world)
