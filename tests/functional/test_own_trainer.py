"""A trainer of one's own: what it sees, what becomes of it, and what it ends in where it fails."""

from dataclasses import replace

import numpy as np
import pytest

from selfheal.contract import Contract, default_contract, parse_contract
from selfheal.errors import ContractInvalid, ExportInexact, TrainerFailed
from selfheal.models.formats import WRITTEN
from selfheal.tables.dataset import Dataset
from selfheal.tables.table import columns_of
from selfheal.training import train
from selfheal_tools.simulation.credit import credit_rows
from selfheal_tools.trial_fit import trial_fit
from tests.support import trainers

ROWS = 2000


def contract_with(trainer: str) -> Contract:
    contract = default_contract()
    return contract.model_copy(update={"model": contract.model.model_copy(update={"trainer": trainer})})


@pytest.fixture(scope="module")
def rows() -> Dataset:
    features, labels = credit_rows(np.random.default_rng(5), ROWS)
    ids = np.array([f"row-{row}" for row in range(ROWS)], dtype=object)
    return Dataset(ids, np.datetime64("2026-01-01", "us") + np.arange(ROWS), features, labels)


def test_the_example_trains_lightgbm_and_is_served_exactly(rows: Dataset):
    """`layers/trainers`: calibrated, with a threshold, and its file answers as it does; its reasons add up."""
    trained = train(rows, contract_with("example_trainers.boosting:lightgbm"))
    assert [candidate.name for candidate in trained.candidates] == ["example_trainers.boosting:lightgbm"] * 2
    served = WRITTEN.loaded(WRITTEN.exported(trained.fitted, rows.features, default_contract()))
    columns = columns_of(rows.features[:200])
    assert served.probabilities_of(columns) == pytest.approx(
        trained.fitted.probabilities(rows.features[:200]), abs=1e-12
    )
    found = served.contributions(columns)
    assert found.base + found.added.sum(axis=1) == pytest.approx(found.scores, abs=1e-9)
    assert trained.metrics["roc_auc"] > 0.7


def test_it_blends_with_what_the_built_in_trainer_fitted(rows: Dataset):
    """A blend of LightGBM, a forest of shares and the built-in model answers the weighted mean of their log-odds."""
    names = ("example_trainers.boosting:lightgbm", "tests.support.trainers:forest", None)
    fitted = [train(rows, contract_with(name) if name else default_contract()).fitted for name in names]
    payloads = [WRITTEN.exported(one, rows.features, default_contract()) for one in fitted]
    weights = [0.5, 0.25, 0.25]
    blend = WRITTEN.loaded(WRITTEN.blended(list(zip(payloads, weights, strict=True)), 0.5))
    answers = blend.probabilities_of(columns_of(rows.features))
    assert 0 < answers.min() < answers.max() < 1


def test_a_forests_shares_are_explained_in_shares(rows: Dataset):
    """Uncalibrated, its answer is the mean of its trees, bit for bit, and so are its reasons."""
    contract = contract_with("tests.support.trainers:forest")
    trained = train(rows, contract)
    if not trained.fitted.calibration.is_identity:
        trained = type(trained)(**{**vars(trained), "fitted": _uncalibrated(trained.fitted)})
    served = WRITTEN.loaded(WRITTEN.exported(trained.fitted, rows.features, contract))
    columns = columns_of(rows.features[:100])
    assert served.probabilities_of(columns).tolist() == trained.fitted.probabilities(rows.features[:100]).tolist()
    found = served.contributions(columns)
    assert found.unit == "probability"
    assert found.base + found.added.sum(axis=1) == pytest.approx(served.probabilities_of(columns), abs=1e-9)


def _uncalibrated(fitted):
    from selfheal.models.fitted import Calibration

    return replace(fitted, calibration=Calibration())


def test_a_search_is_served_by_its_best(rows: Dataset):
    """The pipeline that the search chose, as if it had been returned itself."""
    trained = train(rows, contract_with("tests.support.trainers:searched"))
    assert WRITTEN.exported(trained.fitted, rows.features, default_contract())


def test_a_boosting_of_its_own_is_judged_as_it_is_served(rows: Dataset):
    """With all its trees: nobody chooses fewer, so that no better stage may make promises for it."""
    trained = train(rows, contract_with("tests.support.trainers:staged"))
    assert {len(losses) for losses in trained.curves["learning"].values()} == {1}


def test_it_sees_no_row_that_tunes_and_can_spoil_none(rows: Dataset):
    """The newest rows are kept from it while candidates compete, and what it does to its rows touches nobody else's."""
    trainers.SEEN.clear()
    before = rows.features.copy()
    trained = train(rows, contract_with("tests.support.trainers:spoiling"))
    tuning = len(trained.tuning_probabilities)
    assert trainers.SEEN[:2] == [trained.rows - tuning] * 2
    assert before.equals(rows.features)


def test_one_that_peeks_finds_none_of_the_newest_rows(rows: Dataset):
    """While candidates compete neither its rows nor the memory that they lie in hold a value of the rows that tune."""
    trainers.PEEKED.clear()
    marked = rows.features.copy()
    tuning = len(train(rows, contract_with("tests.support.trainers:forest")).tuning_probabilities)
    column = default_contract().numeric_features[0]
    # Values that only the newest rows have.
    marked.loc[marked.index[-tuning:], column] = np.arange(tuning) + 77_000.0
    train(replace(rows, features=marked), contract_with("tests.support.trainers:peeking"))
    competing = trainers.PEEKED[:2]
    assert all(len(table) == len(rows) - tuning for table, _ in competing)
    for table, memory in competing:
        held = table[column].to_numpy() if memory is None else np.ravel(memory)
        assert not np.isin(held, np.arange(tuning) + 77_000.0).any()
        assert not np.isin(table.to_numpy(), np.arange(tuning) + 77_000.0).any()
        assert table.attrs == {}


@pytest.mark.parametrize(
    ("trainer", "said"),
    [
        ("tests.support.trainers:raising", r"failed with ValueError at trainers.py:\d+"),
        ("tests.support.nowhere:forest", "failed with ModuleNotFoundError"),
        ("tests.support.trainers:nothing", "failed with AttributeError"),
        ("tests.support.trainers:text", "return an unfitted scikit-learn estimator"),
        ("tests.support.trainers:regressor", "which is no classifier"),
    ],
)
def test_what_fails_ends_by_name(rows: Dataset, trainer: str, said: str):
    """The error says which trainer, what and where; never a value of a row."""
    with pytest.raises(TrainerFailed, match=said) as raised:
        train(rows, contract_with(trainer))
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("kind", "error", "said"),
    [
        ("neighbours", ExportInexact, "model.json has no words for KNeighborsClassifier: end the pipeline in"),
        ("voting", TrainerFailed, "has no probabilities: .*soft"),
    ],
)
def test_what_cant_be_served_is_said_before_anything_is_deployed(
    rows: Dataset, kind: str, error: type[Exception], said: str
):
    """`selfheal contract check` names the part and what to use instead."""
    with pytest.raises(error, match=said):
        trial_fit(rows, contract_with(f"tests.support.trainers:{kind}"))


@pytest.mark.parametrize("trainer", ["forest", "a.b", "a:b:c", "a b:c", "", "../x:y"])
def test_a_name_that_is_none_is_refused_with_the_contract(trainer: str):
    """A module and a function in it."""
    text = f'[model]\nname = "m"\ntarget = "y"\ntrainer = "{trainer}"\n[features.x]\ntype = "number"\n'
    with pytest.raises(ContractInvalid, match=r"model\.trainer"):
        parse_contract(text)
