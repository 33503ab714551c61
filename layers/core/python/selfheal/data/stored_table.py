"""Reading the Parquet objects that selfheal itself wrote: most are of an hour, and small."""

from collections.abc import Sequence

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq


def table_in(body: bytes, columns: Sequence[str] | None = None) -> pa.Table:
    """The table that a Parquet object holds, or some of its columns.

    In this thread: of a small object, to hand columns to other threads takes longer than to read them.
    """
    return pq.ParquetFile(pa.BufferReader(body)).read(columns, use_threads=False)


def frame_of(table: pa.Table) -> pd.DataFrame:
    """The table as a frame, which takes the table's memory over: it is not to be used after."""
    frame: pd.DataFrame = table.to_pandas(split_blocks=True, self_destruct=True, use_threads=False)
    return frame
