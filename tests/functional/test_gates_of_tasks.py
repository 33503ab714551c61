"""The gates offline, on files and frames about several classes and about numbers."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import selfheal as sh
from selfheal.contract import parse_contract
from selfheal.errors import DataInvalid
from selfheal.gates.offline import read_evidence
from selfheal_tools.cli.app import app
from tests.support.healing import START

NAMES = ("low", "middle", "high")
ROWS = 900


def contract_of(kind: str, more: str = "") -> str:
    header = f'[model]\nname = "small"\ntarget = "y"\ntask = "{kind}"\n{more}'
    return f'{header}[features.age]\ntype = "number"\n[[segments]]\nfeature = "age"\nedges = [40]\n'


def of_classes(right: tuple[float, float], rows: int = ROWS) -> pd.DataFrame:
    """Two models that give the true class a probability around these."""
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 3, rows)
    columns: dict[str, object] = {"label": np.array(NAMES, dtype=object)[truth], "age": rng.uniform(20, 60, rows)}
    for model, chance in zip(("production", "shadow"), right, strict=True):
        own = np.clip(chance + 0.1 * rng.normal(size=rows), 0.02, 0.98)
        said = np.tile((1 - own)[:, None] / 2, 3)
        said[np.arange(rows), truth] = own
        columns |= {f"{model}_probability.{name}": said[:, place].round(4) for place, name in enumerate(NAMES)}
    return pd.DataFrame(columns)


def of_numbers(errors: tuple[float, float], rows: int = ROWS) -> pd.DataFrame:
    """Two models whose errors are around these."""
    rng = np.random.default_rng(2)
    truth = 100 + 20 * rng.normal(size=rows)
    said = [truth + error * rng.normal(size=rows) for error in errors]
    ages = rng.uniform(20, 60, rows)
    return pd.DataFrame({"label": truth, "age": ages, "production_prediction": said[0], "shadow_prediction": said[1]})


CASES = [
    ("multiclass", of_classes((0.4, 0.6)), 0, "Brier"),
    ("multiclass", of_classes((0.6, 0.4)), 3, "Brier"),
    ("regression", of_numbers((10, 5)), 0, "squared error"),
    ("regression", of_numbers((5, 10)), 3, "squared error"),
]


@pytest.mark.parametrize(("kind", "frame", "code", "word"), CASES)
def test_a_file_is_judged_by_the_tasks_metrics(tmp_path: Path, kind: str, frame: pd.DataFrame, code: int, word: str):
    """The exit code is the verdict; each gate has its result, in words of the kind of target; a frame says the same."""
    (tmp_path / "contract.toml").write_text(contract_of(kind))
    frame.to_csv(tmp_path / "evidence.csv", index=False)
    paths = ["--contract", "contract.toml", "--evidence", "evidence.csv", "--json", "verdict.json"]
    asked = [str(tmp_path / part) if "." in part else part for part in paths]
    result = CliRunner().invoke(app, ["gates", *asked], catch_exceptions=False)
    assert result.exit_code == code, result.output
    gates = {gate["gate"]: gate for gate in json.loads((tmp_path / "verdict.json").read_text())["gates"]}
    assert len(gates) == 7
    assert word in gates["brier_limit"]["reason"]
    assert "f1 " not in gates["metric_gain"]["reason"].replace("macro_f1 ", "")
    found = sh.gates(frame, contract=parse_contract(contract_of(kind)))
    assert [gate.passed for gate in found.gates] == [gate["passed"] for gate in gates.values()]


def test_what_the_gates_measure_is_worked_by_hand():
    """The gain of mean absolute and mean squared error, relative to production's."""
    frame = of_numbers((10, 5))
    gates = {gate.gate: gate for gate in sh.gates(frame, parse_contract(contract_of("regression"))).gates}
    errors = [np.abs(frame[f"{model}_prediction"] - frame["label"]) for model in ("production", "shadow")]
    squares = [float(np.square(error).mean()) for error in errors]
    assert f"mae {1 - errors[1].mean() / errors[0].mean():+.1%}" in gates["metric_gain"].reason
    assert gates["metric_gain"].value == pytest.approx(1 - squares[1] / squares[0])
    assert gates["brier_limit"].value == pytest.approx(squares[1] / squares[0] - 1)


def test_classes_are_the_contracts_or_those_that_columns_are_about(tmp_path: Path):
    """A label that the contract doesn't list is at fault; where it lists none it is one that neither model knows."""
    frame = of_classes((0.4, 0.6), 60)
    frame.loc[0, "label"] = "enormous"
    frame.to_csv(tmp_path / "evidence.csv", index=False)
    rows, _ = read_evidence(tmp_path / "evidence.csv", parse_contract(contract_of("multiclass")), START)
    assert rows.labels[0] == 3
    assert rows.production_probability.shape == (60, 3)
    assert rows.production_probability.sum(axis=1) == pytest.approx(1.0, abs=1e-12)
    listed = parse_contract(contract_of("multiclass", 'classes = ["low", "middle", "high"]\n'))
    with pytest.raises(DataInvalid, match="'enormous'"):
        read_evidence(tmp_path / "evidence.csv", listed, START)


def test_rows_without_a_label_count_against_the_coverage():
    """Of numbers, as of classes: three of four labels are missing."""
    frame = of_numbers((10, 5), 4 * ROWS)
    frame["label"] = frame["label"].mask(np.arange(len(frame)) % 4 != 0)
    found = sh.gates(frame, parse_contract(contract_of("regression")))
    assert [gate.gate for gate in found.gates if not gate.passed] == ["label_coverage"]


def test_faults_are_named_with_their_columns():
    """No columns of classes, a text among numbers, probabilities that are none."""
    contract = parse_contract(contract_of("multiclass"))
    frame = of_classes((0.4, 0.6), 60)
    with pytest.raises(DataInvalid, match=r"production_probability\.<class>"):
        sh.gates(frame[["label", "age"]], contract)
    frame["shadow_probability.low"] = 0.9
    frame["shadow_probability.high"] = 0.9
    with pytest.raises(DataInvalid, match=r"shadow: the probabilities of 60 labelled row\(s\) don't add up to 1"):
        sh.gates(frame, contract)
    numbers = of_numbers((10, 5), 60).astype({"shadow_prediction": object})
    numbers.loc[7, "shadow_prediction"] = "many"
    with pytest.raises(DataInvalid, match="shadow_prediction: 1 value"):
        sh.gates(numbers, parse_contract(contract_of("regression")))
