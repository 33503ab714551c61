"""Parquet and Feather: columns that have a type already, of which only those that are needed are read."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import ipc, parquet

from selfheal.errors import FileTooLarge, FileUnreadable
from selfheal.files.columns import is_text
from selfheal.files.feather import unfolded_bytes
from selfheal.files.limits import Limits
from selfheal.files.opening import Opened
from selfheal.files.source import BATCH_ROWS, Batch, RowFault, check_columns, check_rows, check_single_values

OUT_OF_RANGE = "a value is out of range: a time beyond the year 9999, or text that is not UTF-8"
NANO = 1_000
# Moments that Python's own calendar knows, in microseconds since 1970.
FIRST, LAST = (int(np.datetime64(day, "us").astype(np.int64)) for day in ("0001-01-01", "9999-12-31T23:59:59.999999"))
BROKEN = (pa.ArrowException, OSError, ValueError, MemoryError)


class Parquet:
    """A Parquet file."""

    unit = "row"
    has_header = True

    def __init__(self, file: Opened, limits: Limits) -> None:
        self.name, self._limits, self._file = file.name, limits, file.seekable()
        try:
            self._metadata = parquet.read_metadata(self._file)
            self._schema = self._metadata.schema.to_arrow_schema()
        except BROKEN as error:
            raise _broken(self.name, "Parquet", error) from error
        self.odd = odd_columns(self._schema)
        check_columns(self.name, self._metadata.num_columns, limits)
        check_names(self._schema.names, self.name)

    def names(self) -> list[str]:
        """The names of the schema."""
        return list(self._schema.names)

    def batches(self, wanted: Sequence[str]) -> Iterator[Batch]:
        """See Source."""
        check_single_values(self.name, wanted, self.odd)
        check_rows(self.name, self._metadata.num_rows, len(wanted), self._limits)
        if self._unfolded(wanted) > self._limits.unfolded:
            raise FileTooLarge(f"{self.name} unfolds to more than {self._limits.unfolded:,} bytes: split it into parts")
        # A text that is there a million times stays one.
        by_reference = [name for name in wanted if is_text(self._schema.field(name).type)]
        try:
            self._file.seek(0)
            file = parquet.ParquetFile(self._file, read_dictionary=by_reference, pre_buffer=False)
            rows = 0
            for batch in file.iter_batches(BATCH_ROWS, columns=list(wanted), use_threads=False):
                yield checked(batch, rows)
                rows += batch.num_rows
        except BROKEN as error:
            raise _broken(self.name, "Parquet", error) from error

    def _unfolded(self, wanted: Sequence[str]) -> int:
        named = {*wanted}
        groups = (self._metadata.row_group(number) for number in range(self._metadata.num_row_groups))
        chunks = (group.column(number) for group in groups for number in range(group.num_columns))
        return sum(chunk.total_uncompressed_size for chunk in chunks if chunk.path_in_schema.split(".")[0] in named)


class Feather:
    """A Feather (Arrow) file."""

    unit = "row"
    has_header = True

    def __init__(self, file: Opened, limits: Limits) -> None:
        self.name, self._limits, self._file = file.name, limits, file.seekable()
        try:
            self._schema = ipc.open_file(self._file).schema
        except BROKEN as error:
            raise _broken(self.name, "Feather", error) from error
        self.odd = odd_columns(self._schema)
        check_columns(self.name, len(self._schema), limits)
        check_names(self._schema.names, self.name)

    def names(self) -> list[str]:
        """The names of the schema."""
        return list(self._schema.names)

    def batches(self, wanted: Sequence[str]) -> Iterator[Batch]:
        """See Source."""
        check_single_values(self.name, wanted, self.odd)
        try:
            rows, size = unfolded_bytes(self._file)
        except BROKEN as error:
            raise _broken(self.name, "Feather", error) from error
        check_rows(self.name, rows, len(wanted), self._limits)
        if size > self._limits.unfolded:
            raise FileTooLarge(f"{self.name} unfolds to more than {self._limits.unfolded:,} bytes: split it into parts")
        try:
            yield from self._read(wanted)
        except BROKEN as error:
            raise _broken(self.name, "Feather", error) from error

    def _read(self, wanted: Sequence[str]) -> Iterator[Batch]:
        self._file.seek(0)
        options = ipc.IpcReadOptions(included_fields=[self._schema.names.index(name) for name in wanted])
        file, rows = ipc.open_file(self._file, options=options), 0
        for number in range(file.num_record_batches):
            whole = file.get_batch(number)
            for start in range(0, whole.num_rows, BATCH_ROWS):
                batch = whole.slice(start, BATCH_ROWS)
                yield checked(batch, rows)
                rows += batch.num_rows


def _broken(name: str, promised: str, error: Exception) -> FileUnreadable:
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return FileUnreadable(f"{name} can't be read as its name promises: not {promised} ({first[:200]})")


def check_names(names: Sequence[str], file: str) -> None:
    """Raises FileUnreadable where a name of a column is no text."""
    try:
        "".join(names).encode()
    except UnicodeError as error:
        raise FileUnreadable(f"{file} has names of columns that are not UTF-8") from error


def odd_columns(schema: pa.Schema) -> dict[str, str]:
    """By name, the types of columns that hold no single values."""
    return {field.name: str(field.type) for field in schema if not _holds_values(field.type)}


def _holds_values(kind: Any) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    plain = (
        pa.types.is_string,
        pa.types.is_large_string,
        pa.types.is_string_view,
        pa.types.is_integer,
        pa.types.is_floating,
        pa.types.is_decimal,
        pa.types.is_boolean,
        pa.types.is_date,
        pa.types.is_timestamp,
        pa.types.is_null,
    )
    return any(is_kind(kind) for is_kind in plain)


def checked(batch: pa.RecordBatch, before: int) -> Batch:
    """The batch in a few types, without the rows that hold what no calendar or alphabet knows."""
    fits = np.ones(batch.num_rows, dtype=bool)
    columns = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        columns[name], fit = _plain(column)
        fits &= fit
    lines = np.arange(before + 1, before + 1 + batch.num_rows, dtype=np.int64)
    if not fits.all():
        columns = {name: column.filter(pa.array(fits)) for name, column in columns.items()}
    return Batch(columns, lines[fits], [RowFault(int(line), OUT_OF_RANGE) for line in lines[~fits]])


def _plain(column: pa.Array) -> tuple[pa.Array, NDArray[np.bool_]]:
    """A column in one of six types (text, int64, float64, decimal, bool, moments), and which of its cells fit it."""
    kind = column.type
    if pa.types.is_string_view(kind):
        return _plain(column.cast(pa.string()))
    if is_text(kind):
        return _characters(column)
    if pa.types.is_dictionary(kind):
        return _plain(column.dictionary_decode())
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return _moments(column)
    return column.cast(_wider(kind)), np.ones(len(column), dtype=bool)


def _wider(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_uint64(kind):
        # What signed integers don't hold is beyond what numbers hold exactly; as a decimal it can be told.
        return pa.decimal128(20)
    if pa.types.is_integer(kind):
        return pa.int64()
    return pa.float64() if pa.types.is_floating(kind) else kind


def _characters(column: pa.Array) -> tuple[pa.Array, NDArray[np.bool_]]:
    """Texts by reference, those that aren't UTF-8 as missing ones, and which cells are UTF-8."""
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    try:
        encoded.dictionary.validate(full=True)
    except pa.ArrowInvalid:
        different = [_decoded(cell) for cell in encoded.dictionary]
        known = pa.DictionaryArray.from_arrays(encoded.indices, pa.array(different, pa.string()))
        fits = np.array([*(text is not None for text in different), True], dtype=bool)
        return known, fits[encoded.indices.fill_null(len(different)).to_numpy(zero_copy_only=False)]
    return encoded, np.ones(len(column), dtype=bool)


def _decoded(cell: pa.Scalar) -> str | None:
    try:
        return str(cell.as_py())
    except UnicodeDecodeError:
        return None


def _moments(column: pa.Array) -> tuple[pa.Array, NDArray[np.bool_]]:
    """Microseconds, in UTC where the file names a zone; a moment beyond the calendar doesn't fit, and is null."""
    zone = getattr(column.type, "tz", None)
    ticks, tick = _ticks(column)
    first, last = (pa.scalar(bound // tick if tick >= 1 else bound * NANO, pa.int64()) for bound in (FIRST, LAST))
    fits = pc.and_(pc.greater_equal(ticks, first), pc.less_equal(ticks, last)).fill_null(True)
    kept = pc.if_else(fits, ticks, pa.scalar(None, pa.int64()))
    micro = pc.multiply(kept, tick) if tick >= 1 else pc.divide(kept, NANO)
    return micro.cast(pa.timestamp("us", tz="UTC" if zone else None)), fits.to_numpy(zero_copy_only=False)


def _ticks(column: pa.Array) -> tuple[pa.Array, int]:
    """Numbers since 1970, and the microseconds that each counts; 0 where they are nanoseconds."""
    kind = column.type
    if pa.types.is_date32(kind):
        return column.cast(pa.int32()).cast(pa.int64()), 86_400_000_000
    if pa.types.is_date64(kind):
        return column.cast(pa.int64()), 1_000
    return column.cast(pa.int64()), {"s": 1_000_000, "ms": 1_000, "us": 1, "ns": 0}[kind.unit]
