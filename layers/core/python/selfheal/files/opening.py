"""A file's bytes, unfolded: compression is told by the first bytes, the format by them or by the name."""

import bz2
import gzip
import io
import lzma
import shutil
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, Literal

import pyarrow as pa

from selfheal.errors import FileTooLarge, FileUnreadable
from selfheal.files.limits import Limits

type Format = Literal["text", "json_lines", "parquet", "feather", "excel"]

FORMATS: dict[str, Format] = {
    ".csv": "text",
    ".tsv": "text",
    ".tab": "text",
    ".txt": "text",
    ".jsonl": "json_lines",
    ".ndjson": "json_lines",
    ".json": "json_lines",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".feather": "feather",
    ".arrow": "feather",
    ".xlsx": "excel",
    ".xlsm": "excel",
}
# Workbooks of other kinds, some of them zip archives.
OTHER_SHEETS = (".xls", ".xlsb", ".ods", ".numbers")
COMPRESSIONS = (".gz", ".bz2", ".xz", ".zst", ".zip")
READ = f"{', '.join(FORMATS)}, each also compressed ({', '.join(COMPRESSIONS)})"
# Formats whose first bytes leave no doubt.
MAGIC: dict[bytes, Format] = {b"PAR1": "parquet", b"ARROW1": "feather"}
# What an old Excel file starts with, and one that is protected by a password.
COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP = b"PK\x03\x04"
WORKBOOK = "xl/workbook.xml"
BUFFER = 1 << 16
# Unfolded bytes that aren't put on disk: no more than a function reads at once.
IN_MEMORY = 50_000_000
# What readers of compressed bytes raise at bytes that aren't.
BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, pa.ArrowException)


@dataclass(frozen=True)
class Opened:
    """An unfolded file. `name` is the user's; `suffix` is that of what is inside; `stream` can be read once.

    plain: the file itself, where it didn't have to be unfolded.
    """

    name: str
    suffix: str
    format: Format
    stream: io.BufferedReader
    plain: BinaryIO | None

    def seekable(self) -> BinaryIO:
        """The same for readers that jump: the file itself, or a temporary one where it had to be unfolded."""
        if self.plain is None:
            unfolded: BinaryIO = _Unfolded(IN_MEMORY)  # type: ignore[assignment]
            shutil.copyfileobj(self.stream, unfolded)
            unfolded.seek(0)
            return unfolded
        self.plain.seek(0)
        return self.plain


def opened(name: str, file: BinaryIO, limits: Limits) -> Opened:
    """Unfold a file, once, and tell its format.

    Raises:
        FileUnreadable: it is of no format that is read, isn't what its name promises, or holds more than one file.
    """
    start = _start(file)
    if start.startswith(COMPOUND):
        raise FileUnreadable(f"{name} is an old or password-protected Excel file: save it as .xlsx, without a password")
    if name.lower().endswith(OTHER_SHEETS):
        raise FileUnreadable(f"{name} is a workbook of another kind than .xlsx, by its name: save it as .xlsx or .csv")
    unfold = next((unfold for magic, unfold in UNFOLD.items() if start.startswith(magic)), None)
    if unfold is None or (start.startswith(ZIP) and _is_workbook(name, file)):
        return _told(name, _suffix(name), _stream(name, file, limits), file)
    inner, unfolded = unfold(name, file)
    stream = _stream(name, unfolded, limits)
    if any(stream.peek(8).startswith(magic) for magic in UNFOLD if magic != ZIP):
        raise FileUnreadable(f"{name} is compressed twice: unfold it once yourself")
    return _told(name, inner, stream, None)


def _stream(name: str, file: BinaryIO, limits: Limits) -> io.BufferedReader:
    raw: Any = _Bounded(name, file, limits.unfolded)
    return io.BufferedReader(raw, BUFFER)


def _start(file: BinaryIO) -> bytes:
    start = file.read(8)
    file.seek(0)
    return start


def _told(name: str, suffix: str, stream: io.BufferedReader, plain: BinaryIO | None) -> Opened:
    start = stream.peek(8)
    found = next((kind for magic, kind in MAGIC.items() if start.startswith(magic)), None)
    if found is None and start.startswith(ZIP):
        found = "excel"
    promised = FORMATS.get(suffix)
    if found is None and promised in {"parquet", "feather", "excel"}:
        raise FileUnreadable(f"{name} can't be read as its name promises: it is no {promised.capitalize()} file")
    told = found or promised
    if told is None:
        raise FileUnreadable(f"{name}: its name ends with none of what is read, which is {READ}")
    return Opened(name, suffix, told, stream, plain)


def _is_workbook(name: str, file: BinaryIO) -> bool:
    return WORKBOOK in _members(name, file)


def _members(name: str, file: BinaryIO) -> dict[str, zipfile.ZipInfo]:
    try:
        found = {member.filename: member for member in zipfile.ZipFile(file).infolist()}
    except BROKEN as error:
        raise FileUnreadable(f"{name} can't be unfolded: {error}") from error
    file.seek(0)
    return found


def _from_zip(name: str, file: BinaryIO) -> tuple[str, BinaryIO]:
    """The only file of an archive; what systems put beside it isn't counted."""
    inside = [
        member
        for path, member in _members(name, file).items()
        if not member.is_dir() and not path.startswith("__MACOSX/") and PurePosixPath(path).name != ".DS_Store"
    ]
    if len(inside) != 1:
        raise FileUnreadable(f"{name} holds {len(inside)} files, not one: take out the one that is meant")
    try:
        unfolded = zipfile.ZipFile(file).open(inside[0])  # noqa: SIM115 - it is read to its end by the caller
    except (RuntimeError, NotImplementedError) as error:
        raise FileUnreadable(f"{name} can't be unfolded: {error}") from error
    return PurePosixPath(inside[0].filename).suffix.lower(), unfolded  # type: ignore[return-value]


def _by(reader: Callable[[BinaryIO], BinaryIO]) -> Callable[[str, BinaryIO], tuple[str, BinaryIO]]:
    def unfold(name: str, file: BinaryIO) -> tuple[str, BinaryIO]:
        return _suffix(name), reader(file)

    return unfold


def _suffix(name: str) -> str:
    """What a name promises, that of the compression aside: the bytes tell it."""
    path = PurePosixPath(name.lower())
    return PurePosixPath(path.stem).suffix if path.suffix in COMPRESSIONS else path.suffix


UNFOLD: dict[bytes, Callable[[str, BinaryIO], tuple[str, BinaryIO]]] = {
    b"\x1f\x8b": _by(lambda file: gzip.GzipFile(fileobj=file)),  # type: ignore[arg-type, return-value]
    b"BZh": _by(bz2.BZ2File),  # type: ignore[arg-type]
    b"\xfd7zXZ\x00": _by(lzma.LZMAFile),  # type: ignore[arg-type]
    b"\x28\xb5\x2f\xfd": _by(lambda file: pa.CompressedInputStream(pa.PythonFile(file, mode="r"), "zstd")),
    ZIP: _from_zip,
}


class _Unfolded(SpooledTemporaryFile[bytes]):
    """Bytes in memory while they are few, else on disk, that go with their last reader."""

    def __del__(self) -> None:
        self.close()


class _Bounded(io.RawIOBase):
    """The bytes of a file, up to a limit, its faults told by name; it is for others to close the file."""

    def __init__(self, name: str, source: BinaryIO, maximum: int) -> None:
        self._name, self._source, self._left, self._maximum = name, source, maximum, maximum

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill a buffer as far as there are bytes."""
        try:
            data = self._source.read(len(buffer))
        except BROKEN as error:
            raise FileUnreadable(f"{self._name} can't be unfolded: {error}") from error
        self._left -= len(data)
        if self._left < 0:
            raise FileTooLarge(f"{self._name} unfolds to more than {self._maximum:,} bytes: split it into parts")
        buffer[: len(data)] = data
        return len(data)
