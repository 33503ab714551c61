"""Columns of dates: no features themselves, and sometimes written down only when the answer was known."""

import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal.drafting.columns import Column

DATE_SHARE = 0.95
DATES = "dates: a model learns from an age or a duration, not from a moment"
MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}([-/.]\d{1,2}([ T]\d{1,2}:\d{2}.*)?)?"
    r"|\d{1,2}[-/]\d{1,2}[-/]\d{2,4}( \d{1,2}:\d{2}.*)?|\d{1,2}\.\d{1,2}\.\d{4}( \d{1,2}:\d{2}.*)?"
    rf"|(\d{{1,2}}[- ])?({MONTHS})[a-z]*[-/ .,]+(\d{{1,2}}, ?)?\d{{2,4}}",
    re.IGNORECASE,
)
MICROSECONDS_A_DAY = 86_400e6


def is_date(column: Column) -> bool:
    """Whether (nearly) all values are dates: text in a usual form, or whole numbers that read as YYYYMMDD."""
    if column.type == "integer":
        return _is_compact_date(column.counts.index.to_numpy(dtype=np.float64))
    if column.type != "category":
        return False
    texts = column.counts.index[:1000]
    return sum(bool(DATE.fullmatch(text.strip())) for text in texts) >= DATE_SHARE * len(texts)


def days_since(column: Column, moments: NDArray[np.datetime64] | None) -> Column:
    """Dates as days, counted from each row's own moment where that is known; what can't be read is missing."""
    texts = pd.Series(column.values, dtype=object)
    if column.is_numeric:
        texts = texts.map(lambda value: f"{value:.0f}", na_action="ignore")
    dates = pd.to_datetime(texts, errors="coerce", utc=True, format="mixed").dt.tz_convert(None)
    days = dates.to_numpy(dtype="datetime64[us]")
    since = np.datetime64(0, "us") if moments is None else moments
    numbers = (days - since).astype(np.float64) / MICROSECONDS_A_DAY
    return Column(column.name, "number", np.where(np.isnat(days), np.nan, numbers))


def _is_compact_date(values: NDArray[np.float64]) -> bool:
    year, month, day = values // 10_000, values // 100 % 100, values % 100
    return bool(np.all((year >= 1900) & (year <= 2100) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)))  # noqa: PLR2004
