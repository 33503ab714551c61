"""Label files and label values: what is read, and what is refused as a whole."""

import gzip
import io
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet as parquet_files

from selfheal.contract.model import FileSection
from selfheal.errors import UploadTooLarge, UploadUnreadable
from selfheal.files.limits import UPLOAD
from selfheal.files.texts import text_of
from selfheal.labels.files import read_label_file
from selfheal.labels.rows import UploadedRow
from selfheal.labels.text import label_text
from selfheal.labels.values import LabelValues

ID = "01JNKQ2Z7W3F8V5T0C9XG4H6RM-0000"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256))


def rows_of(name: str, body: bytes | str) -> list[UploadedRow]:
    return list(read_label_file(name, io.BytesIO(body if isinstance(body, bytes) else body.encode())))


def parquet(**columns: list) -> bytes:
    buffer = io.BytesIO()
    pd.DataFrame(columns).to_parquet(buffer)
    return buffer.getvalue()


def test_three_formats_give_the_same_rows():
    """A label is the same text, whether it was a number in CSV, JSON or Parquet."""
    csv = rows_of("a.csv", f"\ufeffprediction_id,label,extra\r\n{ID},1,x\r\n{ID},,y\r\n")
    json = rows_of("a.jsonl", f'{{"prediction_id": "{ID}", "label": 1}}\n\n{{"prediction_id": "{ID}", "label": null}}')
    table = rows_of("a.PARQUET", parquet(prediction_id=[ID, ID], label=[1.0, None]))
    assert [(row.prediction_id, row.label) for row in csv] == [(ID, "1"), (ID, "")]
    assert [(r.prediction_id, r.label) for r in json] == [(r.prediction_id, r.label) for r in csv]
    assert [(r.prediction_id, r.label) for r in table] == [(r.prediction_id, r.label) for r in csv]


def test_lines_are_those_of_the_file():
    """The header is line 1; quoted line breaks count; blank JSON lines count."""
    csv = rows_of("a.csv", f'prediction_id,label,source\n{ID},1,"two\nlines"\n{ID},0,\n')
    assert [row.line for row in csv] == [3, 4]
    assert [row.line for row in rows_of("a.jsonl", '{"label": 1}\n\n{"label": 0}\n')] == [1, 3]


def test_parquet_timestamps_keep_their_zone():
    """A moment in a Parquet column is the same moment as its text."""
    moment = datetime(2026, 3, 1, 12, tzinfo=UTC)
    (row,) = rows_of("a.parquet", parquet(prediction_id=[ID], label=[True], label_timestamp=[moment]))
    assert (row.label, datetime.fromisoformat(row.label_timestamp)) == ("true", moment)


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\x85"])
def test_only_a_line_feed_ends_a_json_line(character: str):
    """What separates lines of other texts may stand in a value, and a carriage return between two of them."""
    line = f'{{"prediction_id": "{ID}",\r"label": 1, "source": "a{character}b"}}\r\n'
    (row,) = rows_of("a.jsonl", line)
    assert (row.label, row.source, row.fault) == ("1", f"a{character}b", "")


def many_rows(rows: int, suffix: str) -> bytes:
    table = pd.DataFrame({"prediction_id": [ID], "label": [1]}).iloc[[0] * rows]
    match suffix:
        case "csv":
            return table.to_csv(index=False).encode()
        case "jsonl":
            return table.to_json(orient="records", lines=True).encode()
        case _:
            return table.to_parquet()


@pytest.mark.parametrize("suffix", ["csv", pytest.param("jsonl", marks=pytest.mark.slow), "parquet"])
def test_a_file_has_a_limit_of_rows(suffix: str):
    """As many as are allowed are read; one more refuses the file, with what to do."""
    name = f"a.{suffix}"
    assert sum(1 for _ in read_label_file(name, io.BytesIO(many_rows(UPLOAD.rows, suffix)))) == UPLOAD.rows
    with pytest.raises(UploadTooLarge, match="split it"):
        sum(1 for _ in read_label_file(name, io.BytesIO(many_rows(UPLOAD.rows + 1, suffix))))


def test_a_file_on_one_line_is_not_parsed():
    """An array in place of lines is one fault that says so, however large the file is."""
    (row,) = rows_of("a.json", f"[{', '.join(['{}'] * 50_000)}]")
    assert "give each row its own" in row.fault


def arrow(**columns: pa.Array) -> bytes:
    buffer = io.BytesIO()
    parquet_files.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "times",
    [
        pa.array([0, 2**62, 0], pa.timestamp("us")),
        pa.array([0, 253402300800, 0], pa.timestamp("s")),
        pa.array([0, 2**30, 0], pa.date32()),
    ],
)
def test_a_parquet_time_that_no_calendar_knows_is_a_fault_of_its_row(times: pa.Array):
    """The rows around it are read, each under its own number."""
    found = rows_of("a.parquet", arrow(prediction_id=[ID] * 3, label=[1, 1, 0], label_timestamp=times))
    assert [(row.line, row.label, bool(row.fault)) for row in found] == [
        (1, "1", False),
        (2, "", True),
        (3, "0", False),
    ]


def test_parquet_text_in_another_encoding_is_a_fault_of_its_row():
    """Bytes that claim to be text and aren't refuse one row."""
    offsets, text = pa.py_buffer(np.array([0, 2, 4], dtype=np.int32)), pa.py_buffer(b"\xff\xfeok")
    ids = pa.Array.from_buffers(pa.string(), 2, [None, offsets, text])
    assert [bool(row.fault) for row in rows_of("a.parquet", arrow(prediction_id=ids, label=[1, 1]))] == [True, False]


def test_a_parquet_time_is_read_in_utc_whatever_its_zone_is_called():
    """Arrow counts from 1970 in UTC; the zone only says how to show it."""
    times = pa.array([0, 1], pa.timestamp("s", tz="Nowhere/Bad"))
    found = rows_of("a.parquet", arrow(prediction_id=[ID] * 2, label=[1, 1], label_timestamp=times))
    assert [row.label_timestamp for row in found] == [
        "1970-01-01T00:00:00.000000+00:00",
        "1970-01-01T00:00:01.000000+00:00",
    ]


@pytest.mark.parametrize("row", [f"{ID},desk 5, 0,1", f"{ID},1", f"7,{ID},desk,1"])
def test_a_row_with_another_number_of_cells_than_the_header_is_refused_with_its_line(row: str):
    """A comma in a name would move the label into another column, and the label would be another one."""
    found = rows_of("a.csv", f"prediction_id,source,label\n{ID},desk 5,1\n{row}\n{ID},desk 5,0\n")
    assert [(row.line, row.label, bool(row.fault)) for row in found] == [
        (2, "1", False),
        (3, "", True),
        (4, "0", False),
    ]
    assert f"{row.count(',') + 1} cells where the header has 3 names" in found[1].fault


def test_a_json_line_that_says_the_label_twice_is_refused():
    """Which of the two holds nobody knows."""
    found = rows_of("a.jsonl", f'{{"prediction_id": "{ID}", "label": 0, "label": 1}}\n{{"label": 1}}\n')
    assert [(row.label, "'label' is there twice" in row.fault) for row in found] == [("", True), ("1", False)]


@pytest.mark.parametrize(("separator", "name"), [(";", "a.csv"), ("\t", "a.TSV"), ("|", "a.txt"), (",", "a.csv.gz")])
def test_separators_and_compression_of_label_files_are_told_by_the_files(separator: str, name: str):
    """Its own names show how the header is to be split, and its first bytes that it is compressed."""
    body = f"prediction_id,source,label\n{ID},desk,1\n".replace(",", separator).encode()
    (row,) = rows_of(name, gzip.compress(body) if name.endswith("gz") else body)
    assert (row.line, row.prediction_id, row.label, row.source) == (2, ID, "1", "desk")


def test_the_contract_says_how_labels_and_times_are_written():
    """Decimal commas, a local zone and its own order of day and month, in an encoding that isn't UTF-8."""
    spec = FileSection(decimal=",", encoding="cp1252", time_format="%d/%m/%Y %H:%M", zone="Europe/Berlin")
    text = f"prediction_id;label;label_timestamp;source\n{ID};1,0;02/07/2026 12:00;São\n{ID};0;2026-07-02;\n"
    first, second = read_label_file("a.csv", io.BytesIO(text.encode("cp1252")), spec)
    assert (first.label, first.label_timestamp, first.source) == ("1.0", "2026-07-02T10:00:00.000000+00:00", "São")
    assert second.label_timestamp == "2026-07-02"


def test_a_cell_that_is_longer_than_any_id_is_a_fault_of_its_row_and_cut():
    """Refused rows are written down: 200,000 long texts, which take no room in Parquet, would fill the disk."""
    long = pa.DictionaryArray.from_arrays(pa.array([0] * 1_000, pa.int32()), pa.array(["a" * 1_000_000]))
    found = rows_of("a.parquet", arrow(prediction_id=long, label=[1] * 1_000))
    assert {(len(row.prediction_id), row.fault) for row in found} == {
        (1_000, "a value is longer than 1,000 characters")
    }


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("labels.png", PNG, "ends with none of what is read"),
        ("labels", b"", "ends with none of what is read"),
        ("labels.csv", PNG, "is no text"),
        ("labels.jsonl", PNG, "is no text"),
        ("labels.parquet", PNG, "it is no Parquet file"),
        ("labels.parquet", b"", "it is no Parquet file"),
        ("labels.csv", b"", "is empty"),
        ("labels.csv", b"id,label\n1,1\n", "prediction_id"),
        ("labels.csv", b"prediction_id,label,label\n1,1,0\n", "label more than once"),
        ("labels.csv", b'prediction_id,label\n"1"x,1\n', "not CSV"),
        ("labels.parquet", parquet(prediction_id=[ID]), "lacks the column(s) label"),
        ("labels.parquet", parquet(prediction_id=[[ID]], label=[1]), "column 'prediction_id' holds no single values"),
        ("labels.csv", b"prediction_id,label" + b",a" * 60_000, "a row has more than 100,000 characters"),
        ("labels.csv", b"prediction_id,label" + b",a" * 2_000, "2,002 columns, more than 1,000"),
        ("labels.csv.gz", gzip.compress(b"prediction_id,label\n" + b"\n" * 300_000), "more than 200,000 rows"),
        ("labels.gz", gzip.compress(b"prediction_id,label\n"), "ends with none of what is read"),
        ("labels.csv.gz", gzip.compress(gzip.compress(b"prediction_id,label\n")), "compressed twice"),
        ("labels.csv.gz", gzip.compress(b"prediction_id,label\nx,1\n")[:-9], "can't be unfolded"),
    ],
)
def test_what_is_not_a_label_file_is_refused_with_a_reason(name: str, body: bytes, reason: str):
    """An unreadable file is refused whole; the message says why."""
    with pytest.raises(UploadUnreadable, match=reason.replace("(", r"\(").replace(")", r"\)")):
        rows_of(name, body)


def test_a_bad_json_line_is_a_fault_of_that_row():
    """The other lines of the file are read."""
    found = rows_of("a.jsonl", '{"prediction_id": "x", "label": 1}\n{oops\n[1]\n')
    assert [bool(row.fault) for row in found] == [False, True, True]


@pytest.mark.parametrize(("text", "label"), [("1", 1), ("1.0", 1), ("1e0", 1), (" TRUE ", 1), ("0", 0), ("False", 0)])
def test_common_values(text: str, label: int):
    """0 and 1 and true and false are understood in any spelling."""
    assert LabelValues().of(text) == label


@pytest.mark.parametrize("text", ["2", "", "nan", "1_0", "\u0661"])
def test_what_is_no_value_is_none(text: str):
    """Neither another number nor what Python alone would take for one is a label."""
    assert LabelValues().of(text) is None


def test_own_values_are_understood_beside_the_common_ones():
    """The values of the user's training data work, in any case."""
    values = LabelValues({"Charged Off": 1, "Fully Paid": 0})
    assert [values.of(text) for text in ("charged off", "Fully Paid", "1", "default")] == [1, 0, 1, None]


def test_own_values_that_differ_in_case_alone_are_told_apart():
    """Where the two values are Yes and YES each is itself, and any other spelling is a doubt, so nothing."""
    values = LabelValues({"Yes": 1, "YES": 0})
    assert [values.of(text) for text in ("Yes", "YES", "yes")] == [1, 0, None]


@given(st.one_of(st.text(max_size=12), st.floats().map(str), st.integers().map(str)))
def test_a_label_is_read_as_training_reads_it(text: str):
    """Whatever a value is called, labels and training data have one text for it."""
    name = label_text(text)
    assert LabelValues({name: 1, f"not {name}": 0}).of(text) == 1


def test_own_values_that_contradict_the_common_ones_stand_alone():
    """Where the user's positive value is 0, a 0 is positive and "true" is nothing."""
    swapped = LabelValues({"0": 1, "1": 0})
    assert [swapped.of(text) for text in ("0", "1", "true")] == [1, 0, None]
    shifted = LabelValues({"2": 1, "1": 0})
    assert [shifted.of(text) for text in ("2.0", "1", "0")] == [1, 0, None]


@pytest.mark.parametrize(("value", "text"), [(1.0, "1"), (0.5, "0.5"), (True, "true"), (float("nan"), ""), (None, "")])
def test_cells_become_text(value: object, text: str):
    """Whole floats lose their decimals, missing values are empty."""
    assert text_of(value) == text
