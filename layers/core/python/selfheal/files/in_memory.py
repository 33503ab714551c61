"""A table that is in memory already, read by the same rules as a file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from selfheal.files.columnar import check_names, checked, odd_columns
from selfheal.files.limits import Limits
from selfheal.files.source import BATCH_ROWS, Batch, check_columns, check_rows, check_single_values


@dataclass(frozen=True, eq=False)
class InMemory:
    """Columns, and what messages call the table."""

    name: str
    columns: pa.Table


class ArrowTable:
    """Such a table as a source of rows."""

    unit = "row"
    has_header = True

    def __init__(self, table: InMemory, limits: Limits) -> None:
        self.name, self._columns, self._limits = table.name, table.columns, limits
        self.odd = odd_columns(table.columns.schema)
        check_columns(self.name, table.columns.num_columns, limits)
        check_names(table.columns.schema.names, self.name)

    def names(self) -> list[str]:
        """The names of the schema."""
        return list(self._columns.schema.names)

    def batches(self, wanted: Sequence[str]) -> Iterator[Batch]:
        """See Source."""
        check_single_values(self.name, wanted, self.odd)
        check_rows(self.name, self._columns.num_rows, len(wanted), self._limits)
        chosen, rows = self._columns.select(list(wanted)), 0
        for batch in chosen.to_batches(BATCH_ROWS) or [_empty(chosen.schema)]:
            yield checked(batch, rows)
            rows += batch.num_rows


def _empty(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.nulls(0, field.type) for field in schema], schema=schema)
