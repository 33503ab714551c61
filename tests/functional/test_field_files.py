"""Files of people who do this job, as their owners keep them, with the right outcome of each."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from selfheal.contract import parse_contract
from selfheal.contract.request import RowModel
from selfheal.data.files import LabelledFile, read_labelled
from selfheal.labels.files import read_label_file
from selfheal_tools.backtest.records import Settings
from selfheal_tools.backtest.run import backtest
from selfheal_tools.cli.app import app

FIELD = Path(__file__).parents[3] / "shared" / "field"
NOW = datetime(2026, 11, 28, tzinfo=UTC)
pytestmark = pytest.mark.skipif(not FIELD.exists(), reason="the shared field files aren't here")


def selfheal(*arguments: object) -> Result:
    paths = [str(FIELD / part) if "/" in str(part) else str(part) for part in arguments]
    return CliRunner().invoke(app, paths, env={"COLUMNS": "400"})


def said(result: Result) -> str:
    """All that a user reads of it."""
    return f"{result.output}\n{result.exception or ''}"


def rows_of(contract: str, data: str) -> LabelledFile:
    parsed = parse_contract((FIELD / contract).read_text(encoding="utf-8"))
    return read_labelled(FIELD / data, parsed, end=NOW, now=NOW)


@pytest.mark.parametrize(
    "arguments",
    [
        ["bootstrap", "--data", "european-csv/semicolon.csv"],
        ["backtest", "--data", "european-csv/semicolon.csv"],
        ["drift", "--reference", "european-csv/reference.csv", "--current", "european-csv/semicolon.csv"],
        ["drift", "--reference", "european-csv/semicolon.csv", "--current", "european-csv/reference.csv"],
        ["gates", "--evidence", "european-csv/semicolon.csv"],
    ],
)
def test_semicolons_are_named_by_every_command(arguments: list[str]):
    """With what to write into the contract."""
    result = selfheal(*arguments, "--contract", "european-csv/contract.toml")
    assert result.exit_code == 1
    assert "separates its columns by ';'" in said(result)
    assert 'separator = ";"' in said(result)


def test_a_fault_of_the_reference_is_told_and_is_no_drift():
    """Decimal commas in the reference: a broken pipeline, as they would be in the current file."""
    result = selfheal(
        *("drift", "--contract", "european-csv/contract.toml"),
        *("--reference", "european-csv/reference_decimal_comma.csv", "--current", "european-csv/reference.csv"),
    )
    assert result.exit_code == 5
    assert "amount is not of type number in 2000 rows of reference_decimal_comma.csv, first in line 2" in said(result)
    assert "│ amount" not in result.output


def test_a_european_excel_export_gives_a_contract_that_reads_it():
    """Semicolons and Latin-1 are declared, and the text has its accents."""
    result = selfheal("contract", "infer", "excel-of-europe/excel_eu.csv", "--target", "No_show")
    contract = parse_contract(result.stdout)
    assert (contract.file.separator, contract.file.encoding) == (";", "latin-1")
    assert "São" in result.stdout
    file = read_labelled(FIELD / "excel-of-europe/excel_eu.csv", contract, end=NOW)
    assert len(file.rows) == 300


@pytest.mark.parametrize("contract", ["contract.toml", "contract_closed.toml"])
def test_integer_codes_with_gaps_are_the_texts_that_they_are_without(contract: str):
    """1 to 4, and nothing where the file has nothing."""
    full, gaps = (
        rows_of(f"integer-codes-with-gaps/{contract}", f"integer-codes-with-gaps/train_{kind}.parquet")
        for kind in ("full", "gaps")
    )
    assert {*full.rows.features["plan_code"]} == {"1", "2", "3", "4"}
    assert {*gaps.rows.features["plan_code"]} == {"1", "2", "3", "4", None}


def test_a_label_row_with_an_extra_cell_is_refused():
    """Lines 3 and 4 hold 1, not 0."""
    with (FIELD / "label-rows-with-an-extra-cell/labels.csv").open("rb") as file:
        rows = list(read_label_file("labels.csv", file))
    assert [(row.line, row.label) for row in rows] == [(2, "1"), (3, ""), (4, "")]
    assert all("4 cells where the header has 3 names" in row.fault for row in rows[1:])


@pytest.mark.parametrize("name", ["hidden", "hidden_noam"])
def test_a_segment_called_na_is_harmed_as_any_other(name: str):
    """North America is no missing value."""
    result = selfheal(
        "gates",
        "--contract",
        "na-segment-in-gates/contract2.toml",
        "--evidence",
        f"na-segment-in-gates/evidence_{name}.csv",
    )
    assert result.exit_code == 3
    region = "NOAM" if name == "hidden_noam" else "NA"
    assert f"namely: region {region} reject" in result.output.replace("\n", " ")


def test_row_names_without_a_header_are_refused_with_the_line():
    """Every command would have read the table shifted by one column."""
    result = selfheal(
        "backtest",
        "--contract",
        "row-names-without-a-header/contract.toml",
        "--data",
        "row-names-without-a-header/rownames.csv",
    )
    assert "line 2: 5 cells where the header has 4 names (row names in front" in said(result)
    assert rows_of("row-names-without-a-header/contract.toml", "row-names-without-a-header/clean.csv").notes == ()


def test_blanks_among_numbers_are_missing_numbers_in_csv_and_parquet():
    """The same contract from both."""
    drafts = [
        parse_contract(
            selfheal("contract", "infer", f"blanks-among-numbers/blank_numbers.{kind}", "--target", "Churn").stdout
        )
        for kind in ("csv", "parquet")
    ]
    assert drafts[0] == drafts[1]
    assert (drafts[0].features["TotalCharges"].type, drafts[0].features["TotalCharges"].nullable) == ("number", True)


def test_boolean_words_are_a_category_whatever_else_the_file_holds():
    """The rare third value is missing from the current file: still the same texts, and no drift."""
    result = selfheal(
        *("drift", "--contract", "boolean-words-in-a-category/contract.toml"),
        *("--reference", "boolean-words-in-a-category/reference.csv"),
        *("--current", "boolean-words-in-a-category/current_no_unknown.csv"),
    )
    assert result.exit_code == 0
    assert result.output.startswith("No drift")


def test_a_row_of_the_year_9999_is_left_out_aloud():
    """The others are read, and the file says where it is."""
    file = rows_of("a-row-of-the-year-9999/contract.toml", "a-row-of-the-year-9999/one_row_9999.csv")
    assert len(file.rows) == 2999
    assert file.rows.timestamps.max() < np.datetime64(NOW.replace(tzinfo=None), "us")
    (note,) = file.notes
    assert "1 value(s) later than now" in note
    assert "'9999-12-31T00:00:00' in line 3001" in note


def test_a_blank_cell_and_an_empty_text_in_a_request_are_the_same_thing():
    """Both missing, as null is."""
    contract = parse_contract((FIELD / "empty-string-in-a-request/contract.toml").read_text(encoding="utf-8"))
    file = read_labelled(FIELD / "empty-string-in-a-request/data.csv", contract, end=NOW)
    channels = file.rows.features["channel"]
    assert None in set(channels)
    assert "" not in set(channels)
    row_model = RowModel(contract)
    asked = [json.dumps({"amount": 1.5, "channel": channel}).encode() for channel in ("", None)]
    assert [row_model.parse(body).values[0]["channel"] for body in asked] == [None, None]


def test_brackets_in_the_names_of_a_file_end_nothing():
    """Names keep their units, and the harmed group is named."""
    files = [f"brackets-in-names/{name}" for name in ("contract.toml", "reference.csv", "current_shift.csv")]
    drift = selfheal("drift", "--contract", files[0], "--reference", files[1], "--current", files[2])
    assert drift.exit_code == 3
    assert all(name in drift.output for name in ("temp [degC]", "price [eur]", "rent [/month]", "Power [kW]"))
    evidence = "brackets-in-names/evidence_harmed.csv"
    gates = selfheal("gates", "--contract", "brackets-in-names/cg.toml", "--evidence", evidence)
    assert gates.exit_code == 3
    assert gates.output.endswith("reject\n")
    assert "[/mo]" in gates.output


def test_an_alarm_forgets_nothing_between_rare_looks():
    """Six looks over twenty days: trials start, where each look counted labels anew and none ever did."""
    contract = parse_contract((FIELD / "an-alarm-that-forgets/lapse.toml").read_text(encoding="utf-8"))
    rows = read_labelled(FIELD / "an-alarm-that-forgets/lapse.csv", contract, end=NOW).rows
    settings = Settings(periods=6, initial=0.2, label_delay=0, label_rate=1.0, seed=0, runs_per_period=1, overrides={})
    found = backtest(rows, contract, dataset="lapse", settings=settings, policies=("healed", "frozen"))
    assert found.policies["healed"].retrainings >= 1
