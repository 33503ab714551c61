"""One table in the many ways in which people keep theirs: what is read of them, and what is refused."""

import bz2
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from selfheal.contract import Contract, parse_contract
from selfheal.contract.model import FileSection

# What the generated tables of docs/files.md follow.
MARK = "<!-- tables: make files-doc -->\n\n"


@dataclass(frozen=True)
class Kept:
    """A table as texts, as a plain CSV file has them, and the contract that it is read under."""

    texts: pd.DataFrame
    contract: Contract

    @property
    def time(self) -> str:
        return self.contract.model.time_column or ""

    def of_type(self, *types: str) -> list[str]:
        return [name for name, feature in self.contract.features.items() if feature.type in types]

    @property
    def moments(self) -> pd.Series:
        return pd.to_datetime(self.texts[self.time], utc=True, format="ISO8601")

    @property
    def typed(self) -> pd.DataFrame:
        """As programs keep it that know numbers, truth and time."""
        columns: dict[str, object] = {}
        for name, column in self.texts.items():
            feature = self.contract.features.get(str(name))
            if name == self.time:
                columns[str(name)] = self.moments.dt.tz_localize(None)
            elif feature is None or feature.is_category:
                columns[str(name)] = column.where(column != "", None)
            elif feature.type == "boolean":
                columns[str(name)] = column.map({"true": True, "false": False, "": None})
            else:
                columns[str(name)] = pd.to_numeric(column.replace("NA", ""), errors="coerce")
        return pd.DataFrame(columns)

    def with_times(self, texts: pd.Series) -> pd.DataFrame:
        return self.texts.assign(**{self.time: texts})


@dataclass(frozen=True)
class Way:
    """How a table may be kept: `name` is that of the file, `file` what its contract's [file] table says.

    `refused` are words of the refusal, `noted` words of what is said of a file that is read.
    """

    title: str
    name: str
    bytes_of: Callable[[Kept], bytes]
    file: dict[str, str] = field(default_factory=dict)
    refused: str = ""
    noted: str = ""

    def write(self, folder: Path, kept: Kept) -> Path:
        path = folder / self.name
        path.write_bytes(self.bytes_of(kept))
        return path

    def contract_of(self, kept: Kept) -> Contract:
        return kept.contract.model_copy(update={"file": FileSection(**self.file)})


def csv_of(frame: pd.DataFrame, **options: object) -> str:
    return frame.to_csv(index=False, lineterminator="\n", **options)


def plain(kept: Kept) -> bytes:
    return csv_of(kept.texts).encode()


def separated(sign: str) -> Callable[[Kept], bytes]:
    return lambda kept: csv_of(kept.texts, sep=sign).encode()


def encoded(encoding: str) -> Callable[[Kept], bytes]:
    return lambda kept: csv_of(kept.texts).encode(encoding)


def with_numbers(kept: Kept, written: Callable[[str], str]) -> pd.DataFrame:
    names = kept.of_type("number", "integer")
    return kept.texts.assign(**{name: kept.texts[name].map(written) for name in names})


def grouped(text: str, thousands: str, decimal: str) -> str:
    whole, point, rest = text.partition(".")
    if not whole.removeprefix("-").isdigit():
        return text.replace(".", decimal)
    return f"{int(whole):,}".replace(",", thousands) + (decimal + rest if point else "")


def numbers_in(thousands: str, decimal: str, sign: str) -> Callable[[Kept], bytes]:
    return lambda kept: csv_of(with_numbers(kept, lambda text: grouped(text, thousands, decimal)), sep=sign).encode()


def decimal_commas(sign: str) -> Callable[[Kept], bytes]:
    return lambda kept: csv_of(with_numbers(kept, lambda text: text.replace(".", ",")), sep=sign).encode()


def times_as(form: str, zone: str = "UTC") -> Callable[[Kept], bytes]:
    return lambda kept: csv_of(kept.with_times(kept.moments.dt.tz_convert(zone).dt.strftime(form))).encode()


def epoch(per_second: int) -> Callable[[Kept], bytes]:
    def written(kept: Kept) -> bytes:
        seconds = (kept.moments - pd.Timestamp(0, tz="UTC")).dt.total_seconds()
        return csv_of(kept.with_times((seconds * per_second).round().astype("int64").astype(str))).encode()

    return written


def day_and_hour(kept: Kept) -> bytes:
    days = kept.with_times(kept.moments.dt.strftime("%d.%m.%Y"))
    return csv_of(days.assign(clock=kept.moments.dt.strftime("%H:%M:%S"))).encode()


def zst(kept: Kept) -> bytes:
    return pa.compress(plain(kept), codec="zstd", asbytes=True)


def zipped(*names: str) -> Callable[[Kept], bytes]:
    def written(kept: Kept) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in names:
                archive.writestr(name, plain(kept))
        return buffer.getvalue()

    return written


def parquet(frame_of: Callable[[Kept], pd.DataFrame]) -> Callable[[Kept], bytes]:
    return lambda kept: frame_of(kept).to_parquet(index=False)


def texts(kept: Kept) -> pd.DataFrame:
    return kept.texts


def typed(kept: Kept) -> pd.DataFrame:
    return kept.typed


def by_reference(kept: Kept) -> pd.DataFrame:
    """Texts as categories of pandas, numbers as 64 bits with gaps."""
    frame = kept.typed
    for name in kept.of_type("integer"):
        frame[name] = frame[name].astype("Int64")
    return frame.astype(dict.fromkeys(kept.of_type("category"), "category"))


def listed(kept: Kept) -> pd.DataFrame:
    name = kept.of_type("category")[0]
    return kept.typed.assign(**{name: [[value] for value in kept.typed[name]]})


def feather(compression: str) -> Callable[[Kept], bytes]:
    def written(kept: Kept) -> bytes:
        buffer = io.BytesIO()
        kept.typed.to_feather(buffer, compression=compression)
        return buffer.getvalue()

    return written


def excel(frame_of: Callable[[Kept], pd.DataFrame], *sheets: str, row: int = 0) -> Callable[[Kept], bytes]:
    """A workbook whose last sheet holds the table, the others a word."""

    def written(kept: Kept) -> bytes:
        buffer = io.BytesIO()
        with pd.ExcelWriter(buffer, engine="xlsxwriter") as book:
            for sheet in sheets[:-1]:
                pd.DataFrame({"nothing": ["here"]}).to_excel(book, sheet_name=sheet, index=False)
            frame_of(kept).to_excel(book, sheet_name=sheets[-1], index=False, startrow=row)
        return buffer.getvalue()

    return written


def json_lines(kept: Kept, *, gaps: bool = False) -> bytes:
    frame = kept.typed.assign(**{kept.time: kept.texts[kept.time]})
    rows = [
        {name: None if pd.isna(value) else value for name, value in row.items()} for row in frame.to_dict("records")
    ]
    if gaps:
        # The first row names all columns: one that no row has is missing.
        gone = [{name: value for name, value in row.items() if value is not None} for row in rows[1:]]
        rows = [rows[0], *gone]
    return "".join(json.dumps(row, default=plainly) + "\n" for row in rows).encode()


def plainly(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else str(value)


def changed(change: Callable[[str], str]) -> Callable[[Kept], bytes]:
    """The plain file with something done to its text."""
    return lambda kept: change(csv_of(kept.texts)).encode()


def in_line(number: int, change: Callable[[str], str]) -> Callable[[Kept], bytes]:
    def written(text: str) -> str:
        lines = text.splitlines()
        lines[number - 1] = change(lines[number - 1])
        return "\n".join(lines) + "\n"

    return changed(written)


def below_header(change: Callable[[str], str]) -> Callable[[str], str]:
    def written(text: str) -> str:
        header, *rows = text.splitlines()
        return "\n".join([header, *map(change, rows)]) + "\n"

    return written


def cell(name: str, value: str, row: int = 1) -> Callable[[Kept], bytes]:
    """The plain file with another value in one cell; `name` may be a type of feature."""

    def written(kept: Kept) -> bytes:
        column = kept.of_type(name)[0] if name in {"number", "integer", "category", "boolean"} else name
        column = {"time": kept.time, "label": kept.contract.model.target}.get(column, column)
        frame = kept.texts.copy()
        frame.loc[row, column] = value
        return csv_of(frame).encode()

    return written


def repeated_name(kept: Kept) -> bytes:
    first = kept.contract.feature_names[0]
    return csv_of(pd.concat([kept.texts, kept.texts[[first]]], axis=1)).encode()


def key_twice(kept: Kept) -> bytes:
    lines = json_lines(kept).decode().splitlines()
    target = kept.contract.model.target
    lines[1] = lines[1][:-1] + f', "{target}": 1}}'
    return "\n".join(lines).encode()


def with_others(kept: Kept) -> pd.DataFrame:
    frame = kept.texts.copy()
    frame.insert(0, "", [str(row) for row in range(len(frame))])
    frame["note"] = 'said "no", twice;\nthen left'
    return frame[[*reversed(list(frame.columns))]]


READ: list[Way] = [
    Way("commas", "data.csv", plain),
    Way("the ending in capitals", "DATA.CSV", plain),
    Way("tabs, by the name", "data.tsv", separated("\t")),
    Way("tabs", "data.txt", separated("\t"), {"separator": "\t"}),
    Way("semicolons", "data.csv", separated(";"), {"separator": ";"}),
    Way("bars", "data.txt", separated("|"), {"separator": "|"}),
    Way("a first line `sep=;`", "data.csv", lambda kept: b"sep=;\r\n" + separated(";")(kept)),
    Way(
        "a blank after each comma",
        "data.csv",
        changed(lambda text: text.replace(",", ", ")),
        {"separator": ", "},
    ),
    Way("semicolons and decimal commas", "data.csv", decimal_commas(";"), {"separator": ";", "decimal": ","}),
    Way("decimal commas in quotes", "data.csv", decimal_commas(","), {"decimal": ","}),
    Way(
        "thousands with points, decimals with commas",
        "data.csv",
        numbers_in(".", ",", ";"),
        {"separator": ";", "decimal": ",", "thousands": "."},
    ),
    Way("thousands with commas, in quotes", "data.csv", numbers_in(",", ".", ","), {"thousands": ","}),
    Way("thousands with a blank", "data.csv", numbers_in("\u202f", ".", ","), {"thousands": " "}),
    Way("every cell in quotes", "data.csv", lambda kept: csv_of(kept.texts, quoting=1).encode()),
    Way("lines that end as on Windows", "data.csv", changed(lambda text: text.replace("\n", "\r\n"))),
    Way("lines that end as on old Macs", "data.csv", changed(lambda text: text.replace("\n", "\r"))),
    Way("empty lines between rows", "data.csv", changed(lambda text: "\n" + text.replace("\n", "\n\n"))),
    Way(
        "row names under an empty name, other columns, another order",
        "data.csv",
        lambda k: csv_of(with_others(k)).encode(),
    ),
    Way("UTF-8 with a mark", "data.csv", encoded("utf-8-sig")),
    Way("UTF-16 with a mark", "data.csv", encoded("utf-16")),
    Way("UTF-16 without a mark", "data.csv", encoded("utf-16-le")),
    Way("Latin-1", "data.csv", encoded("latin-1"), {"encoding": "latin-1"}),
    Way("Windows' Western European", "data.csv", encoded("cp1252"), {"encoding": "cp1252"}),
    Way("gzip", "data.csv.gz", lambda kept: gzip.compress(plain(kept))),
    Way("gzip under the name of a plain file", "data.csv", lambda kept: gzip.compress(plain(kept))),
    Way("plain text under a name of gzip", "data.csv.gz", plain),
    Way("bzip2", "data.csv.bz2", lambda kept: bz2.compress(plain(kept))),
    Way("xz", "data.csv.xz", lambda kept: lzma.compress(plain(kept))),
    Way("Zstandard", "data.csv.zst", zst),
    Way("a zip archive of one file", "data.zip", zipped("table.csv", "__MACOSX/._table.csv")),
    Way("Parquet with types", "data.parquet", parquet(typed)),
    Way("Parquet of texts", "data.parquet", parquet(texts)),
    Way("Parquet with categories and whole numbers with gaps", "data.pq", parquet(by_reference)),
    Way("Parquet in gzip", "data.parquet.gz", lambda kept: gzip.compress(parquet(typed)(kept))),
    Way("Feather", "data.feather", feather("uncompressed")),
    Way("Feather with Zstandard inside", "data.arrow", feather("zstd")),
    Way("Excel, its first sheet", "data.xlsx", excel(typed, "Data")),
    Way("Excel, empty rows above the names", "data.xlsx", excel(typed, "Data", row=3)),
    Way("Excel, another sheet", "data.xlsx", excel(typed, "Read me", "2026"), {"sheet": "2026"}),
    Way("Excel, every cell a text", "data.XLSX", excel(texts, "Data")),
    Way("JSON lines", "data.jsonl", json_lines),
    Way(
        "JSON lines, in all but the first without what is missing",
        "data.ndjson",
        lambda kept: json_lines(kept, gaps=True),
    ),
    Way("JSON lines in gzip", "data.jsonl.gz", lambda kept: gzip.compress(json_lines(kept))),
    Way("days before months", "data.csv", times_as("%d/%m/%Y %H:%M:%S"), {"time_format": "%d/%m/%Y %H:%M:%S"}),
    Way("months before days", "data.csv", times_as("%m/%d/%Y %I:%M:%S %p"), {"time_format": "%m/%d/%Y %I:%M:%S %p"}),
    Way("seconds since 1970", "data.csv", epoch(1), {"time_format": "epoch_seconds"}),
    Way("milliseconds since 1970", "data.csv", epoch(1000), {"time_format": "epoch_milliseconds"}),
    Way("local times", "data.csv", times_as("%Y-%m-%dT%H:%M:%S", "Asia/Kolkata"), {"zone": "Asia/Kolkata"}),
    Way(
        "times that name their zone",
        "data.csv",
        times_as("%Y-%m-%d %H:%M:%S%z", "Europe/Berlin"),
        {"zone": "Asia/Tokyo"},
    ),
    Way(
        "a column of days and one of hours",
        "data.csv",
        day_and_hour,
        {"time_format": "%d.%m.%Y", "hour_column": "clock"},
    ),
]
NOTED: list[Way] = [
    Way("a row without a label", "data.csv", cell("label", ""), noted="1 of 3 rows have no label and are left out"),
    Way("a row of the future", "data.csv", cell("time", "9999-01-01"), noted="1 value(s) later than now"),
    Way("blanks around a category", "data.csv", cell("category", " gold"), noted="1 value(s) have blanks around them"),
    Way(
        "an hour that the clocks show twice",
        "data.csv",
        cell("time", "2025-10-26T02:30"),
        {"zone": "Europe/Berlin"},
        noted="in an hour that the clocks of Europe/Berlin show twice, and are taken for the first",
    ),
    Way(
        "no time column",
        "data.csv",
        lambda k: csv_of(k.texts.drop(columns=k.time)).encode(),
        noted="has no time column",
    ),
]
REFUSED: list[Way] = [
    Way(
        "semicolons, undeclared",
        "data.csv",
        separated(";"),
        refused="separates its columns by ';', and the contract says ','",
    ),
    Way(
        "commas under a name of tabs", "data.tsv", plain, refused="separates its columns by ',', and its name says tabs"
    ),
    Way("Latin-1, undeclared", "data.csv", encoded("latin-1"), refused="is not UTF-8 (byte 0xe9 in line"),
    Way("UTF-16 cut in half", "data.csv", lambda k: encoded("utf-16")(k)[:-1], refused="is not utf-16"),
    Way("decimal commas, undeclared", "data.csv", decimal_commas(","), refused='set decimal = "," under [file]'),
    Way("thousands, undeclared", "data.csv", cell("number", "1,234.50"), refused="set thousands under [file]"),
    Way(
        "thousands without quotes",
        "data.csv",
        in_line(3, lambda row: "1," + row),
        refused="line 3: 7 cells where the header has 6",
    ),
    Way(
        "row names in front",
        "data.csv",
        changed(below_header(lambda row: "7," + row)),
        refused="7 cells where the header has 6 names",
    ),
    Way(
        "a separator at the end of rows",
        "data.csv",
        changed(below_header(lambda row: row + ",")),
        refused="7 cells where the header has 6 names",
    ),
    Way(
        "a row that is cut",
        "data.csv",
        in_line(3, lambda row: row.rpartition(",")[0]),
        refused="line 3: 5 cells where the header has 6",
    ),
    Way("text after a closing quote", "data.csv", in_line(3, lambda row: '"a"b' + row), refused="line 3 is not CSV"),
    Way(
        "a quote that isn't closed",
        "data.csv",
        in_line(4, lambda row: '"' + row),
        refused="is not CSV: unexpected end of data",
    ),
    Way("a name twice", "data.csv", repeated_name, refused="columns 'amount': give each its own name"),
    Way(
        "a name with blanks around it",
        "data.csv",
        changed(lambda t: t.replace("amount", " amount", 1)),
        refused="is called ' amount'",
    ),
    Way(
        "a column that is missing",
        "data.csv",
        changed(lambda t: t.replace("amount", "price", 1)),
        refused="column 'amount' is missing",
    ),
    Way("nothing", "data.csv", lambda _: b"", refused="is empty"),
    Way("a picture", "data.csv", lambda _: b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", refused="is no text"),
    Way("another ending", "data.doc", plain, refused="its name ends with none of what is read"),
    Way("a zip archive of two files", "data.zip", zipped("a.csv", "b.csv"), refused="holds 2 files, not one"),
    Way(
        "compressed twice",
        "data.csv.gz",
        lambda k: gzip.compress(gzip.compress(plain(k))),
        refused="is compressed twice",
    ),
    Way("gzip that is cut", "data.csv.gz", lambda k: gzip.compress(plain(k))[:-9], refused="can't be unfolded"),
    Way("CSV under a name of Parquet", "data.parquet", plain, refused="it is no Parquet file"),
    Way("Parquet with a column of lists", "data.parquet", parquet(listed), refused="holds no single values but list"),
    Way("a binary Excel file", "data.xlsb", excel(typed, "Data"), refused="save it as .xlsx"),
    Way(
        "an old Excel file",
        "data.xls",
        lambda _: bytes.fromhex("d0cf11e0a1b11ae1"),
        refused="old or password-protected Excel file",
    ),
    Way(
        "Excel without the sheet",
        "data.xlsx",
        excel(typed, "Data"),
        {"sheet": "2026"},
        refused="has no sheet '2026'; it has 'Data'",
    ),
    Way(
        "Excel with cells beside the names",
        "data.xlsx",
        excel(lambda k: k.texts.assign(**{"": "?"}), "D"),
        refused="to the right of the 6 names",
    ),
    Way("JSON lines with a name twice", "data.jsonl", key_twice, refused="line 2: the name 'y' is there twice"),
    Way(
        "JSON lines with NaN",
        "data.jsonl",
        lambda k: json_lines(k).replace(b": 1.5", b": NaN"),
        refused="NaN is not JSON: write null",
    ),
    Way(
        "a JSON array",
        "data.json",
        lambda k: b"[" + json_lines(k).replace(b"\n", b",") + b"{}]",
        refused="the line is not a JSON object",
    ),
    Way(
        "01/02/2025, undeclared",
        "data.csv",
        cell("time", "01/02/2025"),
        refused='set time_format under [file], such as "%d/%m/%Y" or "%m/%d/%Y"',
    ),
    Way(
        "seconds since 1970, undeclared",
        "data.csv",
        cell("time", "1735689600"),
        refused='set time_format = "epoch_seconds" or',
    ),
    Way(
        "a time that the clocks skip",
        "data.csv",
        cell("time", "2025-03-30T02:30"),
        {"zone": "Europe/Berlin"},
        refused="or one that the clocks of Europe/Berlin skip",
    ),
    Way(
        "the 24th hour",
        "data.csv",
        lambda k: day_and_hour(k).replace(b"13:00:00", b"24"),
        {"time_format": "%d.%m.%Y", "hour_column": "clock"},
        refused="(or its hour in 'clock' is none of 0 to 23)",
    ),
    Way(
        "a whole number beyond 2**53",
        "data.csv",
        cell("integer", "9007199254740993"),
        refused="beyond 2**53, where numbers lose their last digits",
    ),
    Way("an infinite number", "data.csv", cell("number", "inf"), refused="not finite"),
    Way(
        "a word among numbers",
        "data.csv",
        cell("number", "many"),
        refused="not of type number; the first is 'many' in line 3",
    ),
    Way(
        "a number missing that may not be",
        "data.csv",
        cell("integer", ""),
        refused="missing, and the feature is not nullable",
    ),
    Way("a third label", "data.csv", cell("label", "NA", row=0), refused="there are 2 values ('0', 'NA'), not one"),
]
EXAMPLE = """
[model]
name = "example"
target = "y"
time_column = "made"
[features.amount]
type = "number"
nullable = true
[features.visits]
type = "integer"
[features.plan]
type = "category"
nullable = true
[features.member]
type = "boolean"
"""


def example() -> Kept:
    """Three rows with what is easily lost: decimals, thousands, a word for nothing, an accent, a gap."""
    texts = pd.DataFrame(
        {
            "made": ["2025-01-31T13:00:00Z", "2025-02-01T00:00:00Z", "2025-02-02T07:30:00Z"],
            "amount": ["1234.5", "1.5", ""],
            "visits": ["1000000", "0", "7"],
            "plan": ["NA", "café", ""],
            "member": ["true", "false", "true"],
            "y": ["1", "0", "1"],
        },
        dtype=object,
    )
    return Kept(texts, parse_contract(EXAMPLE))


def tables() -> Iterator[str]:
    """The tables of docs/files.md."""
    yield "| a file | its name | `[file]` |"
    yield "|---|---|---|"
    for way in READ:
        yield f"| {way.title} | `{way.name}` | {_file(way)} |"
    yield ""
    yield "| a file | what is said of it |"
    yield "|---|---|"
    for way in NOTED:
        yield f"| {way.title} | {_words(way.noted)} |"
    yield ""
    yield "| a file | the refusal's words |"
    yield "|---|---|"
    for way in REFUSED:
        yield f"| {way.title} | {_words(way.refused)} |"


def _file(way: Way) -> str:
    return ", ".join(f"`{key} = {json.dumps(value)}`" for key, value in way.file.items()).replace("|", "\\|")


def _words(text: str) -> str:
    return f"… {text} …".replace("|", "\\|")


def main() -> None:
    """Write the tables into docs/files.md."""
    page = Path(__file__).parents[2] / "docs" / "files.md"
    text, mark, _ = page.read_text(encoding="utf-8").partition(MARK)
    page.write_text(text + mark + "\n".join(tables()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
