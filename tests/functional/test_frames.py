"""The functions for notebooks and scripts: data frames of every kind in, what the commands say of files out."""

import html
import json
import subprocess
import sys
from datetime import UTC, datetime

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from typer.testing import CliRunner

import selfheal as sh
from selfheal.contract import parse_contract
from selfheal.data.files import load_dataset, read_labelled
from selfheal.drift import Reference
from selfheal.errors import DataInvalid, DraftImpossible, FileUnreadable
from selfheal.files.in_memory import InMemory
from selfheal.models.native import load_artefact
from selfheal.models.native.export.proof import export
from selfheal.training import train
from selfheal_tools.backtest.errors import BacktestImpossible
from selfheal_tools.cli.app import app

ROWS = 1500
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def customers(seed: int = 0, shift: float = 0.0) -> pd.DataFrame:
    """Made-up customers: a number, a whole number with gaps, a category that looks like numbers, a truth value."""
    rng = np.random.default_rng(seed)
    visits = pd.Series(rng.integers(0, 9, ROWS)).astype("Int64").mask(rng.random(ROWS) < 0.1)
    return pd.DataFrame(
        {
            "income": rng.normal(shift, 1, ROWS),
            "visits": visits,
            "code": rng.choice(["01", "1", "NA"], ROWS),
            "member": rng.random(ROWS) < 0.4,
        }
    )


def labelled(seed: int = 0) -> pd.DataFrame:
    frame = customers(seed)
    chance = 1 / (1 + np.exp(-2 * frame["income"]))
    return frame.assign(left=np.where(np.random.default_rng(seed + 1).random(ROWS) < chance, "yes", "no"))


def evidence(gain: float) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    label = rng.integers(0, 2, 800)
    noise = rng.normal(0, 0.15, 800)
    said = np.clip(0.5 + 0.2 * (label - 0.5) + noise, 0.01, 0.99)
    better = np.clip(0.5 + (0.2 + gain) * (label - 0.5) + noise, 0.01, 0.99)
    return pd.DataFrame({"label": label, "production_probability": said, "shadow_probability": better})


KINDS = {
    "pandas": lambda frame: frame,
    "polars": pl.from_pandas,
    "arrow": lambda frame: pa.Table.from_pandas(frame, preserve_index=False),
    "duckdb": duckdb.from_df,
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_data_frame_of_any_kind_is_judged_as_its_file_is(kind, tmp_path):
    """The command on Parquet files and the function on frames say the same of each feature, under one contract."""
    before, after = customers(), customers(1, shift=0.5)
    contract = tmp_path / "contract.toml"
    contract.write_text(sh.infer(labelled(), target="left").text, encoding="utf-8")
    for name, frame in (("before", before), ("after", after)):
        frame.to_parquet(tmp_path / f"{name}.parquet")
    paths = {"--reference": "before.parquet", "--current": "after.parquet", "--json": "found.json"}
    given = [part for option, name in paths.items() for part in (option, str(tmp_path / name))]
    assert CliRunner().invoke(app, ["drift", "--contract", str(contract), *given]).exit_code == 3
    said = json.loads((tmp_path / "found.json").read_text())
    found = sh.drift(KINDS[kind](before), KINDS[kind](after), contract)
    assert found.verdict == said["verdict"]
    assert found.to_frame()["p_value"].to_dict() == {one["feature"]: one["p_value"] for one in said["features"]}


def test_without_a_contract_every_column_that_says_something_is_compared():
    """Numbers and categories are features, row numbers aren't, and a shift of one is found in that one."""
    before, after = (customers(seed, shift).assign(row=np.arange(ROWS)) for seed, shift in ((0, 0.0), (1, 0.6)))
    found = sh.drift(before, after)
    assert found.contract.feature_names == ("income", "visits", "code", "member")
    assert found.to_frame().query("drift_detected").index.tolist() == ["income"]
    assert {"p_value", "effect_size", "drift_score"} <= set(found.to_frame().columns)


def test_the_same_rows_have_not_drifted():
    """A table against itself is calm, and its page says so."""
    found = sh.drift(customers(), customers())
    assert found.verdict == "no_drift"
    assert found.sentence in found.to_html()
    assert found._repr_html_().startswith("<iframe srcdoc=")


def test_texts_of_a_data_frame_never_become_markup():
    """The page in a notebook holds column names as text."""
    frames = [customers(seed).rename(columns={"income": "<script>alert(1)</script>"}) for seed in (0, 1)]
    assert "<script>alert" not in sh.drift(*frames).to_html()
    assert "<script>alert" not in sh.infer(labelled().rename(columns={"code": "<script>"}), target="left")._repr_html_()


def test_evidence_in_a_frame_is_judged_by_the_gates_of_a_healing():
    """A clear gain is promoted, none is rejected, and each gate has its row."""
    promoted, rejected = sh.gates(evidence(0.5)), sh.gates(evidence(0.0))
    assert (promoted.verdict, rejected.verdict) == ("promote", "reject")
    assert not rejected.to_frame().loc["metric_gain", "passed"]
    assert "metric_gain" in repr(rejected)
    assert "<strong>promote</strong>" in promoted._repr_html_()


def test_evidence_without_a_column_is_refused_by_name():
    """The message names what is missing."""
    with pytest.raises(DataInvalid, match="shadow_probability"):
        sh.gates(evidence(0.1).drop(columns="shadow_probability"))


def test_a_contract_is_drafted_from_a_frame_as_from_its_file(tmp_path):
    """The features are the same; the text is a contract that files are read by."""
    frame = labelled()
    frame.to_parquet(tmp_path / "customers.parquet")
    found, of_file = sh.infer(frame, target="left"), sh.infer(tmp_path / "customers.parquet", target="left")
    assert found.contract.features == of_file.contract.features
    assert found.to_frame()["type"].to_dict() == {
        "income": "number",
        "visits": "integer",
        "code": "category",
        "member": "boolean",
    }


def test_a_column_of_several_types_is_what_its_values_are():
    """Python's own values in one column: numbers and texts together are texts, and text is never missing."""
    mixed = pd.DataFrame({"mixed": [1, "one", 1.0, None, "NA"] * 100, "left": ["a", "b", "a", "b", "a"] * 100})
    (feature,) = sh.infer(mixed, target="left").contract.features.values()
    assert feature.type == "category"
    assert set(feature.categories) == {"1", "one", "NA"}


def test_a_loaded_version_answers_frames_as_it_answers_requests(tmp_path):
    """The bits are those of the row evaluation, in the frame's order and under its index."""
    contract = sh.infer(labelled(), target="left").contract
    rows = load_dataset(InMemory("rows", pa.Table.from_pandas(labelled())), contract, end=NOW)
    payload = export(train(rows, contract, seed=0).fitted, rows.features, contract)
    (tmp_path / "model.json").write_bytes(payload)
    asked = customers(5).iloc[:7].set_index(pd.Index(list("abcdefg")))
    answers = sh.load(tmp_path / "model.json").predict(asked)
    whole = asked.astype(object).where(asked.notna(), None).to_dict("records")
    assert answers["probability"].tolist() == load_artefact(payload).probabilities(whole)
    assert answers.index.tolist() == list("abcdefg")
    with pytest.raises(DataInvalid, match="income"):
        sh.load(tmp_path / "model.json").predict(asked.assign(income="much"))


@pytest.mark.parametrize("kind", ["multiclass", "regression"])
def test_a_loaded_version_of_another_kind_answers_in_its_terms(kind, tmp_path):
    """The likeliest class by its position with its probability; or the number alone."""
    contract = parse_contract(f'[model]\nname = "kinds"\ntarget = "y"\ntask = "{kind}"\n[features.x]\ntype = "number"')
    x = np.random.default_rng(2).normal(size=ROWS)
    y = np.array(["a", "b", "c"])[np.digitize(x, [-0.5, 0.5])] if kind == "multiclass" else 3 * x
    file = InMemory("rows", pa.table({"x": x, "y": y}))
    read = read_labelled(file, contract, end=NOW)
    contract = contract.with_classes(read.label_values.classes) if kind == "multiclass" else contract
    payload = export(train(read.rows, contract, seed=0).fitted, read.rows.features, contract)
    (tmp_path / "model.json").write_bytes(payload)
    answers = sh.load(tmp_path / "model.json").predict(pd.DataFrame({"x": [-2.0, 0.0, 2.0]}))
    if kind == "multiclass":
        assert answers["prediction"].tolist() == [0, 1, 2]
        assert answers["probability"].min() > 0.5
    else:
        assert answers["prediction"].tolist() == pytest.approx([-6, 0, 6], abs=1.5)
        assert "probability" not in answers


def test_a_frame_that_has_the_interchange_protocol_alone_is_read():
    """The oldest of the protocols that libraries share frames by."""

    class Exchanged:
        def __init__(self):
            self.table = pa.table({"income": customers()["income"]})

        def __dataframe__(self, **asked):
            return self.table.__dataframe__(**asked)

    assert sh.drift(Exchanged(), customers()[["income"]]).verdict == "no_drift"


def test_a_backtest_of_a_frame_compares_policies():
    """One row a policy, one a policy and period, and the verdict of the page."""
    found = sh.backtest(labelled(), target="left", periods=2, policies=["frozen", "always"])
    assert found.to_frame().index.tolist() == ["frozen", "always"]
    assert len(found.per_period()) == 4
    assert found.to_frame().loc["frozen", "promotions"] == 0
    assert found.verdict.split(".", maxsplit=1)[0] in html.unescape(found.to_html())


def test_what_is_missing_is_asked_for():
    """Nothing says what is predicted; what is given is no table; no column can be compared."""
    with pytest.raises(BacktestImpossible, match="target="):
        sh.backtest(labelled())
    with pytest.raises(FileUnreadable, match="dict, not a table"):
        sh.drift({"a": 1}, customers())
    with pytest.raises(DraftImpossible, match="no column"):
        sh.drift(pd.DataFrame({"row": np.arange(300)}), customers())


def test_functions_stay_functions_whatever_was_imported():
    """`selfheal.drift` and `selfheal.gates` are packages as well; the name of the package is the function."""
    assert Reference.__module__ == "selfheal.drift.reference"
    assert callable(sh.drift)
    assert callable(sh.gates)
    assert {"drift", "gates", "infer", "load", "backtest"} <= set(dir(sh))
    with pytest.raises(AttributeError, match="selfheal"):
        sh.nothing_of_the_kind  # noqa: B018 - it is asked for


def test_importing_the_package_imports_nothing_heavy():
    """A function that starts pays for no pandas, and a script without the operator's tools can import it."""
    program = "import selfheal, sys; print({'pandas', 'sklearn', 'selfheal_tools', 'pyarrow'} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert said.strip() == "set()"
