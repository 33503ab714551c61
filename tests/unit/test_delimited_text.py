"""Text with separators: read line by line or all at once, the rows are those of Python's reader of CSV."""

import csv
import io
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from selfheal.contract.model import FileSection
from selfheal.errors import FileUnreadable
from selfheal.files.chunks import CHUNK, whole_lines
from selfheal.files.limits import LOCAL
from selfheal.files.plain_rows import LONGEST_CELL, plain_columns
from selfheal.files.source import BATCH_ROWS
from selfheal.files.table import source_of, table_of

TEXTS = st.lists(
    st.sampled_from(["a", "é", "\U0001f600", "\0", "\x85", " ", ",", ",", ";", "\n", "\n", "\r\n", "\r", '"', "\ud800"])
).map("".join)


def rows_of(text: str) -> list[list[str]]:
    return [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]


@given(text=TEXTS, width=st.integers(1, 3))
@example("a,b\r\nc,d", 2)
@example(",\n,\n", 2)
def test_plain_lines_are_what_the_reader_of_csv_makes_of_them(text: str, width: int):
    """Where lines are told apart all at once, they have the cells that they have one by one."""
    columns = plain_columns(text, ",", width, range(width), longest=1_000)
    if columns is not None:
        assert [list(row) for row in zip(*(column.to_pylist() for column in columns), strict=True)] == rows_of(text)


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_plain_table_is_told_apart_all_at_once(ends: str):
    """The wanted columns, in the order in which they are wanted."""
    text = ends.join(["1,ä,", "2,,x", ",b,y"])
    third, second = plain_columns(text, ",", 3, [2, 1], longest=1_000) or []
    assert (third.to_pylist(), second.to_pylist()) == (["", "x", "y"], ["ä", "", "b"])


@pytest.mark.parametrize(
    "text",
    ["a,b\n\nc,d\n", "a,b\nc\n", "a,b,c\nd\n", 'a,"b"\n', "a,b\rc,d\n", "a,\udce9\n", f"a,{'b' * LONGEST_CELL}b\n"],
)
def test_what_has_to_be_looked_at_is_left_to_the_reader_of_csv(text: str):
    """Empty lines, other numbers of cells, quotes, lone carriage returns, bytes of no character, cells too long."""
    assert plain_columns(text, ",", 2, [0, 1], longest=10**6) is None


@settings(max_examples=10)
@given(pieces=st.lists(st.sampled_from(["a", "\n", "\r", "\r\n", "b" * 5]), min_size=1, max_size=40).map("".join))
def test_chunks_hold_whole_lines(pieces: str):
    """Nothing is lost, and no chunk but the last ends within a line."""
    text = pieces * (2 * CHUNK // len(pieces))
    chunks = list(whole_lines("a.csv", io.StringIO(text, newline=""), "utf-8", longest=10**9))
    assert "".join(chunks) == text
    assert all(chunk.endswith(("\n", "\r")) for chunk in chunks[:-1])
    assert not any(one.endswith("\r") and other.startswith("\n") for one, other in pairwise(chunks))


@pytest.mark.parametrize("quoted", ["", '"', '"\n"', '"\r\n\r\n"'])
def test_rows_across_chunks_have_their_cells_and_lines(quoted: str):
    """Plain chunks beside those with line ends in quotes, of which one begins where a chunk ends."""
    cell = f'"x{quoted[1:-1]}y"' if quoted else "xy"
    plain = "".join(f"{row},plain\n" for row in range(CHUNK // 8))
    filler = "".join(f"{'z' * 900},\n" for _ in range((CHUNK - len(f"a,b\n{plain}") % CHUNK) // 902))
    text = f"{plain}{filler}{'z' * 900},{cell}\n{plain}"
    source = source_of("a.csv", io.BytesIO(f"a,b\n{text}".encode()), FileSection(), LOCAL)
    table = table_of(source, FileSection(), ["b", "a"])
    expected = rows_of(text)
    assert list(zip(table.columns["a"].to_pylist(), table.columns["b"].to_pylist(), strict=True)) == [
        tuple(row) for row in expected
    ]
    assert table.lines[-1] == 1 + len(text.splitlines())
    assert table.lines[0] == 2


@pytest.mark.parametrize("is_one_line", [True, False])
def test_a_row_that_does_not_end_is_refused_before_it_is_read_whole(*, is_one_line: bool):
    """The limit holds for a row without a line end, and for one of many lines."""
    body = "a,b\n" + ("x" * 3_000_000 if is_one_line else ('"' + "x\n" * 50_000 + '",') * 100)
    source = source_of("a.csv", io.BytesIO(body.encode()), FileSection(), LOCAL)
    with pytest.raises(FileUnreadable, match="a row has more than 2,000,000 characters"):
        table_of(source, FileSection(), ["a"])


def test_values_with_line_ends_at_every_chunk_make_no_batch_of_the_whole_file():
    """Reviews in quotes: a row begins in one chunk and ends in the next, all along."""
    row = '1,"' + "word\nword " * 10 + '"\n'
    body = ("a,b\n" + row * (4 * CHUNK // len(row))).encode()
    source = source_of("a.csv", io.BytesIO(body), FileSection(), LOCAL)
    sizes = [len(batch.lines) for batch in source.batches(["b"])]
    assert sum(sizes) == 4 * CHUNK // len(row)
    assert max(sizes) <= BATCH_ROWS
