"""Cells as moments in UTC, by the contract's format and zone."""

import re
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from selfheal.contract.model import FileSection
from selfheal.files.columns import texts

# Microseconds that the numbers of a format count.
EPOCHS = {"epoch_seconds": 1_000_000, "epoch_milliseconds": 1_000}
NUMBER = re.compile(r"[+-]?\d{1,15}(\.\d*)?")
ZONED = re.compile(r".*\d[T ]\d.*(Z|z|[+-]\d\d(:?\d\d)?)")
HOUR = re.compile(r"(\d{1,2})(?:\.0*|:(\d\d)(?::(\d\d))?)?")
DAY_OR_MONTH = re.compile(r"\d{1,2}([-/.])\d{1,2}\1\d{2,4}\b.*")
HOURS, SIXTY = 24, 60
NOTHING = np.datetime64("NaT", "us")

type Moments = NDArray[np.datetime64]


class Times(NamedTuple):
    """n cells as moments in UTC, NaT where missing or no time; `repeated`: in an hour that the zone's clocks repeat."""

    moments: Moments
    repeated: NDArray[np.bool_]


def times_of(cells: pa.Array, spec: FileSection, hours: pa.Array | None = None) -> Times:
    """Cells as moments, the hours of their days added where they have a column of their own.

    A local time that the clocks show twice is taken for the first; one that they skip is no time.
    """
    if pa.types.is_timestamp(cells.type):
        local = cells.cast(pa.timestamp("us")).to_numpy(zero_copy_only=False)
        aware = np.full(len(cells), cells.type.tz is not None)
    else:
        local, aware = _read(cells, spec)
    if hours is not None:
        local = local + _hours(hours)
    if spec.zone == "UTC" or aware.all():
        return Times(local, np.zeros(len(local), dtype=bool))
    index = pd.DatetimeIndex(local[~aware])
    first, second = (
        index.tz_localize(spec.zone, ambiguous=np.full(len(index), is_summer), nonexistent="NaT")
        .tz_convert("UTC")
        .tz_localize(None)
        .to_numpy(dtype="datetime64[us]")
        for is_summer in (True, False)
    )
    moments, repeated = local.copy(), np.zeros(len(local), dtype=bool)
    moments[~aware], repeated[~aware] = first, (first != second) & ~np.isnat(first)
    return Times(moments, repeated)


def expected(spec: FileSection) -> str:
    """What a time should look like, for a message."""
    if spec.time_format in EPOCHS:
        return f"a number of {spec.time_format.removeprefix('epoch_')} since 1970"
    if spec.time_format != "iso":
        return f"a time written as {spec.time_format}"
    return "an ISO 8601 time (such as 2026-01-31T12:00:00 or 2026-01-31)"


def advice(text: str, spec: FileSection) -> str:
    """What to do about a time in another format, where it looks like one."""
    if spec.time_format != "iso":
        return ""
    if found := DAY_OR_MONTH.fullmatch(text.strip()):
        sign = found[1]
        choices = (sign.join(("%d", "%m", "%Y")), sign.join(("%m", "%d", "%Y")))
        return f': set time_format under [file], such as "{choices[0]}" or "{choices[1]}"'
    if NUMBER.fullmatch(text.strip()):
        return ': set time_format = "epoch_seconds" or "epoch_milliseconds" under [file]'
    return ""


def _read(cells: pa.Array, spec: FileSection) -> tuple[Moments, NDArray[np.bool_]]:
    encoded = texts(cells, ".")
    encoded = encoded if pa.types.is_dictionary(encoded.type) else encoded.dictionary_encode()
    written = [(text or "").strip() for text in encoded.dictionary.to_pylist()]
    moments, aware = _of_texts(written, spec)
    codes = encoded.indices.fill_null(len(written)).to_numpy(zero_copy_only=False)
    return np.append(moments, NOTHING)[codes], np.append(aware, np.False_)[codes]


def _of_texts(written: list[str], spec: FileSection) -> tuple[Moments, NDArray[np.bool_]]:
    if spec.time_format in EPOCHS:
        return _since_1970(written, EPOCHS[spec.time_format]), np.ones(len(written), dtype=bool)
    is_iso = spec.time_format == "iso"
    aware = np.array([ZONED.fullmatch(text) is not None for text in written] if is_iso else [], dtype=bool)
    if not is_iso:
        aware = np.full(len(written), "%z" in spec.time_format)
    # Both kinds apart: pandas refuses, or bends, a mixture.
    series, moments = pd.Series(written, dtype=object), np.full(len(written), NOTHING)
    for kind in (True, False):
        if (aware == kind).any():
            form = "ISO8601" if is_iso else spec.time_format
            found = pd.to_datetime(series[aware == kind], format=form, errors="coerce", utc=True)
            moments[aware == kind] = found.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
    return moments, aware


def _since_1970(written: list[str], each: int) -> Moments:
    moments = [int(float(text) * each) if NUMBER.fullmatch(text) else None for text in written]
    first, last = (int(np.datetime64(year, "us").astype(np.int64)) for year in ("0001", "9999"))
    kept = [np.datetime64(m, "us") if m is not None and first <= m <= last else NOTHING for m in moments]
    return np.array(kept, dtype="datetime64[us]")


def _hours(cells: pa.Array) -> NDArray[np.timedelta64]:
    encoded = texts(cells, ".")
    encoded = encoded if pa.types.is_dictionary(encoded.type) else encoded.dictionary_encode()
    different = [_seconds((text or "").strip()) for text in encoded.dictionary.to_pylist()]
    seconds = np.array([*different, None], dtype="timedelta64[s]")
    codes: NDArray[np.int32] = encoded.indices.fill_null(len(different)).to_numpy(zero_copy_only=False)
    return seconds[codes]


def _seconds(text: str) -> int | None:
    found = HOUR.fullmatch(text)
    if found is None:
        return None
    hour, minute, second = (int(part or 0) for part in found.groups())
    return hour * 3600 + minute * 60 + second if hour < HOURS and max(minute, second) < SIXTY else None
