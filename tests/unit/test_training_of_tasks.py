"""Models of several classes and of numbers: trained, exported exactly, blended exactly."""

import numpy as np
import pandas as pd
import pytest

from selfheal.contract import Contract, parse_contract
from selfheal.errors import ArtefactRefused, BlendImpossible, TrainingImpossible
from selfheal.models.fitted import UNSEEN_CLASS
from selfheal.models.formats import WRITTEN
from selfheal.models.native.export.document import document
from selfheal.tables.dataset import Dataset
from selfheal.tables.table import columns_of
from selfheal.tasks import task_for
from selfheal.training import train

FEATURES = """
[features.x]
type = "number"
[features.amount]
type = "number"
nullable = true
[features.kind]
type = "category"
nullable = true
"""
HEADER = '[model]\nname = "worlds"\ntarget = "y"\n'
CLASSES = parse_contract(f'{HEADER}task = "multiclass"\nclasses = ["a", "b", "c"]\n{FEATURES}')
NUMBERS = parse_contract(f'{HEADER}task = "regression"\n{FEATURES}')


def rows(contract: Contract, count: int = 1500, seed: int = 0) -> Dataset:
    """Labels that follow from a number, one that may be missing, and a category."""
    rng = np.random.default_rng(seed)
    x, amount = rng.normal(size=count), rng.lognormal(size=count)
    kind = rng.choice(["red", "green", "blue"], count)
    level = 2 * x + np.where(kind == "red", 1.5, 0.0) + np.log(amount) + rng.normal(size=count)
    amount[rng.random(count) < 0.1] = np.nan
    labels = 40 + 10 * level if contract.model.task == "regression" else np.digitize(level, [-1.0, 1.5]).astype(np.int8)
    return Dataset(
        row_ids=np.array([f"base-{row:09d}" for row in range(count)], dtype=object),
        timestamps=np.datetime64("2026-01-01", "us") + np.arange(count) * np.timedelta64(1, "h"),
        features=pd.DataFrame({"x": x, "amount": amount, "kind": kind.astype(object)}),
        labels=labels,
    )


@pytest.mark.parametrize("contract", [CLASSES, NUMBERS], ids=["classes", "numbers"])
def test_a_model_learns_and_its_export_answers_as_it_does(contract: Contract):
    """Far better than a constant on rows that come next; every way of answering gives the same bits."""
    data, task = rows(contract, 2500), task_for(contract, rows(contract).labels)
    trained = train(data.take(slice(0, 2000)), contract)
    payload = WRITTEN.exported(trained.fitted, data.features, contract)
    newest = data.take(slice(2000, None))
    model = WRITTEN.loaded(payload)
    said = model.probabilities_of(columns_of(newest.features))
    found = task.tuning_metrics(said, newest.labels, np.nan)
    assert found["r2"] > 0.7 if contract is NUMBERS else found["accuracy"] > 0.65
    assert task.are_answers(said)
    single = [model.probabilities([row])[0] for row in newest.features.iloc[:50].to_dict("records")]
    assert single == said[:50].tolist()
    assert np.isnan(model.threshold)
    assert WRITTEN.exported(train(data.take(slice(0, 2000)), contract).fitted, data.features, contract) == payload


@pytest.mark.parametrize("contract", [CLASSES, NUMBERS], ids=["classes", "numbers"])
def test_a_blend_answers_the_mean_of_its_members_scores(contract: Contract):
    """Of classes the softmax of mean log-probabilities, of numbers the mean."""
    parts = [rows(contract, 800, seed) for seed in range(3)]
    payloads = [WRITTEN.exported(train(part, contract).fitted, part.features, contract) for part in parts]
    weights = [0.5, 0.3, 0.2]
    blend = WRITTEN.loaded(WRITTEN.blended(list(zip(payloads, weights, strict=True)), np.nan))
    task, columns = task_for(contract, parts[0].labels), columns_of(parts[0].features)
    said = [WRITTEN.loaded(payload).probabilities_of(columns) for payload in payloads]
    mean = task.answers(sum(weight * task.scores(one) for weight, one in zip(weights, said, strict=True)))
    assert blend.probabilities_of(columns) == pytest.approx(mean, rel=1e-9)
    assert np.isnan(blend.threshold)


def test_a_class_without_rows_is_as_good_as_impossible():
    """A class of the contract that training doesn't hold has a column, and hardly any probability."""
    data = rows(CLASSES)
    contract = CLASSES.with_classes(("a", "b", "c", "later"))
    trained = train(data, contract)
    exported = document(trained.fitted, contract)
    assert len(exported["estimator"]["outputs"]) == 4
    model = WRITTEN.loaded(WRITTEN.exported(trained.fitted, data.features, contract))
    said = model.probabilities_of(columns_of(data.features))
    assert said.shape == (len(data), 4)
    assert said[:, 3].max() < np.exp(UNSEEN_CLASS / 2)


def test_two_classes_are_several():
    """Of two classes the probabilities add up, and the model is exact."""
    contract = CLASSES.with_classes(("a", "b"))
    data = rows(CLASSES)
    two = Dataset(data.row_ids, data.timestamps, data.features, np.minimum(data.labels, 1).astype(np.int8))
    model = WRITTEN.loaded(WRITTEN.exported(train(two, contract).fitted, two.features, contract))
    said = model.probabilities_of(columns_of(two.features))
    assert said.sum(axis=1) == pytest.approx(np.ones(len(two)))
    assert (said.argmax(axis=1) == two.labels).mean() > 0.75


@pytest.mark.parametrize(
    ("contract", "value", "said"), [(CLASSES, np.int8(1), "are of one class"), (NUMBERS, 3.5, "are the same number")]
)
def test_labels_that_stopped_to_vary_are_said_in_words_of_the_task(contract: Contract, value: float, said: str):
    """The newest half tunes nothing: no word of a rarer class where there are several, or numbers."""
    data = rows(contract)
    labels = data.labels.copy()
    labels[len(data) // 2 - 5 :] = value
    with pytest.raises(TrainingImpossible, match=f"newest or of the oldest half {said}"):
        train(Dataset(data.row_ids, data.timestamps, data.features, labels), contract)


def test_what_cannot_be_learnt_is_said():
    """One class alone, or one number alone."""
    for contract, value in ((CLASSES, np.int8(1)), (NUMBERS, 3.5)):
        data = rows(contract)
        constant = Dataset(data.row_ids, data.timestamps, data.features, np.full(len(data), value))
        with pytest.raises(TrainingImpossible, match=r"one class|the same number"):
            train(constant, contract)


def test_models_of_different_targets_are_not_blended():
    """Two sets of classes, or numbers beside classes."""
    payloads = []
    for contract in (CLASSES, CLASSES.with_classes(("a", "b", "c", "d")), NUMBERS):
        data = rows(contract, 600)
        payloads.append(WRITTEN.exported(train(data, contract).fitted, data.features, contract))
    for other in payloads[1:]:
        with pytest.raises(BlendImpossible, match="one target only"):
            WRITTEN.blended([(payloads[0], 0.5), (other, 0.5)], np.nan)


def test_a_link_that_nobody_knows_is_refused():
    """The file says how scores become answers; what isn't known is never evaluated."""
    data = rows(NUMBERS, 600)
    payload = WRITTEN.exported(train(data, NUMBERS).fitted, data.features, NUMBERS)
    with pytest.raises(ArtefactRefused, match="link"):
        WRITTEN.loaded(payload.replace(b'"identity"', b'"magic"'))
    with pytest.raises(ArtefactRefused):
        WRITTEN.loaded(payload.replace(b'"identity"', b'"softmax"'))
