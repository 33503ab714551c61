"""A ready-made model on a real MLflow server: fetched by its address, opened when somebody agrees, served as it is."""

import sys
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

import joblib
import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from typer.testing import CliRunner

import selfheal_tools.cli.bootstrap
from selfheal.errors import ModelUnusable, SelfhealError, SettingsInvalid, StoreUnavailable
from selfheal.models.formats import model_of
from selfheal.stores.collection import Stores
from selfheal.tables.table import columns_of
from selfheal_tools.cli.app import app
from selfheal_tools.environment import Environment
from selfheal_tools.mlflow_model import local_copy
from selfheal_tools.model_file import model_path, open_model
from selfheal_tools.simulation.credit import credit_rows
from tests.support.healing import FakeNotifications, memory_stores
from tests.support.pickles import Bomb

# MLflow warns of its own types when it is imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*Any type hint is inferred:UserWarning")
FEATURES, LABELS = credit_rows(np.random.default_rng(6), 600)


@dataclass(frozen=True)
class Logged:
    """A pipeline as MLflow registers it, in its default format: the addresses that lead to it, its run, its answers."""

    addresses: tuple[str, ...]
    run: str
    answers: NDArray[np.float64]


@pytest.fixture(scope="module")
def logged(mlflow_server: str) -> Logged:
    import mlflow.sklearn

    model = make_pipeline(SimpleImputer(), LogisticRegression(solver="newton-cholesky")).fit(FEATURES, LABELS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", mlflow_server)
        with mlflow.start_run() as run:
            info = mlflow.sklearn.log_model(
                model,
                name="model",
                registered_model_name="churn",
                skops_trusted_types=["numpy.dtype"],
                pip_requirements=[],
            )
        mlflow.MlflowClient().set_registered_model_alias("churn", "champion", "1")
    addresses = (
        "models:/churn/1",
        "models:/churn@champion",
        f"models:/{info.model_id}",
        f"runs:/{run.info.run_id}/model",
        f"mlflow-artifacts:/{run.info.experiment_id}/models/{info.model_id}/artifacts",
    )
    return Logged(addresses, run.info.run_id, model.predict_proba(FEATURES)[:, 1])


@pytest.fixture(autouse=True)
def impatient(mlflow_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


@pytest.fixture
def stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stores:
    """An environment without a version, and a folder with a contract and its data to start one from."""
    monkeypatch.chdir(tmp_path)
    FEATURES.assign(SeriousDlqin2yrs=LABELS).to_csv("data.csv", index=False)
    Path("contract.toml").write_text(files("selfheal.contract").joinpath("credit_risk.toml").read_text())
    stores, other = memory_stores(), cast("Any", None)
    environment = Environment("dev", "https://x", "data", stores, other, other, FakeNotifications(), other)
    monkeypatch.setattr(selfheal_tools.cli.bootstrap, "connect", lambda _: environment)
    return stores


def run_bootstrap(model: str, *more: str, answer: str = "") -> Any:
    arguments = ["bootstrap", "--contract", "contract.toml", "--data", "data.csv", "--model", model, *more]
    return CliRunner().invoke(app, arguments, input=answer)


def test_each_of_its_addresses_leads_to_the_model(logged: Logged):
    """By version, alias, id, run and place: the same answers, and nothing is left behind."""
    for address in logged.addresses:
        with local_copy(address) as copy:
            found, _ = open_model(model_path(copy))
        assert found.predict_proba(FEATURES)[:, 1].tolist() == logged.answers.tolist()
        assert not Path(copy).exists()


def test_lightgbm_as_mlflow_saves_it_is_opened(tmp_path: Path):
    """Its flavour's folder, in the default format: the classifier with its own answers."""
    import mlflow.lightgbm
    from lightgbm import LGBMClassifier

    model = LGBMClassifier(n_estimators=4, verbose=-1).fit(FEATURES, LABELS)
    mlflow.lightgbm.save_model(model, tmp_path / "saved", pip_requirements=[])
    found, _ = open_model(model_path(str(tmp_path / "saved")))
    assert found.predict_proba(FEATURES).tolist() == model.predict_proba(FEATURES).tolist()


def test_a_registered_model_is_served_as_it_is(logged: Logged, stores: Stores):
    """`selfheal bootstrap --model models:/churn@champion` writes a version that answers as the library does."""
    done = run_bootstrap("models:/churn@champion", answer="y\n")
    assert done.exit_code == 0, done.output
    assert "models:/churn@champion" in done.output
    assert "runs whatever code it holds" in done.output
    (decision,) = stores.ledger.decisions()
    served = model_of(stores.models.manifest(decision.version), stores.models.artefact)
    assert served.probabilities_of(columns_of(FEATURES)) == pytest.approx(logged.answers, abs=1e-12)


def test_a_fetched_pickle_is_opened_only_once_somebody_agrees(logged: Logged, stores: Stores):
    """Fetching runs none of the code in it; neither does a no; a yes does."""
    import mlflow

    Path("bomb").mkdir()
    Path("bomb", "MLmodel").write_text("flavors:\n  sklearn:\n    pickled_model: model.pkl\n")
    joblib.dump(Bomb(Path.cwd() / "opened"), Path("bomb", "model.pkl"))
    mlflow.MlflowClient().log_artifacts(logged.run, "bomb", "bomb")
    assert run_bootstrap(f"runs:/{logged.run}/bomb", answer="n\n").exit_code == 1
    assert not Path("opened").exists()
    assert isinstance(run_bootstrap(f"runs:/{logged.run}/bomb", "--yes").exception, ModelUnusable)
    assert Path("opened").exists()
    assert not list(stores.ledger.entries())


def refusal_of(address: str) -> SelfhealError:
    with pytest.raises(SelfhealError) as refused, local_copy(address):
        pass
    return refused.value


def test_what_is_not_there_is_said_and_where_to_look(logged: Logged):
    """A version, a name, an alias, a run, a path and a file that the server hasn't got."""
    absent = ("models:/churn/9", "models:/nobody/1", "models:/churn@none", "runs:/abc/model", "mlflow-artifacts:/0/x")
    for address in (*absent, f"runs:/{logged.run}/other"):
        refused = refusal_of(address)
        assert isinstance(refused, ModelUnusable)
        assert f"there is no {address}" in str(refused)


def test_what_stands_in_the_way_is_named(monkeypatch: pytest.MonkeyPatch):
    """A server that is away, none that is named, MLflow that isn't installed: what to do; no password is shown."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://ann:secret@127.0.0.1:1")
    away = refusal_of("models:/churn/1")
    assert isinstance(away, StoreUnavailable)
    assert "MLFLOW_TRACKING_URI" in str(away)
    assert "secret" not in str(away)
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    unnamed = refusal_of("models:/churn/1")
    assert isinstance(unnamed, SettingsInvalid)
    assert "MLFLOW_TRACKING_URI" in str(unnamed)
    monkeypatch.setitem(sys.modules, "mlflow.artifacts", None)
    missing = refusal_of("models:/churn/1")
    assert isinstance(missing, ModelUnusable)
    assert "install mlflow-skinny" in str(missing)
