"""What leaves the drift function: metrics in CloudWatch's format, and the offline command's exit codes."""

import json
from functools import partial
from importlib.resources import files
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

import drift.handler
from drift.telemetry import emit
from selfheal.errors import NoProductionModel
from selfheal.stores.collection import Stores
from selfheal.usecases.monitor.monitor import monitor
from selfheal_tools.cli.app import app
from selfheal_tools.simulation.credit import Phase, credit_rows
from tests.support.healing import FakeExecutions, FakeNotifications, healed_environment, memory_stores
from tests.support.monitoring import CreditWorld

CONTRACT = files("selfheal.contract").joinpath("credit_risk.toml").read_text(encoding="utf-8")


def test_metrics_are_few_and_carry_no_dimension_but_the_service(capsys):
    """One record of at most ten metrics: no feature and no version multiplies their price."""
    world = CreditWorld()
    world.hours(24)
    emit(world.run().metrics, "selfheal-test")
    (line,) = capsys.readouterr().out.splitlines()
    (directive,) = json.loads(line)["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("selfheal-test", [["service"]])
    assert 5 <= len(directive["Metrics"]) <= 10
    assert json.loads(line)["Predictions"] == [960.0]


@pytest.fixture
def stores(monkeypatch) -> Stores:
    """What the drift function's handler works on: empty."""
    stores = memory_stores()
    run = partial(monitor, stores, FakeExecutions(), FakeNotifications(), schedule_minutes=60)
    found = (SimpleNamespace(), stores, run)
    monkeypatch.setattr(drift.handler, "connections", lambda: found)
    return stores


def test_before_the_first_model_a_run_says_so_and_stops(stores):
    """A stage that was deployed and not bootstrapped fails no run: no dead letter, no alarm each hour."""
    assert "selfheal bootstrap" in drift.handler.handler({}, None)["sentence"]


def test_a_pointer_that_is_gone_fails_the_run(stores):
    """The ledger knows of a model, but nothing says which one answers: that has to ring."""
    with_model, _ = healed_environment()
    for entry in with_model.ledger.entries():
        if entry.decision:
            stores.ledger.append_decision(entry.decision)
        if entry.outcome:
            stores.ledger.append_outcome(entry.outcome)
    with pytest.raises(NoProductionModel):
        drift.handler.handler({}, None)


@pytest.mark.parametrize(("current", "code"), [("calm", 0), ("stress", 3), ("few", 4), ("broken", 5)])
def test_the_offline_command_tells_its_verdict_by_its_exit_code(tmp_path, current, code):
    """0 no drift, 3 drift, 4 not enough data, 5 pipeline fault; summary and report are written whatever it is."""
    rng = np.random.default_rng(1)
    rows = {
        "calm": credit_rows(rng, 1000)[0],
        "stress": credit_rows(rng, 1000, Phase.STRESS)[0],
        "few": credit_rows(rng, 100)[0],
        "broken": credit_rows(rng, 1000, Phase.BROKEN_PIPELINE)[0],
    }
    paths = {name: tmp_path / name for name in ("contract.toml", "a.csv", "b.parquet", "out.json", "out.html")}
    paths["contract.toml"].write_text(CONTRACT, encoding="utf-8")
    credit_rows(rng, 3000)[0].to_csv(paths["a.csv"], index=False)
    rows[current].to_parquet(paths["b.parquet"])
    options = {"contract": "contract.toml", "reference": "a.csv", "current": "b.parquet", "json": "out.json"}
    arguments = [part for name, file in {**options, "html": "out.html"}.items() for part in (f"--{name}", paths[file])]
    done = CliRunner().invoke(app, ["drift", *map(str, arguments)])
    assert done.exit_code == code, done.output
    assert json.loads(paths["out.json"].read_text())["num_features_total"] == 10
    assert paths["out.html"].read_text().startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("contract", "rows", "said"),
    [(CONTRACT.encode("utf-16"), 3, "not UTF-8"), (CONTRACT.encode("utf-8-sig"), 0, "a.csv has no rows to compare")],
)
def test_what_is_wrong_with_the_input_is_said(tmp_path, contract, rows, said):
    """Another encoding is named; a byte order mark is none; and a header alone can't be compared."""
    (tmp_path / "contract.toml").write_bytes(contract)
    credit_rows(np.random.default_rng(0), 3)[0].head(rows).to_csv(tmp_path / "a.csv")
    files = ["--reference", str(tmp_path / "a.csv"), "--current", str(tmp_path / "a.csv")]
    done = CliRunner().invoke(app, ["drift", "--contract", str(tmp_path / "contract.toml"), *files])
    assert done.exit_code == 1
    assert said in str(done.exception)


def test_a_file_that_is_not_what_its_name_says_is_a_clear_message(tmp_path):
    """A picture called .parquet is refused by name."""
    (tmp_path / "contract.toml").write_text(CONTRACT, encoding="utf-8")
    (tmp_path / "a.parquet").write_bytes(b"\x89PNG\r\n")
    path = str(tmp_path / "a.parquet")
    done = CliRunner().invoke(
        app, ["drift", "--contract", str(tmp_path / "contract.toml"), "--reference", path, "--current", path]
    )
    assert done.exit_code == 1
    assert "a.parquet can't be read as its name promises" in str(done.exception)
