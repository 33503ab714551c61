"""The seven gates: known answers, fail closed, and a test whose error rate is what it claims."""

import dataclasses
from datetime import UTC, datetime, timedelta
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import permutation_test
from sklearn.metrics import brier_score_loss, f1_score

from selfheal.contract.model import GatePolicy, Segment
from selfheal.gates import EvidenceRows, judge_gates
from selfheal.gates.evidence import evidence_from_parquet, evidence_to_parquet
from selfheal.gates.judging import GATES
from selfheal.gates.paired import paired_evidence
from selfheal.gates.resampling import blocks_of, sign_flip_p_value
from selfheal.gates.segments import holm
from selfheal.records.ledger import Circumstances, GateResult
from selfheal.tasks import Multiclass, Regression, Task

NOW = datetime(2026, 3, 10, tzinfo=UTC)
CALM = Circumstances(judged_at=NOW, last_move=None, predictions=1000, coverage=0.9)
GROUPS = (Segment(feature="group"),)


def evidence(
    labels: np.ndarray,
    production: np.ndarray,
    shadow: np.ndarray,
    group: np.ndarray | None = None,
    threshold: float = 0.5,
) -> EvidenceRows:
    n = len(labels)
    return EvidenceRows(
        row_ids=np.array([f"row-{i}" for i in range(n)], dtype=object),
        timestamps=np.datetime64("2026-03-01", "us") + np.arange(n).astype("timedelta64[m]"),
        labels=labels.astype(np.int8),
        production_probability=production,
        shadow_probability=shadow,
        production_prediction=(production >= threshold).astype(np.int8),
        shadow_prediction=(shadow >= threshold).astype(np.int8),
        weights=np.ones(n),
        segments=pd.DataFrame({"group": np.full(n, "all", dtype=object) if group is None else group}),
    )


def simulated(n: int = 2000, *, production: float = 0.0, shadow: float = 2.0, seed: int = 0) -> EvidenceRows:
    """Truth from expit(2 x); each model believes in a slope of its own."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    labels = rng.random(n) < expit(2 * x)
    group = rng.choice(["a", "b"], n)
    return evidence(labels, expit(production * x), expit(shadow * x), group)


def expit(score: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-score))


def gate(results: tuple[GateResult, ...], name: str) -> GateResult:
    return next(result for result in results if result.gate == name)


def judged(rows: EvidenceRows, circumstances: Circumstances = CALM, **policy: object) -> tuple[GateResult, ...]:
    return judge_gates(rows, circumstances, GatePolicy.model_validate(policy), GROUPS)


def test_a_clearly_better_model_passes_all_seven():
    """All gates, in their order, and each says value, threshold, n and reason."""
    results = judged(simulated())
    assert tuple(result.gate for result in results) == GATES
    assert all(result.passed and result.reason and result.threshold is not None for result in results)
    assert all(result.n == 2000 for result in results[3:])
    assert all(result.interval for result in results[3:])


def test_a_clearly_worse_model_fails_gates_four_to_seven():
    """The same two models the other way round."""
    results = judged(simulated(production=2.0, shadow=0.0))
    assert [result.passed for result in results] == [True, True, True, False, False, False, False]


def test_the_same_model_again_is_not_better():
    """Identical models: no gain, nobody harmed, no evidence (p = 1)."""
    results = judged(simulated(production=2.0, shadow=2.0))
    assert gate(results, "metric_gain").value == 0
    assert gate(results, "brier_limit").value == 0
    assert gate(results, "segments").passed
    assert gate(results, "paired_evidence").value == 1
    assert not gate(results, "paired_evidence").passed


def test_gain_and_brier_are_those_of_scikit_learn():
    """Relative F1 gain and absolute Brier increase, against scikit-learn's metrics."""
    rows = simulated(400, production=0.5)
    results = judged(rows, gain_metrics=("f1",))
    before, after = (f1_score(rows.labels, p) for p in (rows.production_prediction, rows.shadow_prediction))
    assert gate(results, "metric_gain").value == pytest.approx((after - before) / before)
    losses = [brier_score_loss(rows.labels, p) for p in (rows.production_probability, rows.shadow_probability)]
    assert gate(results, "brier_limit").value == pytest.approx(losses[1] - losses[0])


def test_either_metric_suffices_unless_the_contract_is_strict():
    """A model with better probabilities and the same answers gains in Brier score alone."""
    rows = simulated(production=1.0, shadow=2.0)
    assert gate(judged(rows), "metric_gain").passed
    assert not gate(judged(rows, gain_metrics=("f1",)), "metric_gain").passed


def test_weights_count_rows_as_often_as_they_say():
    """A row of weight two is worth two rows."""
    rows = simulated(300, production=1.0)
    heavy = dataclasses.replace(rows, weights=np.where(np.arange(300) < 100, 2.0, 1.0))
    order = np.sort(np.concatenate([np.arange(300), np.arange(100)]))
    assert gate(judged(heavy), "brier_limit").value == pytest.approx(
        gate(judged(take(rows, order)), "brier_limit").value
    )


@pytest.mark.parametrize(
    ("changed", "failing"),
    [
        ({"coverage": 0.29}, "label_coverage"),
        ({"coverage": None}, "label_coverage"),
        ({"last_move": NOW - timedelta(days=6.9)}, "cooldown"),
    ],
)
def test_each_precondition_fails_alone(changed: dict[str, object], failing: str):
    """Too little or unknown coverage, too young a promotion: that gate fails, the others don't."""
    results = judged(simulated(), CALM.model_copy(update=changed))
    assert [result.gate for result in results if not result.passed] == [failing]


def test_cooldown_that_is_over_passes():
    """A promotion seven days ago is no obstacle any more."""
    results = judged(simulated(), CALM.model_copy(update={"last_move": NOW - timedelta(days=7)}))
    assert gate(results, "cooldown").passed


def test_too_few_rows_or_one_class_fail_the_first_gate():
    """199 rows, or rows without a negative, aren't evidence."""
    assert not gate(judged(simulated(199)), "sufficient_samples").passed
    ones = np.ones(500, dtype=np.int8)
    rows = evidence(ones, np.full(500, 0.2), np.full(500, 0.9))
    assert not gate(judged(rows), "sufficient_samples").passed


@pytest.mark.parametrize("missing", ["rows", "probabilities"])
def test_missing_evidence_fails_every_gate_that_needs_it(missing: str):
    """No rows, or a probability that isn't one: gates 4 to 7 fail and say why."""
    rows = simulated(300)
    broken = (
        take(rows, np.array([], dtype=int))
        if missing == "rows"
        else dataclasses.replace(rows, shadow_probability=np.full(300, np.nan))
    )
    results = judged(broken)
    assert [result.passed for result in results[3:]] == [False] * 4
    assert all(result.value is None and result.reason for result in results[3:])


def test_significance_zero_turns_the_paired_test_off_and_says_so():
    """The classic six gates: gate 7 is still reported, with the p-value that it would have had."""
    result = gate(judged(simulated(production=2.0, shadow=2.0), significance=0.0), "paired_evidence")
    assert result.passed
    assert result.value == 1
    assert "turned off" in result.reason


def harming(n: int, seed: int = 0) -> EvidenceRows:
    """A shadow model that knows x for group a and has it backwards for the 10 % of group b."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    group = rng.choice(["a", "b"], n, p=[0.9, 0.1])
    labels = rng.random(n) < expit(2 * x)
    return evidence(labels, expit(0.5 * x), expit(np.where(group == "a", 2 * x, -0.5 * x)), group)


def test_a_segment_that_pays_for_the_average_blocks_the_promotion():
    """Better on the whole, worse for group b: every gate but the segments' passes, and the group is named."""
    results = judged(harming(2000))
    assert [result.gate for result in results if not result.passed] == ["segments"]
    found = gate(results, "segments")
    assert "harmed: 1 value of group" in found.reason
    assert found.groups == ("group b",)


def test_a_large_drop_that_harms_nobody_is_explained():
    """Two positives that both are missed: F1 is gone, and the reason says on how few rows that rests."""
    rows = np.arange(400)
    labels = (rows < 2) | (rows % 3 == 0)
    labels[2:40] = False
    production, shadow = (np.where(rows < 2, said, np.where(labels, 0.8, 0.1)) for said in (0.55, 0.45))
    rows = evidence(labels, production, shadow, np.where(rows < 40, "few", "many"))
    result = gate(judged(rows), "segments")
    assert result.passed
    assert "drop 100.0% in 1 value of group, which may be chance: over its 40 rows, 2 of them positive" in result.reason
    assert result.groups == ("group few",)


def test_a_segment_too_small_to_judge_is_named():
    """Five rows of a group say nothing; the gate says so and judges the rest."""
    rows = simulated(400)
    rows.segments.loc[:4, "group"] = "tiny"
    result = gate(judged(rows), "segments")
    assert result.passed
    assert "too small to judge: 1 value of group" in result.reason


def test_no_segment_large_enough_fails_closed():
    """Where no group can be judged, nobody knows whether one is harmed."""
    assert not gate(judged(simulated(300), minimum_segment_samples=1000), "segments").passed


def test_evidence_without_the_segment_feature_fails_closed():
    """A missing column isn't 'no segments'."""
    rows = dataclasses.replace(simulated(300), segments=pd.DataFrame(index=range(300)))
    result = gate(judged(rows), "segments")
    assert not result.passed
    assert "lacks group" in result.reason


def test_numeric_segments_are_bins_and_missing_values_a_group_of_their_own():
    """Edges 30 and 45 make three bins, lower edge inclusive; missing ages are a fourth."""
    rows = simulated(400)
    ages = np.tile([29.0, 30.0, 45.0, np.nan], 100)
    rows = dataclasses.replace(rows, segments=pd.DataFrame({"age": ages}))
    policy = GatePolicy(minimum_segment_samples=101)
    result = gate(judge_gates(rows, CALM, policy, [Segment(feature="age", edges=(30, 45))]), "segments")
    assert not result.passed
    for name in ("age below 30", "age 30 to 45", "age from 45", "age missing"):
        assert name in result.reason


def test_no_segments_in_the_contract_is_no_obstacle():
    """Without groups to protect, the gate passes and says why."""
    result = gate(judge_gates(simulated(), CALM, GatePolicy(), []), "segments")
    assert result.passed
    assert "names no segments" in result.reason


def test_holm_on_a_table_worked_by_hand():
    """0.01, 0.04, 0.03, 0.005 become 0.03, 0.06, 0.06, 0.02."""
    adjusted = holm(np.array([0.01, 0.04, 0.03, 0.005]))
    assert adjusted == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_sign_flips_agree_with_all_of_them():
    """Ten blocks have 1,024 sign patterns: the sampled p-value is the enumerated one but for sampling."""
    sums = np.array([3.0, -1.0, 2.0, 0.5, -0.2, 1.0, 0.7, -0.4, 1.5, 0.1])
    flips = np.array(list(product([-1, 1], repeat=10)))
    exact = np.mean(flips @ sums >= sums.sum() - 1e-9)
    assert sign_flip_p_value(sums) == pytest.approx(exact, abs=0.006)


def test_sign_flips_agree_with_scipy():
    """scipy's paired permutation test on the same sums."""
    sums = np.random.default_rng(3).normal(0.25, 1, 50)
    expected = permutation_test(
        (sums,),
        lambda x, axis: x.mean(axis),
        permutation_type="samples",
        alternative="greater",
        n_resamples=9999,
        rng=1,
    )
    assert sign_flip_p_value(sums) == pytest.approx(expected.pvalue, abs=0.01)


def test_the_same_evidence_gives_the_same_verdict():
    """A verdict can be recomputed to the last digit."""
    assert judged(simulated(seed=4)) == judged(simulated(seed=4))


@given(n=st.integers(1, 3000))
def test_blocks_are_contiguous_and_even(n: int):
    """Blocks follow time and differ by at most one row in size."""
    blocks = blocks_of(n)
    assert np.all(np.diff(blocks) >= 0)
    sizes = np.bincount(blocks)
    assert len(sizes) == min(n, 25)
    assert sizes.max() - sizes.min() <= 1


def test_equal_models_are_called_better_in_at_most_five_percent():
    """400 trials of 300 rows, two models with independent errors of the same size: the test keeps its size."""
    rng = np.random.default_rng(5)
    promoted = 0
    for _ in range(400):
        x = rng.normal(size=300)
        labels = rng.random(300) < expit(x - 2.5)
        errors = 0.8 * rng.normal(size=(2, 300))
        rows = evidence(labels, expit(x - 2.5 + errors[0]), expit(x - 2.5 + errors[1]))
        promoted += paired_evidence(rows, GatePolicy(significance=0.05)).passed
    # Two standard errors above 5 % of 400 trials.
    assert promoted <= 29


def test_evidence_survives_its_file():
    """What is read back from Parquet gives the same verdict, and the same rows give the same bytes."""
    rows = harming(400)
    body = evidence_to_parquet(rows)
    assert body == evidence_to_parquet(rows)
    assert judged(evidence_from_parquet(body)) == judged(rows)


def take(rows: EvidenceRows, order: np.ndarray) -> EvidenceRows:
    taken = {
        field.name: getattr(rows, field.name)[order]
        for field in dataclasses.fields(rows)
        if field.name not in {"segments", "members", "task"}
    }
    return EvidenceRows(**taken, segments=rows.segments.iloc[order].reset_index(drop=True))


@pytest.mark.parametrize("task", [Regression(10.0), Multiclass(("a", "b", "c"))], ids=["numbers", "classes"])
def test_a_group_of_one_stretch_of_time_has_an_interval_for_every_kind_of_target(task: Task):
    """Draws of blocks that hold none of it gain nothing, and lose nothing."""
    rng = np.random.default_rng(4)
    n, group = 1000, np.where(np.arange(1000) < 40, "few", "most")
    labels = rng.integers(0, 3, n)
    if isinstance(task, Multiclass):
        production, shadow = rng.dirichlet(np.ones(3), n), rng.dirichlet(np.ones(3), n)
    else:
        production, shadow = (labels + rng.normal(size=n) for _ in range(2))
    rows = dataclasses.replace(
        evidence(labels, np.zeros(n), np.zeros(n), group),
        production_probability=production,
        shadow_probability=shadow,
        production_prediction=task.predictions(production, float("nan")),
        shadow_prediction=task.predictions(shadow, float("nan")),
        task=task,
    )
    policy = GatePolicy(gain_metrics=("mae",) if "mae" in task.gate_metrics else ("brier",))
    gates = {gate.gate: gate for gate in judge_gates(rows, CALM, policy, GROUPS)}
    result = gates["segments"]
    assert result.interval is not None
    assert np.isfinite(result.interval).all()
