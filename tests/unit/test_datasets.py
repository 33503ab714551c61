"""Files of users: what is read, and every fault at once."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from selfheal.contract import Contract, parse_contract
from selfheal.data.files import load_dataset, read_labelled
from selfheal.data.labels import TargetValues, label_text
from selfheal.errors import DataInvalid

END = datetime(2026, 1, 1, tzinfo=UTC)
CONTRACT = """
[model]
name = "small"
target = "y"
positive_label = "yes"
time_column = "t"
[features.n]
type = "number"
nullable = true
[features.i]
type = "integer"
minimum = 0
maximum = 9
[features.c]
type = "category"
nullable = true
[features.b]
type = "boolean"
"""
HEADER = "extra,t,n,i,c,b,y\n"


@pytest.fixture
def contract() -> Contract:
    return parse_contract(CONTRACT)


def write(folder: Path, text: str) -> Path:
    path = folder / "data.csv"
    path.write_text(text)
    return path


def faults_of(path: Path, contract: Contract) -> tuple[str, ...]:
    with pytest.raises(DataInvalid) as raised:
        load_dataset(path, contract, end=END)
    return raised.value.faults


def test_a_csv_file_becomes_a_dataset_in_time_order(tmp_path: Path, contract: Contract):
    """Types, missing values, zones and the label's values are read as the contract says; other columns are ignored."""
    rows = "?,2026-01-02T00:00:00+01:00,NA,2,NA,true,yes\n?,2025-12-31T00:00:00,0.1,3.0,,0,no\n"
    dataset = load_dataset(write(tmp_path, HEADER + rows), contract, end=END)
    assert list(dataset.row_ids) == ["base-000000001", "base-000000000"]
    assert list(dataset.timestamps.astype(str)) == ["2025-12-31T00:00:00.000000", "2026-01-01T23:00:00.000000"]
    assert dataset.features["n"].tolist() == [0.1, pytest.approx(np.nan, nan_ok=True)]
    assert dataset.features["i"].tolist() == [3.0, 2.0]
    assert dataset.features["c"].tolist() == [None, "NA"]
    assert dataset.features["b"].tolist() == [0.0, 1.0]
    assert dataset.labels.tolist() == [0, 1]


def test_gzip_and_parquet_hold_the_same_rows_as_csv(tmp_path: Path, contract: Contract):
    """The three kinds of file give the same Dataset."""
    text = HEADER + "?,2026-01-01T00:00:00Z,1.5,2,a,1,yes\n?,2026-01-01T00:00:01Z,,4,b,0,no\n"
    (tmp_path / "data.csv.gz").write_bytes(gzip.compress(text.encode()))
    plain = load_dataset(write(tmp_path, text), contract, end=END)
    frame = pd.read_csv(tmp_path / "data.csv", parse_dates=["t"]).astype({"b": bool})
    frame.to_parquet(tmp_path / "data.parquet")
    for name in ("data.csv.gz", "data.parquet"):
        other = load_dataset(tmp_path / name, contract, end=END)
        pd.testing.assert_frame_equal(other.features, plain.features)
        assert (other.timestamps == plain.timestamps).all()
        assert (other.labels == plain.labels).all()


def test_a_file_without_times_is_in_time_order_already(tmp_path: Path, contract: Contract):
    """Its rows count as a second apart and end at the given moment, however many they are."""
    text = "n,i,c,b,y\n" + "1,2,a,1,yes\n" * 12
    dataset = load_dataset(write(tmp_path, text), contract, end=END)
    assert str(dataset.timestamps[-1]) == "2026-01-01T00:00:00.000000"
    assert set(np.diff(dataset.timestamps)) == {np.timedelta64(1, "s")}
    assert list(dataset.row_ids) == sorted(dataset.row_ids)


def test_every_missing_column_is_named(tmp_path: Path, contract: Contract):
    """The target among them."""
    faults = faults_of(write(tmp_path, "t,n,c\n,1,a\n"), contract)
    assert [fault.split("'")[1] for fault in faults] == ["i", "b", "y"]


NO_TIME = "not an ISO 8601 time (such as 2026-01-31T12:00:00 or 2026-01-31)"


@pytest.mark.parametrize(
    ("row", "fault", "first"),
    [
        ("?,2026-01-01,x,2,a,1,no", "n: 1 value(s) not of type number", "the first is 'x' in line 3"),
        ("?,2026-01-01,inf,2,a,1,no", "n: 1 value(s) not finite", "the first is 'inf' in line 3"),
        (
            "?,2026-01-01,1,,a,1,no",
            "i: 1 value(s) missing, and the feature is not nullable",
            "the first in line 3",
        ),
        ("?,2026-01-01,1,2.5,a,1,no", "i: 1 value(s) not whole", "the first is '2.5' in line 3"),
        ("?,2026-01-01,1,-1,a,1,no", "i: 1 value(s) below the minimum 0", "the first is '-1' in line 3"),
        ("?,2026-01-01,1,10,a,1,no", "i: 1 value(s) above the maximum 9", "the first is '10' in line 3"),
        ("?,2026-01-01,1,2,a,maybe,no", "b: 1 value(s) not of type boolean", "the first is 'maybe' in line 3"),
        ("?,yesterday,1,2,a,1,no", f"t: 1 value(s) {NO_TIME}", "the first is 'yesterday' in line 3"),
        (
            "?,01/02/2026,1,2,a,1,no",
            f"t: 1 value(s) {NO_TIME}",
            'the first is \'01/02/2026\' in line 3: set time_format under [file], such as "%d/%m/%Y" or "%m/%d/%Y"',
        ),
        (
            "?,1767225600,1,2,a,1,no",
            f"t: 1 value(s) {NO_TIME}",
            (
                'the first is \'1767225600\' in line 3: set time_format = "epoch_seconds" or "epoch_milliseconds" '
                "under [file]"
            ),
        ),
        (
            '?,2026-01-01,"97,88",2,a,1,no',
            "n: 1 value(s) not of type number",
            "the first is '97,88' in line 3 (where the comma is its decimal sign, set decimal = \",\" under [file])",
        ),
        (
            "?,2026-01-01,9007199254740993,2,a,1,no",
            "n: 1 value(s) beyond 2**53, where numbers lose their last digits: make it a category",
            "the first is '9007199254740993' in line 3",
        ),
    ],
)
def test_a_bad_value_is_one_fault_with_its_line(tmp_path: Path, contract: Contract, row: str, fault: str, first: str):
    """One bad value gives exactly one fault, which says what is wrong, where it first is, and what may help."""
    text = f"{HEADER}?,2026-01-01,1,2,a,1,yes\n{row}\n"
    assert faults_of(write(tmp_path, text), contract) == (f"{fault}; {first}",)


def test_rows_without_a_label_are_left_out_and_counted(tmp_path: Path, contract: Contract):
    """They don't refuse the file, whatever else is wrong with them; the others keep their numbers."""
    text = f"{HEADER}?,2026-01-01,1,2,a,1,yes\n?,2026-01-01,x,2,a,1, \n?,2026-01-02,1,2,a,1,no\n"
    file = read_labelled(write(tmp_path, text), contract, end=END)
    assert list(file.rows.row_ids) == ["base-000000000", "base-000000002"]
    assert file.notes == ("1 of 3 rows have no label and are left out; the first in line 3",)


def test_rows_of_the_future_are_left_out_aloud(tmp_path: Path, contract: Contract):
    """One of the year 9999 would be newer than every row that could ever judge a model that it trained."""
    text = f"{HEADER}?,2025-01-01,1,2,a,1,yes\n?,9999-01-01,1,2,a,1,no\n?,2025-01-02,1,2,a,1,no\n"
    file = read_labelled(write(tmp_path, text), contract, end=END, now=END)
    assert len(file.rows) == 2
    (note,) = file.notes
    assert note == (
        "t: 1 value(s) later than now (2026-01-01 00:00 UTC), and their rows are left out (set zone under [file] where "
        "times are local); the first is '9999-01-01' in line 3"
    )


def test_blanks_around_categories_are_kept_and_told(tmp_path: Path, contract: Contract):
    """A request with the plain value would be another category: the file is not bent, and its owner hears of it."""
    text = f"{HEADER}?,2026-01-01, 1 ,2,red ,1,yes\n?,2026-01-01,1,2,red,1,no\n"
    file = read_labelled(write(tmp_path, text), contract, end=END)
    assert file.rows.features["c"].tolist() == ["red ", "red"]
    assert file.rows.features["n"].tolist() == [1.0, 1.0]
    assert file.notes == (
        "c: 1 value(s) have blanks around them, and are values of their own; the first is 'red ' in line 2",
    )


@pytest.mark.parametrize("name", [" n", "n ", "\u00a0n"])
def test_blanks_around_a_name_are_told(tmp_path: Path, contract: Contract, name: str):
    """The column isn't just missing."""
    path = write(tmp_path, HEADER.replace(",n,", f",{name},"))
    assert faults_of(path, contract)[0].startswith(f"column 'n' is called {name!r} in data.csv, with blanks around it")


def test_all_faults_come_together(tmp_path: Path, contract: Contract):
    """A bad number, a bad boolean and a label with three values are three faults."""
    text = f"{HEADER}?,2026-01-01,x,1,a,2,yes\n?,2026-01-01,1,1,a,1,no\n?,2026-01-01,1,1,a,1,perhaps\n"
    assert [fault.split(":")[0] for fault in faults_of(write(tmp_path, text), contract)] == ["n", "b", "y"]


def test_a_category_outside_its_closed_list_is_a_fault(tmp_path: Path):
    """A contract that lists its categories accepts no other."""
    closed = parse_contract(CONTRACT.replace('type = "category"', 'type = "category"\ncategories = ["a"]'))
    text = f"{HEADER}?,2026-01-01,1,2,a,1,yes\n?,2026-01-01,1,2,b,1,no\n"
    assert "not among the categories" in faults_of(write(tmp_path, text), closed)[0]


@pytest.mark.parametrize(("name", "content"), [("a.png", b"\x89PNG"), ("a.csv.gz", b"x,y"), ("a.parquet", b"PAR1")])
def test_a_file_that_is_not_what_its_name_says_is_one_fault(
    tmp_path: Path, contract: Contract, name: str, content: bytes
):
    """An unreadable file is refused by name, without a stack of errors from below."""
    (tmp_path / name).write_bytes(content)
    assert name in faults_of(tmp_path / name, contract)[0]


ROW = b"?,2026-01-01,1,2,a,1,yes\n"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (HEADER.replace(",", ";").encode(), "data.csv separates its columns by ';', and the contract says ','"),
        (HEADER.replace(",", ";").encode(), 'set separator = ";" under [file] of the contract, or save it with'),
        (HEADER.encode() + ROW + b"?,2026-01-01,1,2,\xe9,1,no\n", "data.csv is not UTF-8 (byte 0xe9 in line 3): save"),
        (HEADER.encode() + ROW + b"?,2026-01-01,1,500,2,a,1,no\n", "1 row(s) can't be read; line 3: 8 cells where the"),
        (HEADER.encode() + ROW + b"1,?,2026-01-01,1,2,a,1,no\n" * 3, "3 row(s) can't be read; line 3: 8 cells where"),
        (HEADER.encode() + ROW + b"?,2026-01-01,1,2,a,1\n", "line 3: 6 cells where the header has 7 names"),
        (HEADER.encode() + b'?,2026-01-01,1,2,"a"b,1,yes\n', "data.csv: line 2 is not CSV"),
        (HEADER.encode() + ROW + b'?,2026-01-01,1,2,"a,1,yes\n', "data.csv: line 3 is not CSV"),
        (HEADER.replace("n,", "n,n,").encode(), "data.csv has 2 columns 'n': give each its own name"),
        (b"", "data.csv is empty"),
        (b"\n\n", "data.csv is empty"),
    ],
)
def test_what_to_do_about_a_file_is_said(tmp_path: Path, contract: Contract, content: bytes, fault: str):
    """Another separator or encoding, rows of another length, open quotes, names twice, nothing at all."""
    (tmp_path / "data.csv").write_bytes(content)
    (said,) = faults_of(tmp_path / "data.csv", contract)
    assert fault in said


def test_a_header_alone_is_a_dataset_without_rows(tmp_path: Path, contract: Contract):
    """What becomes of it is said by whoever needs rows."""
    assert len(load_dataset(write(tmp_path, HEADER), contract, end=END)) == 0


def test_a_file_that_is_not_there_is_a_fault(tmp_path: Path, contract: Contract):
    """A wrong path is told like any other fault."""
    assert "nowhere.csv" in faults_of(tmp_path / "nowhere.csv", contract)[0]


def test_label_values_are_told_in_the_users_terms(tmp_path: Path, contract: Contract):
    """The negative value is the other one of the file."""
    path = write(tmp_path, f"{HEADER}?,2026-01-01,1,1,a,1,yes\n?,2026-01-01,1,1,a,1,never\n")
    file = read_labelled(path, contract, end=END)
    assert file.label_values == TargetValues("yes", "never")


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "1"), (1.0, "1"), ("1.0", "1"), (True, "true"), ("TRUE", "true"), (" yes ", "yes"), ("1e1", "10")],
)
def test_one_label_value_has_one_text(value: object, text: str):
    """However a file writes a value, it is the same label."""
    assert label_text(value) == text


KINDS = '[model]\nname = "kinds"\ntarget = "kind"\ntask = "multiclass"\n[features.x]\ntype = "number"'


@pytest.mark.parametrize(
    ("names", "length", "fault"), [(130, 4, "130 classes are more than 100"), (3, 101, "a class has 101 characters")]
)
def test_classes_that_a_contract_cant_hold_are_told(tmp_path: Path, names: int, length: int, fault: str):
    """Too many of them, or one with a name that is too long, is a fault of the file."""
    rows = "".join(f"{row},{row % names:k>{length}}\n" for row in range(2 * names))
    (found,) = faults_of(write(tmp_path, f"x,kind\n{rows}"), parse_contract(KINDS))
    assert fault in found
