"""A Dataset as bytes: Parquet for keeping, and a fingerprint that depends on its content alone."""

import hashlib
import io

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from selfheal.contract import Contract
from selfheal.data.stored_table import frame_of, table_in
from selfheal.tables.dataset import Dataset, typed_features

# Names of these columns are reserved by the contract's parser.
ROW_ID, TIMESTAMP, LABEL = "__row_id", "__timestamp", "__label"


def to_parquet(dataset: Dataset) -> bytes:
    """The data set as Parquet: the features under their names beside `__row_id`, `__timestamp` and `__label`."""
    frame = dataset.features.assign(
        **{ROW_ID: dataset.row_ids, TIMESTAMP: dataset.timestamps.astype("datetime64[us]"), LABEL: dataset.labels}
    )
    # Without pandas' metadata the bytes follow from the content alone.
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata()
    buffer = io.BytesIO()
    parquet.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def from_parquet(payload: bytes, contract: Contract) -> Dataset:
    """What `to_parquet` wrote, with the contract's features; one that the table lacks is missing in every row."""
    frame = frame_of(table_in(payload))
    return Dataset(
        row_ids=frame[ROW_ID].astype(object).to_numpy(dtype=object),
        timestamps=frame[TIMESTAMP].to_numpy(dtype="datetime64[us]"),
        features=typed_features(frame.reindex(columns=list(contract.feature_names)), contract),
        labels=frame[LABEL].to_numpy(),
    )


def fingerprint(dataset: Dataset) -> str:
    """SHA-256, in hex, of the rows in their order: ids, times, features by name, labels; of no file format."""
    digest = hashlib.sha256()
    _update(digest, "ids", "\0".join(map(str, dataset.row_ids)).encode())
    _update(digest, "times", dataset.timestamps.astype("datetime64[us]").astype("<i8").tobytes())
    kind = "<f8" if dataset.labels.dtype == np.float64 else "<i1"
    _update(digest, "labels", dataset.labels.astype(kind).tobytes())
    for name in dataset.features:
        _update(digest, f"feature {name}", _column_bytes(dataset.features[name]))
    return digest.hexdigest()


def _update(digest: "hashlib._Hash", name: str, content: bytes) -> None:
    # Lengths first, so that no two tables run together into the same bytes.
    digest.update(f"{len(name)}:{name}:{len(content)}:".encode())
    digest.update(content)


def _column_bytes(column: pd.Series) -> bytes:
    if column.dtype == np.float64:
        # One pattern for every NaN, and one for both zeros.
        values = column.to_numpy(dtype="<f8")
        return np.where(np.isnan(values), np.nan, values + 0.0).astype("<f8").tobytes()
    # Each value is spelt once, however many rows hold it.
    codes, distinct = pd.factorize(column, use_na_sentinel=False)
    spelt = ["-" if pd.isna(value) else f"{len(value)}:{value}" for value in distinct]
    return "".join([spelt[code] for code in codes]).encode()
