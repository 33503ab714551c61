"""Histories of several classes and of numbers, replayed through the use cases: in the task's own metrics and words."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import selfheal as sh
from selfheal.contract import parse_contract
from selfheal_tools.backtest.frames import BacktestResult
from selfheal_tools.backtest.records import Backtest
from selfheal_tools.backtest.words import mean_loss
from selfheal_tools.cli.app import app

PERIODS = 3
KINDS = ("multiclass", pytest.param("regression", marks=pytest.mark.slow))
POLICIES = ["healed", "frozen", "always", "seed-gates", "random", "oracle"]
METRICS = {
    "multiclass": ["brier", "macro_f1", "accuracy", "auc", "logloss"],
    "regression": ["rmse", "mae", "r2", "relative_squared_error"],
}
NAMES = np.array(["low", "middle", "high"], dtype=object)


def contract_of(kind: str) -> str:
    features = "".join(f'[features.{name}]\ntype = "number"\n' for name in ("x", "z"))
    gates = "[policy.gates]\ncooldown_days = 1\n"
    return f'[model]\nname = "turning"\ntarget = "y"\ntime_column = "when"\ntask = "{kind}"\n{features}{gates}'


def turning_rows(kind: str, rows: int = 2_400) -> pd.DataFrame:
    """Rows whose meaning is turned round after half of them: what made y high makes it low from then on."""
    rng = np.random.default_rng(3)
    x, z = rng.normal(size=(2, rows))
    slope = np.where(np.arange(rows) < 0.5 * rows, 2.0, -2.0)
    level = slope * x + 0.5 * z + 0.5 * rng.normal(size=rows)
    y = NAMES[np.digitize(level, [-1.0, 1.0])] if kind == "multiclass" else 50 + 10 * level
    when = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(np.arange(rows) * 9, unit="min")
    return pd.DataFrame({"when": when, "x": x, "z": z, "y": y})


@cache
def replayed(kind: str) -> BacktestResult:
    rows, contract = turning_rows(kind), parse_contract(contract_of(kind))
    return sh.backtest(rows, contract=contract, periods=PERIODS, initial=0.4, label_rate=0.9, policies=POLICIES)


@pytest.mark.parametrize("kind", KINDS)
def test_healing_finds_the_change_and_regains_what_it_cost(kind: str):
    """After the turn the frozen model is lost; healing promotes, does no harm and comes back some of the way."""
    policies = replayed(kind).found.policies
    leading = METRICS[kind][0]
    assert policies["healed"].regained > 0.25
    assert policies["healed"].harmful_promotions == 0
    assert policies["healed"].per_period[-1].of(leading) < 0.9 * policies["frozen"].per_period[-1].of(leading)
    assert (policies["frozen"].regained, policies["oracle"].regained) == (0.0, 1.0)
    assert policies["seed-gates"].regained > 0.25


@pytest.mark.parametrize("kind", KINDS)
def test_hindsight_is_never_beaten_by_what_it_chose_from(kind: str):
    """In each period the oracle's mean loss is the lowest, and every policy answers all rows."""
    found = replayed(kind).found
    loss = mean_loss(METRICS[kind])
    policies = found.policies
    for oracle, always in zip(policies["oracle"].per_period, policies["always"].per_period, strict=True):
        assert oracle.of(loss) <= always.of(loss) + 1e-12
    for policy in policies.values():
        assert [result.rows for result in policy.per_period] == [period.rows for period in found.periods]


@pytest.mark.parametrize("kind", KINDS)
def test_metrics_are_those_of_the_task_and_no_others(kind: str):
    """In the frame, in the file, which is read back as it was written, and in what each period held."""
    result = replayed(kind)
    assert [*result.to_frame()][: len(METRICS[kind])] == METRICS[kind]
    assert set(METRICS[kind]) <= {*result.per_period()}
    body = result.found.to_json()
    assert Backtest.model_validate_json(body) == result.found
    assert f'"task": "{kind}"'.encode() in body
    assert b'"positives"' not in body
    for period in result.found.periods:
        assert (period.classes or {}).keys() == ({"low", "middle", "high"} if kind == "multiclass" else set())
        assert (period.mean is None) == (kind == "multiclass")


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_speaks_of_the_task(kind: str):
    """No metric, and no word, of another kind of target; the verdict tells the metric that people know."""
    result = replayed(kind)
    page = result.to_html()
    foreign = {"multiclass": ("RMSE", "Positive<", ">F1<"), "regression": ("Brier", "ROC AUC", "Positive<", "F1")}
    told = {"multiclass": ("Brier score 0.", "Macro F1", "Commonest"), "regression": ("RMSE ", "R²", "Mean<")}
    assert [word for word in foreign[kind] if word in page or word in result.verdict] == []
    assert [word for word in told[kind] if word not in page] == []
    assert told[kind][0] in result.verdict


def test_errors_between_classes_that_have_a_price_are_measured_by_it():
    """Cost is a metric beside the others, and what is served is what versions are judged by."""
    costs = 'classes = ["low", "middle", "high"]\nerror_costs = { high = { low = 9 } }\n'
    contract = parse_contract(contract_of("multiclass").replace("[features.x]", f"{costs}[features.x]"))
    rows = turning_rows("multiclass", 1_200)
    found = sh.backtest(rows, contract=contract, periods=2, initial=0.4, policies=["healed", "frozen"]).found
    served, asked = (found.policies[name].per_period[0] for name in ("healed", "frozen"))
    assert served.of("cost") == asked.of("cost") > 0
    assert served.of("accuracy") == asked.of("accuracy")


def test_the_command_replays_numbers(tmp_path: Path):
    """`selfheal backtest` from a CSV file: the table has RMSE and MAE, and no ROC AUC."""
    turning_rows("regression", 1_200).to_csv(tmp_path / "data.csv", index=False)
    (tmp_path / "c.toml").write_text(contract_of("regression"))
    files = ["--data", str(tmp_path / "data.csv"), "--contract", str(tmp_path / "c.toml")]
    asked = ["--policies", "frozen", "--periods", "2", "--json", str(tmp_path / "out.json")]
    result = CliRunner().invoke(app, ["backtest", *files, *asked], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    (header,) = (line for line in result.stdout.splitlines() if line.startswith("policy"))
    assert header.split()[:5] == ["policy", "RMSE", "MAE", "R²", "loss"]
    assert Backtest.model_validate_json((tmp_path / "out.json").read_bytes()).task == "regression"
