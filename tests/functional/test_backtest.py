"""A history replayed through the use cases: healings in this process, and policies side by side."""

from datetime import timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from selfheal.contract import parse_contract
from selfheal.contract.model import ErrorCosts
from selfheal.errors import HealingRefused, StoreUnavailable
from selfheal.records.healing import Conclusion, Training
from selfheal.tables.dataset import Dataset
from selfheal_tools.backtest.errors import BacktestImpossible
from selfheal_tools.backtest.executions import InProcessExecutions
from selfheal_tools.backtest.overrides import overridden
from selfheal_tools.backtest.records import Backtest, Settings
from selfheal_tools.backtest.run import backtest
from selfheal_tools.backtest.stores import ReplayStores
from tests.support.healing import DAY, HOUR, START, healed_environment, healing_of, memory_stores, traffic, trained

CONTRACT = parse_contract("""
[model]
name = "turning"
target = "y"
[features.x]
type = "number"
[features.z]
type = "number"
[policy.gates]
cooldown_days = 1
""")
PERIODS = 4


def turning_rows(rows: int = 4_000) -> Dataset:
    """Hourly rows whose meaning is turned round after 60 %: what made y likely makes it unlikely from then on."""
    rng = np.random.default_rng(3)
    x, z = rng.normal(size=(2, rows))
    slope = np.where(np.arange(rows) < 0.6 * rows, 2.0, -2.0)
    labels = (rng.random(rows) < 1 / (1 + np.exp(-slope * x))).astype(np.int8)
    moments = np.datetime64("2026-01-01", "us") + np.arange(rows) * np.timedelta64(6, "m")
    ids = np.array([f"base-{row:09d}" for row in range(rows)], dtype=object)
    return Dataset(ids, moments, pd.DataFrame({"x": x, "z": z}), labels)


@cache
def replayed() -> Backtest:
    settings = Settings(
        periods=PERIODS, initial=0.4, label_delay=0, label_rate=0.8, seed=0, runs_per_period=1, overrides={}
    )
    return backtest(turning_rows(), CONTRACT, dataset="turning", settings=settings)


def test_gates_of_a_plain_pipeline_take_errors_that_have_a_price():
    """Every policy is replayed under a contract whose threshold is that of the least cost."""
    priced = CONTRACT.model.model_copy(update={"threshold": ErrorCosts(false_positive=1.0, false_negative=5.0)})
    contract = CONTRACT.model_copy(update={"model": priced})
    settings = Settings(periods=2, initial=0.5, label_delay=0, label_rate=1.0, seed=0, runs_per_period=1, overrides={})
    found = backtest(turning_rows(1_500), contract, dataset="priced", settings=settings, policies=["seed-gates"])
    assert found.policies["seed-gates"].retrainings == 2


def test_healing_finds_the_change_and_regains_what_it_cost():
    """After the turn the frozen model is lost, healing promotes and comes back."""
    policies = replayed().policies
    assert policies["frozen"].of("brier") > 0.25
    assert policies["healed"].regained > 0.4
    assert policies["healed"].per_period[-1].of("brier") < policies["frozen"].per_period[-1].of("brier") / 2
    assert policies["healed"].harmful_promotions == 0


def test_a_version_promoted_at_the_end_of_a_period_answers_from_the_next_on():
    """Who answered when follows from the moves."""
    healed = replayed().policies["healed"]
    for move in healed.moves:
        assert healed.per_period[move.period - 1].versions == (move.previous_version,)
        assert all(after.versions == (move.version,) for after in healed.per_period[move.period : move.period + 1])


def test_policies_are_compared_on_the_same_rows():
    """Every policy answers every row once; hindsight is never beaten period by period by what it chose from."""
    found = replayed()
    rows = [period.rows for period in found.periods]
    for policy in found.policies.values():
        assert [result.rows for result in policy.per_period] == rows
    for oracle, always in zip(found.policies["oracle"].per_period, found.policies["always"].per_period, strict=True):
        assert oracle.of("brier") <= always.of("brier") + 1e-12
    assert found.policies["frozen"].regained == 0.0
    assert found.policies["oracle"].regained == 1.0


def test_counts_are_those_of_what_happened():
    """Always promotes every period, periodic-5 not once in four, random as often as healing, but not after the last."""
    policies = replayed().policies
    assert policies["always"].promotions == PERIODS
    assert policies["periodic-5"].promotions == 0
    assert policies["frozen"].promotions == policies["frozen"].retrainings == 0
    assert policies["random"].promotions == min(policies["healed"].promotions, PERIODS - 1)
    healed = policies["healed"]
    assert healed.promotions + healed.rejections <= healed.retrainings


def test_the_file_says_everything_again():
    """The JSON is read back as it was written."""
    body = replayed().to_json()
    assert Backtest.model_validate_json(body) == replayed()
    assert body.startswith(b'{\n  "dataset": "turning"')


def test_a_healing_waits_for_labels_at_its_own_times_and_fails_closed():
    """Without labels it looks every quarter of an hour; after 48 hours the gates judge what there is, and say no."""
    stores, healing = healed_environment(stores=ReplayStores())
    traffic(stores, since=START + 9 * DAY, rows=300, label_delay=None)
    told: list[Conclusion] = []
    executions = InProcessExecutions(stores, lambda *_: trained(), told.append)
    executions.start(healing)
    looks = []
    while (due := executions.due()) is not None:
        looks.append(due)
        executions.step(due)
    assert looks[1] - looks[0] == timedelta(minutes=15)
    assert looks[-1] == healing.started_at + timedelta(hours=48)
    assert [conclusion.decision.kind for conclusion in told] == ["reject"]
    assert stores.ledger.decisions()[-1].execution == healing.execution
    assert executions.recent()[0].status == "SUCCEEDED"


def test_a_healing_ends_where_training_says_so_and_where_a_store_fails():
    """A skip is a decision, and so is a failure, as in the state machine."""
    kinds = []
    for outcome in (Training(outcome="skip", reason="too few"), StoreUnavailable("away")):

        def train(*_: object, outcome: object = outcome) -> Training:
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        stores, healing = healed_environment(stores=memory_stores())
        executions = InProcessExecutions(stores, train, lambda conclusion: kinds.append(conclusion.decision.kind))
        executions.start(healing)
        executions.step(healing.started_at)
    assert kinds == ["skip", "failed"]


def test_one_healing_at_a_time():
    """A name that was started is taken."""
    stores, healing = healed_environment()
    executions = InProcessExecutions(stores, lambda *_: trained(), lambda _: None)
    executions.start(healing)
    with pytest.raises(HealingRefused):
        executions.start(healing_of(stores, started_at=healing.started_at + HOUR))


def test_what_if_the_policy_were_another():
    """Single values are replaced, checked like a contract's own, and named in the result."""
    changed, told = overridden(CONTRACT, ["gates.minimum_gain=0.5", 'policy.gates.gain_metrics=["brier"]'])
    assert changed.policy.gates.minimum_gain == 0.5
    assert changed.policy.gates.gain_metrics == ("brier",)
    assert told["gates.minimum_gain"] == "0.5"
    for wrong in ("gates.unknown=1", "gates.minimum_gain=5", "nonsense"):
        with pytest.raises(BacktestImpossible):
            overridden(CONTRACT, [wrong])


@pytest.mark.parametrize("names", [("nobody",), ("random",), ("periodic-0",)])
def test_unknown_policies_are_refused_by_name(names: tuple[str, ...]):
    """Before anything is trained."""
    settings = Settings(periods=4, initial=0.2, label_delay=0, label_rate=1.0, seed=0, runs_per_period=1)
    with pytest.raises(BacktestImpossible):
        backtest(turning_rows(), CONTRACT, dataset="turning", settings=settings, policies=names)


def test_the_command_writes_json_and_a_page(tmp_path: Path):
    """`selfheal backtest` from a CSV file, on two policies."""
    from typer.testing import CliRunner

    from selfheal_tools.cli.app import app

    rows = turning_rows(1_200)
    frame = rows.features.assign(y=rows.labels)
    frame.to_csv(tmp_path / "data.csv", index=False)
    (tmp_path / "c.toml").write_text('[model]\nname = "t"\ntarget = "y"\n[features.x]\ntype = "number"\n')
    names = ["--policies", "healed,frozen", "--periods", "3", "--json", str(tmp_path / "out.json")]
    page = ["--html", str(tmp_path / "out.html")]
    files = ["--data", str(tmp_path / "data.csv"), "--contract", str(tmp_path / "c.toml")]
    result = CliRunner().invoke(app, ["backtest", *files, *names, *page])
    assert result.exit_code == 0, result.output
    assert "taken to be in order of time" not in result.stderr
    assert set(Backtest.model_validate_json((tmp_path / "out.json").read_bytes()).policies) == {"healed", "frozen"}
    assert "<html" in (tmp_path / "out.html").read_text()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--html", "{folder}/nowhere/out.html"], "there is no folder"),
        (["--json", "{folder}"], "is a directory"),
        (["--periods", "3", "--policies", "frozen"], "data.csv has no time column 'whne'"),
        (["--set", 'gates.gain_metrics=["auc"]'], "gates.gain_metrics.0: "),
    ],
)
def test_the_command_says_what_it_makes_of_its_options(tmp_path: Path, options: list[str], said: str):
    """Before the work: where results can't be written, what the policy can't be, and that a file has no times."""
    from typer.testing import CliRunner

    from selfheal_tools.cli.app import app

    rows = turning_rows(1_200)
    rows.features.assign(y=rows.labels).to_csv(tmp_path / "data.csv", index=False)
    header = '[model]\nname = "t"\ntarget = "y"\ntime_column = "whne"\n'
    (tmp_path / "c.toml").write_text(f'{header}[features.x]\ntype = "number"\n')
    files = ["--data", str(tmp_path / "data.csv"), "--contract", str(tmp_path / "c.toml")]
    asked = [option.format(folder=tmp_path) for option in options]
    result = CliRunner().invoke(app, ["backtest", *files, *asked], env={"COLUMNS": "200"})
    assert said in f"{result.stderr}{result.exception}"
