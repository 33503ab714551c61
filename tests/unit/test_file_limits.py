"""Limits hold for what a file unfolds to: what is small on disk is refused before it fills the memory."""

import bz2
import gzip
import io
import lzma
import re
import zipfile
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from selfheal.contract.model import FileSection
from selfheal.errors import FileUnreadable
from selfheal.files.limits import LOCAL, UPLOAD, Limits
from selfheal.files.table import source_of

# What reading may take, whatever it is that was sent.
MOST_MEMORY = 120_000_000
LARGE = b"a,b\n" + (b"x" * 90_000 + b",1\n") * 600


def refusal(name: str, body: bytes, limits: Limits = UPLOAD) -> str:
    """How a file is refused, and that it took little memory of Arrow's."""
    before = pa.default_memory_pool().bytes_allocated()
    with pytest.raises(FileUnreadable) as raised:
        read(name, body, limits)
    assert pa.default_memory_pool().bytes_allocated() - before < MOST_MEMORY
    return str(raised.value)


def read(name: str, body: bytes, limits: Limits = UPLOAD) -> int:
    """How many rows a file has, none of which is kept."""
    before, rows = pa.default_memory_pool().bytes_allocated(), 0
    for batch in source_of(name, io.BytesIO(body), FileSection(), limits).batches(["a"]):
        rows += len(batch.lines)
        assert pa.default_memory_pool().bytes_allocated() - before < MOST_MEMORY
    return rows


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "compress"),
    [
        ("a.csv.gz", lambda body: gzip.compress(body, 1)),
        ("a.csv.bz2", lambda body: bz2.compress(body, 1)),
        ("a.csv.xz", lambda body: lzma.compress(body, preset=0)),
        ("a.csv.zst", lambda body: pa.compress(body, codec="zstd", asbytes=True)),
        ("a.zip", lambda body: zipped({"a.csv": body})),
    ],
)
def test_a_compressed_file_is_unfolded_up_to_a_limit(name: str, compress: Callable[[bytes], bytes]):
    """Each kind of compression, a thousand times smaller than what is in it."""
    body = compress(LARGE)
    assert len(body) < 1_000_000
    assert "unfolds to more than 50,000,000 bytes" in refusal(name, body)


def table(column: pa.Array) -> pa.Table:
    return pa.table({"a": column, "b": column})


def test_parquet_with_many_rows_of_one_value_is_refused_by_its_rows():
    """Fifty million rows take three hundred kilobytes."""
    buffer = io.BytesIO()
    parquet.write_table(table(pa.array(np.zeros(5_000_000, dtype=np.int8))), buffer)
    assert len(buffer.getvalue()) < 1_000_000
    assert "more than 200,000 rows" in refusal("a.parquet", buffer.getvalue())


def test_parquet_with_one_long_text_a_thousand_times_stays_one_text():
    """A dictionary of one: five hundred bytes that would become two gigabytes are read by reference."""
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 20_000, pa.int32()), pa.array(["a" * 100_000]))
    buffer = io.BytesIO()
    parquet.write_table(table(text), buffer, compression="zstd", store_schema=False)
    assert len(buffer.getvalue()) < 2_000
    assert read("a.parquet", buffer.getvalue()) == 20_000


def test_parquet_pages_that_unfold_to_much_are_refused_by_what_they_say():
    """A column of different values that compress well."""
    buffer = io.BytesIO()
    rows = pa.array(["a" * 1_000 + str(row) for row in range(60_000)])
    parquet.write_table(table(rows), buffer, compression="zstd", use_dictionary=False)
    assert len(buffer.getvalue()) < 2_000_000
    assert "unfolds to more than" in refusal("a.parquet", buffer.getvalue())


@pytest.mark.parametrize("compression", ["zstd", "lz4"])
def test_feather_that_unfolds_to_much_is_refused_before_it_is_unfolded(compression: str):
    """Its messages say what each buffer unfolds to."""
    buffer = io.BytesIO()
    feather.write_feather(table(pa.array(np.zeros(8_000_000))), buffer, compression=compression)
    assert len(buffer.getvalue()) < 2_000_000
    small = Limits(unfolded=UPLOAD.unfolded, rows=10**9, columns=10, cells=10**10, sheet=10**10, row=100)
    assert "unfolds to more than 50,000,000 bytes" in refusal("a.feather", buffer.getvalue(), small)
    assert "more than 200,000 rows" in refusal("a.feather", buffer.getvalue())


@pytest.mark.parametrize("broken", [8, 40, 200])
def test_feather_that_is_broken_is_refused(broken: int):
    """Whatever byte of it is changed, it is a refusal or the table, never another error."""
    buffer = io.BytesIO()
    feather.write_feather(pa.table({"a": ["x"] * 100}), buffer, compression="zstd")
    body = bytearray(buffer.getvalue())
    for place in range(broken, broken + 30):
        body[place] ^= 0xFF
        with suppress(FileUnreadable):
            assert read("a.feather", bytes(body)) == 100
        body[place] ^= 0xFF


def workbook(sheet: str, strings: bytes = b"") -> bytes:
    """A workbook of one sheet, by hand."""
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    sheets = '<sheets><sheet name="A" sheetId="1" r:id="r1"/></sheets>'
    link = f'<Relationship Id="r1" Type="{relations}/worksheet" Target="worksheets/sheet1.xml"/>'
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{relations}">{sheets}</workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}">{link}</Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{sheet}</sheetData></worksheet>',
    }
    return zipped({**{name: text.encode() for name, text in parts.items()}, "xl/sharedStrings.xml": strings})


def cell(place: str) -> str:
    row = re.sub(r"[A-Z]", "", place)
    return f'<row r="{row}"><c r="{place}"><v>1</v></c></row>'


@pytest.mark.parametrize(
    ("place", "said", "limits"),
    [
        ("XFD2", "16,384 columns, more than 1,000", UPLOAD),
        ("XFD2", "16,384 columns, more than 10,000", LOCAL),
        ("B1048576", "more than 200,000 rows", UPLOAD),
        ("ZZ100000", "more than 2,849 rows", UPLOAD),
        ("ZZ100000", "more than 28,490 rows", LOCAL),
    ],
)
def test_one_cell_far_out_is_refused_by_its_place(place: str, said: str, limits: Limits):
    """A sheet is read as a rectangle: a cell in its last corner would be seventeen billion."""
    assert said in refusal("a.xlsx", workbook(cell("A1") + cell(place)), limits)


def test_a_workbook_is_unfolded_up_to_a_limit():
    """Also where its directory understates what a part unfolds to."""
    body = workbook(cell("A1"), b" " * (UPLOAD.unfolded + 1))
    assert len(body) < 1_000_000
    assert "unfolds to more than 50,000,000 bytes" in refusal("a.xlsx", body)
    honest, told = (UPLOAD.unfolded + 1).to_bytes(4, "little"), (1_000).to_bytes(4, "little")
    assert honest in body
    assert "a.xlsx" in refusal("a.xlsx", body.replace(honest, told))


@pytest.mark.parametrize("limits", [UPLOAD, LOCAL], ids=["upload", "local"])
def test_a_header_of_millions_of_names_is_refused_unread(limits: Limits):
    """Also on a machine of one's own, where sixteen million names took more than a gigabyte."""
    assert "a row has more than" in refusal("a.csv", b"a" + b",b" * 2_000_000 + b"\n", limits)
    assert "columns, more than" in refusal("a.csv", b"a" + b",b" * (limits.columns + 1) + b"\n", limits)


def test_a_row_over_many_lines_has_a_limit():
    """Quotes may hold line ends: each line is short, and the row never ends."""
    assert "a row has more than 100,000 characters" in refusal("a.csv", b'a,b\n"' + b'\n","' * 100_000)


def test_empty_lines_count_as_rows():
    """Fifty million of them would keep the labels function busy for its whole time."""
    assert "more than 200,000 rows" in refusal("a.csv", b"a,b\n" + b"\n" * 300_000)
    assert "more than 200,000 rows" in refusal("a.jsonl", b"\n" * 300_000)
