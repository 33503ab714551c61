"""The healing benchmark's rules on versions made beforehand: blends by the service's gates, and broken versions."""

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from scipy.special import expit, logit

from selfheal_tools.backtest.blind import Walk
from selfheal_tools.backtest.model_cache import ModelCache
from selfheal_tools.backtest.stream import Stream, stream_of
from selfheal_tools.backtest.versions import Blend, Trial, Versions
from tests.benchmarks.healing.blends import blends
from tests.benchmarks.healing.broken import BROKEN, BrokenShelf
from tests.functional.test_backtest import CONTRACT, turning_rows

PERIODS = 4


@cache
def stream() -> Stream:
    return stream_of(turning_rows(), periods=PERIODS, initial=0.4, label_delay=0, label_rate=0.8, seed=0)


@cache
def versions() -> Versions:
    return Versions(stream(), CONTRACT, ModelCache())


def test_a_blend_says_the_weighted_mean_of_its_members_log_odds():
    """Promoted whatever the gates say, each period's is a blend of the newest versions, three at the most."""
    policy_run = Walk(versions()).policy_run(blends(versions(), None))
    assert [change.kind for change in policy_run.changes] == ["promote"] * PERIODS
    blend = versions().named(policy_run.changes[-1].version)
    assert isinstance(blend, Blend)
    assert [member.name for member in blend.members] == ["held-out-4", "held-out-3", "held-out-2"]
    assert blend.weights.sum() == pytest.approx(1.0)
    rows = np.arange(50)
    said = np.array([versions().probabilities(member, rows) for member in blend.members])
    assert versions().probabilities(blend, rows) == pytest.approx(expit(blend.weights @ logit(said)))


def test_after_the_world_has_turned_the_gates_let_a_blend_in():
    """A strict rule promotes too, and what it promotes gains on the rows that follow."""
    policy_run = Walk(versions()).policy_run(blends(versions(), 0.05))
    moves = [move for move in policy_run.moves(stream()) if move.gain is not None]
    assert moves
    assert not any(move.harmful for move in moves)


def test_a_trial_keeps_rows_back_that_its_version_has_not_seen():
    """Its newest rows judge; the next trial's rows are all newer."""
    trials = [versions().trial(number) for number in range(1, PERIODS + 1)]
    assert all(isinstance(trial, Trial) for trial in trials)
    moments = stream().traffic.timestamps
    for before, after in pairwise(trials):
        assert before.shadow.rows.timestamps.max() < moments[before.kept_back].min()
        assert before.new.max() < after.new.min()


@cache
def whole_versions() -> ModelCache:
    return ModelCache()


@pytest.mark.parametrize("kind", BROKEN)
def test_every_fourth_version_is_broken_and_no_other(kind: str):
    """What is trained on rows up to the fourth period says worse than nothing of them; the others are as they were."""
    whole, broken = whole_versions(), BrokenShelf(kind=kind, stream=stream())
    traffic = stream().traffic
    for number in (3, 4):
        rows = versions().rows_known(number)
        said = [cache.fit(rows, CONTRACT).fitted.probabilities(traffic.features) for cache in (whole, broken)]
        briers = [float(np.mean((one - traffic.labels)[-800:] ** 2)) for one in said]
        assert (briers[1] > 1.02 * briers[0]) if number == 4 else (briers[1] == briers[0])
