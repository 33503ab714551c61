"""A model that comes ready-made: served as it is, healed by the contract's trainer, refused by name."""

from importlib.resources import files
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.ensemble import GradientBoostingClassifier, VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from typer.testing import CliRunner

from selfheal.contract import Contract, default_contract
from selfheal.data.labels import TargetValues
from selfheal.errors import ExportInexact, ModelUnusable
from selfheal.models.formats import WRITTEN, model_of
from selfheal.records.manifest import Lineage
from selfheal.tables.dataset import Dataset
from selfheal.tables.table import columns_of
from selfheal.training.ready_made import ReadyMade
from selfheal.usecases.registry.bootstrap import bootstrap
from selfheal.usecases.registry.train import train_version
from selfheal_tools.cli.app import app
from selfheal_tools.model_file import model_path, open_model
from selfheal_tools.simulation.credit import credit_rows
from tests.support.estimators import contract_of, expanded, rows_of
from tests.support.healing import START, memory_stores
from tests.support.pickles import Bomb

VALUES = TargetValues("1", "0")


def contract(**changes: Any) -> Contract:
    credit = default_contract()
    return credit.model_copy(update={"model": credit.model.model_copy(update=changes)})


@pytest.fixture(scope="module")
def rows() -> Dataset:
    features, labels = credit_rows(np.random.default_rng(6), 1200)
    ids = np.array([f"base-{row}" for row in range(1200)], dtype=object)
    return Dataset(ids, np.datetime64("2026-01-01", "us") + np.arange(1200), features, labels)


def pipeline(estimator: Any | None = None) -> Pipeline:
    return make_pipeline(SimpleImputer(), StandardScaler(), estimator or LogisticRegression(solver="newton-cholesky"))


@pytest.fixture(scope="module")
def saved(rows: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    votes = VotingClassifier(
        [("line", pipeline()), ("trees", GradientBoostingClassifier(n_estimators=8, random_state=0))], voting="soft"
    )
    path = tmp_path_factory.mktemp("models") / "votes.joblib"
    joblib.dump(pipeline(votes).fit(rows.features, rows.labels), path)
    return path


def test_its_life_begins_as_it_is_and_goes_on_by_the_contracts_trainer(rows: Dataset, saved: Path):
    """In production it answers as the library does; the next version is the trainer's, from the same contract."""
    stores, told = memory_stores(), list[str]()
    named = contract(trainer="tests.support.trainers:forest")
    opened, warned = open_model(model_path(str(saved)))
    decision = bootstrap(stores, rows, named, VALUES, now=START, actor="ann", fit=ReadyMade(opened), tell=told.append)
    assert (decision.kind, warned) == ("bootstrap", [])
    manifest = stores.models.manifest(decision.version)
    assert [candidate.name for candidate in manifest.candidates] == ["ready-made"]
    served = model_of(manifest, stores.models.artefact)
    expected = joblib.load(saved).predict_proba(rows.features)[:, 1]
    assert served.probabilities_of(columns_of(rows.features)) == pytest.approx(expected, abs=1e-12)
    assert served.threshold == manifest.threshold
    assert 0 < served.threshold < 1
    lineage = Lineage(parent_version=decision.version, execution="e", trigger="drift")
    healed = train_version(
        stores.models,
        rows,
        manifest.contract,
        version="v2",
        now=START,
        lineage=lineage,
        evaluation_from=None,
        label_values=VALUES,
    )
    assert {candidate.name for candidate in healed.candidates} == {"tests.support.trainers:forest"}


@pytest.mark.parametrize(
    ("made", "error", "said"),
    [
        (lambda _: pipeline(), ModelUnusable, "isn't fitted"),
        (lambda _: {"model": pipeline()}, ModelUnusable, "holds a dict"),
        (lambda rows: pipeline(Ridge()).fit(rows.features, rows.labels), ModelUnusable, "no classifier"),
        (lambda rows: pipeline().fit(rows.features.iloc[:, 1:], rows.labels), ModelUnusable, "other features"),
        (lambda rows: pipeline().fit(rows.features.iloc[:, ::-1], rows.labels), ModelUnusable, "another order"),
        (
            lambda rows: pipeline().fit(rows.features.iloc[:, 1:].to_numpy(), rows.labels),
            ModelUnusable,
            "reads 9 features",
        ),
        (lambda rows: pipeline().fit(rows.features, rows.labels + 3), ModelUnusable, "classes are .'3', '4'.*'1'"),
        (lambda rows: pipeline().fit(rows.features, np.arange(1200) % 3), ModelUnusable, "3 classes"),
        (
            lambda rows: pipeline(KNeighborsClassifier()).fit(rows.features, rows.labels),
            ExportInexact,
            "no words for KNeighborsClassifier",
        ),
    ],
    ids=["unfitted", "no model", "regressor", "other features", "order", "count", "classes", "three", "unsupported"],
)
def test_what_cant_be_taken_is_refused_and_nothing_is_written(
    rows: Dataset, made: Any, error: type[Exception], said: str
):
    """By name, with what to change; the environment stays without a version."""
    stores = memory_stores()
    with pytest.raises(error, match=said):
        bootstrap(stores, rows, contract(), VALUES, now=START, actor="ann", fit=ReadyMade(made(rows)))
    assert list(stores.ledger.entries()) == []


def test_a_positive_label_that_sorts_first_is_the_one_that_is_answered(rows: Dataset):
    """Trained on texts, "bad" before "good": the probability is that of the contract's positive label."""
    texts = np.where(rows.labels == 1, "bad", "good").astype(object)
    model = pipeline().fit(rows.features, texts)
    trained = ReadyMade(model)(rows, contract(positive_label="bad"))
    served = WRITTEN.loaded(WRITTEN.exported(trained.fitted, rows.features, contract(positive_label="bad")))
    expected = model.predict_proba(rows.features)[:, 0]
    assert served.probabilities_of(columns_of(rows.features)) == pytest.approx(expected, abs=1e-12)


def test_classes_by_name_stand_where_the_contract_has_them():
    """A model of texts in another order than the contract's classes answers each class's own probability."""
    rows, three = rows_of("multiclass"), contract_of("multiclass")
    named = three.model_copy(update={"model": three.model.model_copy(update={"classes": ("low", "high", "mid")})})
    texts = np.array(["low", "high", "mid"], dtype=object)[rows.labels]
    model = make_pipeline(expanded(), LogisticRegression(solver="newton-cholesky")).fit(rows.features, texts)
    trained = ReadyMade(model)(rows, named)
    served = WRITTEN.loaded(WRITTEN.exported(trained.fitted, rows.features, named))
    shares = pd.DataFrame(model.predict_proba(rows.features), columns=model.classes_)[["low", "high", "mid"]]
    assert served.probabilities_of(columns_of(rows.features)) == pytest.approx(shares.to_numpy(), abs=1e-12)


def mlflow_folder(folder: Path, **flavours: Any) -> Path:
    folder.mkdir()
    (folder / "MLmodel").write_text(yaml.safe_dump({"flavors": flavours, "model_uuid": "x"}))
    return folder


def test_an_mlflow_models_folder_is_read_by_its_description(saved: Path, tmp_path: Path):
    """By its path and as a file's address; MLflow itself isn't needed."""
    sklearn = {"pickled_model": "model.pkl", "serialization_format": "cloudpickle", "sklearn_version": "1.9.1"}
    folder = mlflow_folder(tmp_path / "my model", python_function={"loader_module": "mlflow.sklearn"}, sklearn=sklearn)
    (folder / "model.pkl").write_bytes(saved.read_bytes())
    for named in (str(folder), folder.as_uri()):
        assert isinstance(open_model(model_path(named))[0], Pipeline)


def test_what_holds_no_model_of_scikit_learn_is_refused(tmp_path: Path):
    """Other flavours, files outside the folder, and what is no model: each says what to do."""
    cases = {
        str(tmp_path / "gone"): "no file or folder",
        str(tmp_path): "no file MLmodel",
        str(mlflow_folder(tmp_path / "keras", tensorflow={})): "no model with scikit-learn's .*'tensorflow'",
        str(mlflow_folder(tmp_path / "booster", lightgbm={"data": "model.lgb"})): "but .'lightgbm'",
        str(mlflow_folder(tmp_path / "away", sklearn={"pickled_model": "../secret.pkl"})): "isn't in its folder",
    }
    (tmp_path / "secret.pkl").write_bytes(b"")
    for named, said in cases.items():
        with pytest.raises(ModelUnusable, match=said):
            model_path(named)
    (tmp_path / "text").write_text("no pickle")
    with pytest.raises(ModelUnusable, match="can't be opened"):
        open_model(tmp_path / "text")


def test_nothing_is_opened_before_somebody_has_said_yes(rows: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The command warns that a pickle runs code, and asks; where nobody agrees the code in it hasn't run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    joblib.dump(Bomb(tmp_path / "opened"), "bomb.joblib")
    data = rows.features.assign(SeriousDlqin2yrs=rows.labels)
    data.to_csv("data.csv", index=False)
    Path("contract.toml").write_text(files("selfheal.contract").joinpath("credit_risk.toml").read_text())
    arguments = ["bootstrap", "--contract", "contract.toml", "--data", "data.csv", "--model", "bomb.joblib"]
    refused = CliRunner().invoke(app, arguments, input="n\n")
    assert refused.exit_code == 1
    assert "runs whatever code it holds" in refused.output
    assert not Path("opened").exists()
    CliRunner().invoke(app, [*arguments, "--yes"])
    assert Path("opened").exists()
