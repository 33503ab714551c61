"""What an error costs between several classes: which one is predicted, cost as a metric and in the gates."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal.contract import Contract, parse_contract
from selfheal.errors import ContractInvalid
from selfheal.records.manifest import Manifest
from selfheal.tasks import Scored, Unlabelled, task_for
from selfheal.usecases.serve.answering import answering

CLASSES = ("sound", "worn", "broken")
COSTS = np.array([[0.0, 1.0, 1.0], [2.0, 0.0, 1.0], [20.0, 5.0, 0.0]])


def contract_of(more: str = "", classes: str = 'classes = ["sound", "worn", "broken"]\n', rest: str = "") -> Contract:
    header = '[model]\nname = "priced"\ntarget = "y"\ntask = "multiclass"\n'
    return parse_contract(f'{header}{classes}{more}[features.x]\ntype = "number"\n{rest}')


PRICED = contract_of("error_costs = { broken = { sound = 20, worn = 5 }, worn = { sound = 2 } }\n")
TASK = task_for(PRICED, np.zeros(0))
EQUAL = contract_of("error_costs = { broken = { sound = 1 } }\n")


def drawn(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    chances = rng.dirichlet([4, 2, 1], rows)
    return chances, np.array([rng.choice(3, p=row) for row in chances], dtype=np.int8)


@given(seed=st.integers(0, 500), digits=st.sampled_from([1, 15]))
def test_the_class_of_the_least_expected_cost_is_predicted_and_served(seed: int, digits: int):
    """No other class is expected to cost less; a request is told the same as what judges versions, ties included."""
    chances = np.round(drawn(20, seed)[0], digits)
    predicted, expected = TASK.predictions(chances, np.nan), chances @ COSTS
    assert (expected[np.arange(20), predicted] <= expected.min(axis=1) + 1e-12).all()
    answered = answering(Manifest.model_construct(contract=PRICED), float("nan"))
    told = [answered(row) for row in chances.tolist()]
    assert [one["prediction"] for one in told] == [CLASSES[place] for place in predicted]
    assert [one["probability"] for one in told] == chances[np.arange(20), predicted].tolist()


def test_errors_of_one_price_leave_the_likeliest_class():
    """Costs of 1 all around change nothing."""
    chances = drawn(500)[0]
    assert task_for(EQUAL, np.zeros(0)).predictions(chances, np.nan).tolist() == chances.argmax(axis=1).tolist()


def test_cost_is_a_metric_of_tuning_of_labels_and_of_estimates():
    """Worked by hand on four rows; estimated it agrees with what labels then say."""
    labels = np.array([0, 1, 2, 2], dtype=np.int8)
    predictions = np.array([0, 0, 0, 1], dtype=np.int8)
    said = np.eye(3)[predictions] * 0.97 + 0.01
    assert TASK.realised(said, predictions, labels).metrics["cost"].value == pytest.approx((0 + 2 + 20 + 5) / 4)
    assert TASK.tuning_metrics(said, labels, np.nan)["cost"] == pytest.approx(
        TASK.realised(said, TASK.predictions(said, np.nan), labels).metrics["cost"].value
    )
    chances, truths = drawn(6000)
    tuning = Scored(chances[:2000], truths[:2000], np.zeros((2000, 1)))
    rest = Unlabelled(chances[2000:], TASK.predictions(chances[2000:], np.nan), np.zeros((4000, 1)))
    estimate = TASK.estimated(rest, tuning).metrics["cost"]
    realised = TASK.realised(rest.answers, rest.predictions, truths[2000:]).metrics["cost"]
    assert estimate.value == pytest.approx(realised.value, rel=0.1)
    assert estimate.low < estimate.value < estimate.high


def test_honest_answers_by_cost_cost_less_than_the_likeliest():
    """What is predicted by cost pays, and what the gates compare is that cost."""
    chances, labels = drawn(4000)
    metric = TASK.gate_metrics["cost"]
    by_cost, likeliest = TASK.predictions(chances, np.nan), chances.argmax(axis=1).astype(np.int8)
    assert metric.value(chances, by_cost, labels) < 0.8 * metric.value(chances, likeliest, labels)


def test_a_class_that_came_later_costs_what_has_no_price():
    """Its rows are errors of 1, whatever is predicted."""
    later, predictions = np.full(3, 3, dtype=np.int8), np.array([0, 1, 2], dtype=np.int8)
    assert TASK.gate_metrics["cost"].value(np.full((3, 3), 1 / 3), predictions, later) == 1.0


def test_means_of_models_are_answered_by_cost():
    """The mean's probabilities, not its scores, say what an error is expected to cost."""
    chances = drawn(50)[0]
    scores = TASK.scores(chances)
    assert TASK.mean_predictions(scores, np.zeros(1), np.ones((50, 1))).tolist() == (
        TASK.predictions(TASK.answers(scores), np.nan).tolist()
    )


def test_a_contract_with_costs_gains_in_cost():
    """The default metric follows from the costs, and other contracts have none."""
    assert PRICED.policy.gates.gain_metrics == ("cost", "brier")
    assert contract_of().policy.gates.gain_metrics == ("macro_f1", "brier")
    assert "error_costs" not in contract_of().model.model_dump(mode="json")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("error_costs = { torn = { sound = 2 } }\n", "'torn' is none of model.classes"),
        ("error_costs = { worn = { torn = 2 } }\n", "'torn' is none of model.classes"),
        ("error_costs = { worn = { worn = 2 } }\n", "a right prediction costs nothing"),
        ("error_costs = { worn = { sound = -2 } }\n", "greater than or equal to 0"),
        ("error_costs = 5\n", "should be a table"),
    ],
)
def test_costs_that_mean_nothing_are_faults(more: str, said: str):
    """Each is named by its place."""
    with pytest.raises(ContractInvalid, match=r"model\.error_costs") as raised:
        contract_of(more)
    assert said in str(raised.value)


def test_costs_need_classes_that_are_listed_and_a_target_that_has_them():
    """Without a list nobody knows what is meant; numbers and two values have prices of their own or none."""
    with pytest.raises(ContractInvalid, match=r"model\.error_costs: list the classes too"):
        contract_of("error_costs = { worn = { sound = 2 } }\n", classes="")
    with pytest.raises(ContractInvalid, match="only a multiclass target has it"):
        parse_contract(
            '[model]\nname = "n"\ntarget = "y"\nerror_costs = { a = { b = 2 } }\n[features.x]\ntype = "number"\n'
        )
    with pytest.raises(ContractInvalid, match=r"costs are those of model\.error_costs"):
        contract_of(rest='[policy.gates]\ngain_metrics = ["cost"]\n')
