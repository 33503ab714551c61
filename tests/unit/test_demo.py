"""The demo's plan for a file, its verdict on what it showed, and the drift that it injects."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from selfheal.contract import default_contract, parse_contract
from selfheal.contract.model import MonitoringPolicy
from selfheal.errors import DataInvalid
from selfheal.stores.collection import Stores
from selfheal.stores.memory import MemoryBucket
from selfheal.tables.predictions import PredictionWindow
from selfheal.tasks import task_for
from selfheal_tools.demo.plan import Plan
from selfheal_tools.demo.recovery import figures_of, recovery
from selfheal_tools.demo.traffic import Answered
from selfheal_tools.demo.world import read_history, world_of_history
from selfheal_tools.simulation.injection import reverse_roles

START = datetime(2026, 1, 5, tzinfo=UTC)
WORDS = parse_contract("""
[model]
name = "words"
target = "y"
[features.word]
type = "category"
[features.flag]
type = "boolean"
nullable = true
""")


def labels(rows: int, share: float = 0.3) -> np.ndarray:
    return (np.random.default_rng(0).random(rows) < share).astype(np.int8)


@pytest.mark.parametrize("rows", [2_000, 2_001, 12_345, 42_535, 64_000, 150_000])
def test_a_plan_leaves_a_week_of_changed_days_to_any_file(rows: int):
    """Training, two calm days and at least six changed ones fit into the file, whatever its length."""
    plan = Plan.of("data.csv", labels(rows))
    assert plan.training + plan.calm + 6 * plan.a_day <= rows
    assert plan.a_day == 4 * plan.a_step
    assert (plan.training, plan.a_day) == (24_000, 4_000) or rows < 96_000


def test_a_small_file_gets_limits_that_it_can_reach_and_hears_which():
    """Fewer labels teach and judge, a window is a day, and what the contract says lower itself stays."""
    contract, plan = default_contract(), Plan.of("data.csv", labels(2_000))
    slow = contract.policy.model_copy(update={"monitoring": MonitoringPolicy(lookback_hours=744)})
    lowered = plan.policy(slow)
    assert lowered.monitoring.lookback_hours == 24
    assert lowered.monitoring.minimum_predictions <= plan.a_day
    assert lowered.retraining.minimum_labels < 200 > lowered.gates.minimum_samples
    assert lowered.gates.cooldown_days == slow.gates.cooldown_days
    assert plan.policy(lowered) == lowered
    told = " ".join(plan.sentences(2_000, contract.with_policy(slow)))
    assert "oldest 500 train the first model" in told
    assert "lookback_hours 744 -> 24" in told


def test_a_long_file_keeps_its_contract():
    """Where four thousand rows come a day nothing has to be lowered."""
    policy = default_contract().policy
    assert Plan.of("data.csv", labels(150_000)).policy(policy) == policy


@pytest.mark.parametrize(("rows", "share", "said"), [(1_999, 0.3, "has 1,999 rows"), (2_000, 0.01, "positive")])
def test_what_a_file_lacks_is_said_before_anything_runs(rows: int, share: float, said: str):
    """Too few rows, or too few of either label to train on: one sentence with what the demo needs."""
    with pytest.raises(DataInvalid, match=said) as raised:
        Plan.of("data.csv", labels(rows, share))
    assert "2,000 labelled rows, and 20 of either label" in str(raised.value)


def figures(before: float | None, after: float | None, unhealed: float | None) -> dict[str, float | None]:
    return {"before": before, "during": 0.3, "after": after, "unhealed": unhealed}


@pytest.mark.parametrize(
    ("f1", "brier", "healed", "said"),
    [
        (figures(0.6, 0.5, 0.4), figures(0.1, 0.2, 0.2), True, "F1 0.600"),
        (figures(0.6, 0.49, 0.4), figures(0.1, 0.15, 0.2), True, "Brier score 0.100"),
        (figures(0.6, 0.49, 0.4), figures(0.1, 0.16, 0.2), False, "0.490 after healing"),
        (figures(0.4, 0.5, 0.5), figures(0.2, 0.3, 0.3), False, "less than half"),
        (figures(0.4, 0.5, 0.5), figures(0.2, 0.2, 0.2), True, "nothing was lost"),
        (figures(0.6, None, None), figures(0.1, None, None), False, "unknown after"),
    ],
)
def test_healed_is_half_of_the_loss_in_f1_or_in_the_brier_score(f1, brier, healed, said):
    """Against the first model on the same rows; either metric suffices, as at the gates, and the figures are named."""
    found, reason = recovery({"f1": f1, "brier": brier})
    assert found is healed
    assert said in reason


@pytest.mark.parametrize(("during", "named"), [(5_000.0, 1), (16_000.0, 0)])
def test_a_drift_that_goes_on_after_the_healing_is_named_as_the_reason(during: float, named: int):
    """Rentals that grow every month: what the old model lost came mostly when the new one had been trained already."""
    healed, reason = recovery({"mse": {"before": 2_500.0, "during": during, "after": 17_600.0, "unhealed": 17_200.0}})
    assert not healed
    assert reason.count("The drift went on") == named


def test_the_broken_days_are_those_of_the_model_that_met_the_change():
    """Where a better model was promoted on the calm days already, its answers to the changed world are the loss."""
    contract = parse_contract('[model]\nname = "n"\ntask = "regression"\ntarget = "y"\n[features.x]\ntype = "number"')
    said = [("calm", "v1", 1.0), ("calm", "v2", 1.0), ("changed", "v2", 9.0), ("changed", "v3", 2.0)]
    answered = [
        Answered(datetime(2026, 1, day + 1, tzinfo=UTC), act, f"id-{day}", version, error, error, 0.0, 0.0)
        for day, (act, version, error) in enumerate(said)
    ]
    stores = Stores(MemoryBucket(), MemoryBucket())
    task, nothing = task_for(contract, np.array([0.0, 10.0])), PredictionWindow.empty(contract)
    found = figures_of(answered, nothing, stores, task, met_by="v2")["mae"]
    assert (found["before"], found["during"], found["after"], found["unhealed"]) == (1.0, 9.0, 2.0, None)


def test_a_contract_that_counts_f1_alone_is_judged_by_it_alone():
    """What the gates don't count doesn't heal."""
    assert not recovery({"f1": figures(0.6, 0.41, 0.4)})[0]


def test_reversed_roles_say_the_opposite_and_leave_gaps_alone():
    """The word that was positive most often is now said by the others, true is false, and what is missing stays."""
    base = pd.DataFrame({"word": ["good", "good", "bad", "bad"], "flag": [1.0, 0.0, 1.0, 0.0]})
    now = pd.DataFrame({"word": ["good", "bad", "new", None], "flag": [1.0, 0.0, np.nan, 1.0]})
    turned = reverse_roles(now, base, np.array([1, 1, 0, 0], dtype=np.int8), WORDS)
    assert turned["word"].tolist()[:3] == ["bad", "good", "new"]
    assert pd.isna(turned["word"][3])
    assert turned["flag"].fillna(-1).tolist() == [0.0, 1.0, -1.0, 0.0]


def test_a_file_of_words_alone_is_given_a_drift_that_can_be_healed(tmp_path: Path):
    """No two numbers can exchange their roles there: every value says the opposite instead."""
    rng = np.random.default_rng(0)
    words = rng.choice(["a", "b", "c", "d"], 2_000)
    y = (rng.random(2_000) < np.where(np.isin(words, ["a", "b"]), 0.9, 0.1)).astype(int)
    pd.DataFrame({"word": words, "flag": True, "y": y}).to_csv(tmp_path / "words.csv", index=False)
    world = world_of_history(read_history(tmp_path / "words.csv", WORDS, START), START, seed=0)
    assert "every feature now says the opposite" in world.change
    before, after = (
        rows.labels[np.isin(rows.features["word"], ["a", "b"])].mean() for rows in (world.calm, world.changed)
    )
    assert before > 0.8
    assert after < 0.2


def test_what_is_found_on_reading_a_file_is_told_first(tmp_path: Path):
    """A row of the future is left out, and rows without a label are."""
    dated = parse_contract('[model]\nname = "d"\ntarget = "y"\ntime_column = "t"\n[features.x]\ntype = "number"\n')
    frame = pd.DataFrame({"x": np.arange(2_003), "t": "2025-01-01", "y": np.arange(2_003) % 2}).astype(str)
    frame.loc[0, "t"], frame.loc[1, "y"] = "9999-12-31", ""
    frame.to_csv(tmp_path / "dated.csv", index=False)
    history = read_history(tmp_path / "dated.csv", dated, START)
    assert len(history.rows) == 2_001
    assert "no label" in history.notes[0]
    assert "later than now" in history.notes[1]
