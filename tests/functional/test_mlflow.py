"""The registry mirrored on a real MLflow server on this machine, over a SQLite store."""

import pytest

from selfheal.composition import tracking_of
from selfheal.errors import StoreUnavailable, VersionUnknown
from selfheal.usecases.registry.mirror import mirror
from selfheal.usecases.registry.promote import force_promotion
from selfheal.usecases.registry.roll_back import roll_back
from selfheal_tools.cli.tracking import mirror_where_configured
from tests.support.healing import DAY, START, healed_environment

LATER = START + 10 * DAY


def champion(mlflow_server: str) -> str:
    from mlflow import MlflowClient

    found = MlflowClient(mlflow_server, mlflow_server).get_model_version_by_alias("small", "champion")
    return found.tags["selfheal.version"]


def test_versions_are_mirrored_once_and_champion_follows_production(mlflow_server: str, monkeypatch):
    """Runs with parameters, metrics and model.json; `champion` moves at promotion and at rollback."""
    from mlflow import MlflowClient

    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server)
    stores, _ = healed_environment()
    tracking = tracking_of(mlflow_server)
    assert mirror(stores, tracking) == ["v1", "v2"]
    assert mirror(stores, tracking) == []
    assert champion(mlflow_server) == "v1"
    force_promotion(stores, "v2", reason="better", actor="ann", now=LATER)
    mirror_where_configured(stores)
    assert champion(mlflow_server) == "v2"
    roll_back(stores, None, reason="worse", actor="ann", now=LATER + DAY)
    mirror_where_configured(stores)
    assert champion(mlflow_server) == "v1"
    client = MlflowClient(mlflow_server, mlflow_server)
    experiment = client.get_experiment_by_name("small").experiment_id
    runs = {run.info.run_name: run for run in client.search_runs([experiment])}
    assert set(runs) == {"v1", "v2"}
    assert runs["v2"].data.params["threshold"] == "0.5"
    assert runs["v2"].data.params["task"] == "binary"
    assert runs["v2"].info.status == "FINISHED"
    logged = {file.path for file in client.list_artifacts(runs["v2"].info.run_id)}
    assert logged == {"manifest.json", "model.json"}


def test_a_version_that_is_not_mirrored_cannot_be_crowned(mlflow_server: str):
    """Champion only ever names what is there."""
    with pytest.raises(VersionUnknown, match="v9"):
        tracking_of(mlflow_server).crown("small", "v9")


def test_a_server_that_is_away_is_named_and_nothing_else_happens(monkeypatch, capsys):
    """A command that has done its work says that it wasn't mirrored, and succeeds."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    stores, _ = healed_environment()
    with pytest.raises(StoreUnavailable):
        mirror(stores, tracking_of("http://127.0.0.1:1"))
    mirror_where_configured(stores)
    assert "not mirrored" in capsys.readouterr().err


def test_without_a_configured_server_nothing_is_mirrored(monkeypatch):
    """MLflow isn't even imported."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    stores, _ = healed_environment()
    assert mirror_where_configured(stores) is None
