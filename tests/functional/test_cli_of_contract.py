"""`selfheal contract` as a newcomer uses it: from a file of one's own to a model in production."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from selfheal.contract import default_contract, parse_contract
from selfheal.data.files import read_labelled
from selfheal.errors import DraftImpossible
from selfheal.stores.collection import Stores
from selfheal.stores.memory import MemoryBucket
from selfheal.usecases.registry.bootstrap import bootstrap
from selfheal_tools.cli.app import app

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def churn(tmp_path: Path) -> Path:
    rng, rows = np.random.default_rng(1), 1_500
    left = rng.random(rows) < 0.2
    frame = pd.DataFrame(
        {
            "customer": [f"C{number}" for number in rng.permutation(rows)],
            "made": pd.date_range("2025-01-01", periods=rows, freq="h").strftime("%Y-%m-%d %H:%M:%S"),
            "plan": rng.choice(["basic", "plus"], rows),
            "monthly fee (€)": np.round(rng.normal(30, 8, rows), 2),
            "tickets": rng.poisson(1 + 2 * left),
            "cancel_reason": np.where(left, rng.choice(["price", "moved"], rows), ""),
            "churned": np.where(left, "yes", "no"),
        }
    )
    frame.to_csv(tmp_path / "churn.csv.gz", index=False)
    return tmp_path / "churn.csv.gz"


def test_a_drafted_contract_puts_a_first_model_into_production(churn: Path, tmp_path: Path):
    """What infer writes, untouched, loads the file, trains on it, and the leak isn't among the features."""
    out = tmp_path / "churn.toml"
    arguments = ["contract", "infer", str(churn), "--target", "churned", "--time", "made", "--out", str(out)]
    said = CliRunner().invoke(app, arguments, catch_exceptions=False).stdout
    assert "left out, each with its reason in the file: customer, cancel_reason" in said
    contract = parse_contract(out.read_text(encoding="utf-8"))
    assert contract.feature_names == ("plan", "monthly fee (€)", "tickets")
    stores = Stores(MemoryBucket(), MemoryBucket())
    file = read_labelled(churn, contract, end=NOW, now=NOW)
    values = file.label_values
    decision = bootstrap(stores, file.rows, contract, values, now=NOW, actor="test")
    assert stores.pointer.read().pointer.version == decision.version
    assert stores.models.manifest(decision.version).contract == contract


def test_without_a_file_the_contract_itself_is_printed(churn: Path):
    """Standard output holds the contract and nothing else."""
    result = CliRunner().invoke(app, ["contract", "infer", str(churn), "--target", "churned"], catch_exceptions=False)
    assert parse_contract(result.stdout).model.positive_label == "yes"


def test_a_contract_that_somebody_may_have_corrected_is_not_overwritten(churn: Path, tmp_path: Path):
    """An existing file is left as it is."""
    (tmp_path / "mine.toml").write_text("mine")
    result = CliRunner().invoke(
        app, ["contract", "infer", str(churn), "--target", "churned", "--out", str(tmp_path / "mine.toml")]
    )
    assert isinstance(result.exception, DraftImpossible)
    assert (tmp_path / "mine.toml").read_text() == "mine"


def test_the_printed_schema_names_every_part_of_a_contract():
    """The schema on standard output is JSON and knows every table."""
    schema = json.loads(CliRunner().invoke(app, ["contract", "schema"], catch_exceptions=False).stdout)
    assert set(schema["properties"]) == set(default_contract().model_dump())
