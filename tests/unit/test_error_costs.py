"""What an error costs: the operating point of the least cost, cost as a metric and in the gates."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal.contract import parse_contract
from selfheal.contract.model import ErrorCosts
from selfheal.errors import ContractInvalid
from selfheal.tasks import BINARY, Scored, Unlabelled, task_for
from selfheal.tasks.binary.operating_point import least_cost_threshold

HEADER = '[model]\nname = "priced"\ntarget = "y"\n'
FEATURE = '[features.x]\ntype = "number"\n'
PRICED = parse_contract(f"{HEADER}threshold = {{ false_positive = 1, false_negative = 5 }}\n{FEATURE}")
COSTS = ErrorCosts(false_positive=1.0, false_negative=5.0)
TASK = task_for(PRICED, np.zeros(0))


def drawn(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    chances = rng.beta(1, 3, rows)
    return chances, (rng.random(rows) < chances).astype(np.int8)


def cost(predictions: np.ndarray, labels: np.ndarray) -> float:
    return float(((predictions == 1) & (labels == 0)).sum() + 5 * ((predictions == 0) & (labels == 1)).sum())


@given(seed=st.integers(0, 500), rows=st.integers(1, 60), digits=st.sampled_from([1, 15]))
def test_no_other_threshold_costs_less(seed: int, rows: int, digits: int):
    """Ties, single rows and single classes included."""
    chances, labels = drawn(rows, seed)
    chances = np.round(chances, digits)
    chosen = cost((chances >= least_cost_threshold(labels, chances, COSTS)).astype(int), labels)
    assert chosen == min(cost((chances >= cut).astype(int), labels) for cut in (*chances, 1.1))


def test_honest_probabilities_are_cut_where_theory_says():
    """Where a miss costs five times a false alarm, from one in six on (Elkan 2001)."""
    chances, labels = drawn(40_000)
    assert least_cost_threshold(labels, chances, COSTS) == pytest.approx(1 / 6, abs=0.03)


def test_cost_is_a_metric_of_tuning_of_labels_and_of_estimates():
    """Worked by hand on three rows; estimated it agrees with what labels then say."""
    said, labels = np.array([0.9, 0.1, 0.1]), np.array([0, 1, 0], dtype=np.int8)
    assert TASK.tuning_metrics(said, labels, 0.5)["cost"] == pytest.approx(6 / 3)
    assert TASK.realised(said, TASK.predictions(said, 0.5), labels).metrics["cost"].value == pytest.approx(6 / 3)
    chances, labels = drawn(8000)
    tuning = Scored(chances[:3000], labels[:3000], np.zeros((3000, 1)))
    rest = Unlabelled(chances[3000:], TASK.predictions(chances[3000:], 1 / 6), np.zeros((5000, 1)))
    estimate = TASK.estimated(rest, tuning).metrics["cost"]
    realised = TASK.realised(rest.answers, rest.predictions, labels[3000:]).metrics["cost"]
    assert estimate.value == pytest.approx(realised.value, rel=0.1)
    assert estimate.low < estimate.value < estimate.high


def test_a_gain_in_cost_is_measured_as_any_other():
    """Half the cost is a gain of one half."""
    metric, labels = TASK.gate_metrics["cost"], np.array([0, 0, 0, 0], dtype=np.int8)
    before, after = np.array([1, 1, 0, 0], dtype=np.int8), np.array([1, 0, 0, 0], dtype=np.int8)
    none, blocks = np.zeros(4), np.zeros(4, dtype=np.intp)
    sums = [metric.sums(none, predictions, labels, np.ones(4), blocks) for predictions in (before, after)]
    assert metric.gain(*sums).tolist() == [0.5]


def test_a_contract_with_costs_gains_in_cost_and_others_know_none():
    """The default metric follows from the threshold; a cost without prices is a fault that says where they go."""
    assert PRICED.policy.gates.gain_metrics == ("cost", "brier")
    assert PRICED.model.threshold == COSTS
    assert "cost" not in BINARY.gate_metrics
    with pytest.raises(ContractInvalid, match=r"costs are those of model\.threshold"):
        parse_contract(f'{HEADER}{FEATURE}[policy.gates]\ngain_metrics = ["cost"]\n')
    with pytest.raises(ContractInvalid, match="false_negative"):
        parse_contract(f"{HEADER}threshold = {{ false_positive = 1 }}\n{FEATURE}")
