"""Label files and label values: what is read, and what is refused as a whole."""

import io
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet as parquet_files

from selfheal.errors import UploadUnreadable
from selfheal.labels.files import MAXIMUM_ROWS, read_label_file
from selfheal.labels.rows import UploadedRow
from selfheal.labels.values import LabelValues, text_of

ID = "01JNKQ2Z7W3F8V5T0C9XG4H6RM-0000"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256))


def rows_of(name: str, body: bytes | str) -> list[UploadedRow]:
    return list(read_label_file(name, body if isinstance(body, bytes) else body.encode()))


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


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_a_file_has_a_limit_of_rows(suffix: str):
    """As many as are allowed are read; one more refuses the file, with what to do."""
    name = f"a.{suffix}"
    assert sum(1 for _ in read_label_file(name, many_rows(MAXIMUM_ROWS, suffix))) == MAXIMUM_ROWS
    with pytest.raises(UploadUnreadable, match="split it and upload the parts"):
        sum(1 for _ in read_label_file(name, many_rows(MAXIMUM_ROWS + 1, suffix)))


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


def test_a_parquet_zone_that_nobody_knows_is_a_fault_of_every_row():
    """Times of no known zone are no times."""
    times = pa.array([0, 1], pa.timestamp("s", tz="Nowhere/Bad"))
    found = rows_of("a.parquet", arrow(prediction_id=[ID] * 2, label=[1, 1], label_timestamp=times))
    assert [bool(row.fault) for row in found] == [True, True]


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("labels.png", PNG, "ends with one of"),
        ("labels", b"", "ends with one of"),
        ("labels.csv", PNG, "UTF-8"),
        ("labels.jsonl", PNG, "UTF-8"),
        ("labels.parquet", PNG, "not Parquet"),
        ("labels.parquet", b"", "not Parquet"),
        ("labels.csv", b"", "prediction_id, label"),
        ("labels.csv", b"id,label\n1,1\n", "prediction_id"),
        ("labels.csv", b"prediction_id,label,label\n1,1,0\n", "label more than once"),
        ("labels.csv", b'prediction_id,label\n"1"x,1\n', "not CSV"),
        ("labels.parquet", parquet(prediction_id=[ID]), "lacks the column(s) label"),
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


@pytest.mark.parametrize(
    ("text", "label"),
    [("1", 1), ("1.0", 1), (" TRUE ", 1), ("0", 0), ("False", 0), ("2", None), ("", None), ("nan", None)],
)
def test_common_values(text: str, label: int | None):
    """0 and 1 and true and false are understood in any spelling."""
    assert LabelValues().of(text) == label


def test_own_values_are_understood_beside_the_common_ones():
    """The values of the user's training data work, in any case."""
    values = LabelValues({"Charged Off": 1, "Fully Paid": 0})
    assert [values.of(text) for text in ("charged off", "Fully Paid", "1", "default")] == [1, 0, 1, None]


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
