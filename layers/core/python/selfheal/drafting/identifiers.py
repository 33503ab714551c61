"""Columns that name the row or somebody in it: by how seldom their values repeat, and by what they are called."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from selfheal.drafting.columns import PLAIN_NUMBERS, Column
from selfheal.records.external_ids import MAXIMUM_ID

# Below this many rows values may all differ by chance.
LEAST_ROWS = 20
MOST_TEXTS_PER_ROW = 0.5
# Of a category that is one under the name of an id there are few, and many rows of each.
MOST_KINDS, LEAST_ROWS_OF_EACH = 12, 20
NEARLY_ALL = 0.9
# Values that were drawn would repeat at least this often, and those that were given out hardly do.
EXPECTED_REPEATS, REPEATED_SHARE = 5, 0.05
NEIGHBOURS = 10
# Ids that tell who somebody is: no system should ask for labels by them.
PERSONAL = {"ssn", "iban", "email"}

BLANK = re.compile(r"\s")
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
IDS = {"id", "ids", "uuid", "guid", "identifier", "idx", "rowid", "ssn", "iban", "imei", "vin", "email", "pk"}
# What ids are of, where the two words are written as one or the second is a number.
HOLDERS = (
    "user|cust|customer|client|member|account|acct|order|product|item|session|device|patient|person|visitor|record|row|"
    "case|loan|transaction|trans|txn|emp|employee|student|policy|claim|invoice|ticket|booking|passenger"
)
JOINED = re.compile(rf"({HOLDERS})[_ -]?(id|no|nr|num|number|nummer)", re.IGNORECASE)

type Numbers = NDArray[np.float64]


def is_called_id(name: str) -> bool:
    """Whether a column's name says that it holds ids: PatientId, order_id, ID, userid."""
    words = _words(name)
    return bool(words) and (words[-1] in IDS or words[0] in IDS or JOINED.fullmatch(name.strip()) is not None)


def _words(name: str) -> list[str]:
    return [word.lower() for word in WORD.findall(name)]


def names_the_row(column: Column) -> str | None:
    """Why a column tells rows apart instead of describing them; None where nothing speaks for it."""
    if len(column.present) >= LEAST_ROWS and column.type != "boolean" and (reason := _by_repeats(column)):
        return reason
    return _is_clock(column)


def row_id(columns: Sequence[Column]) -> Column | None:
    """The column by which each row may be known again; one that is called an id comes first, None where there is none.

    Whole numbers that were given out count, and short texts without blanks: no two rows share one, and none lacks it.
    """
    found = [column for column in columns if _tells_rows_apart(column)]
    return next((column for column in found if is_called_id(column.name)), next(iter(found), None))


def _tells_rows_apart(column: Column) -> bool:
    if column.missing or len(column.counts) < len(column) or PERSONAL & {*_words(column.name)}:
        return False
    if column.type == "category":
        return all(len(text) <= MAXIMUM_ID and not BLANK.search(text) for text in column.counts.index)
    return column.type == "integer" and (is_called_id(column.name) or _is_clock(column) is None)


def _by_repeats(column: Column) -> str | None:
    rows, values = len(column.present), len(column.counts)
    if column.type == "category" and values > MOST_TEXTS_PER_ROW * rows:
        return _too_many_texts(column)
    if values > MOST_KINDS and values * LEAST_ROWS_OF_EACH > rows and is_called_id(column.name):
        return (
            f"an id by its name, with {values} values in {rows} rows: what was learnt of one says nothing of the next"
        )
    if column.is_numeric and _are_given_out(column.counts.index.to_numpy(dtype=np.float64), rows):
        return "whole numbers of which none occurs twice: they number the rows"
    return None


def _too_many_texts(column: Column) -> str:
    told = f"{len(column.counts)} different texts in {len(column.present)} rows"
    if column.is_written_numbers:
        return f"{told}; {PLAIN_NUMBERS}"
    is_unique = len(column.counts) == len(column.present)
    return "no value occurs twice: it names the row" if is_unique else f"{told}: too few rows to learn from each"


def _are_given_out(values: Numbers, rows: int) -> bool:
    """Whether whole numbers repeat (nearly) never where as many that were drawn would.

    values: the different ones. How often drawn ones would repeat is summed over each and its neighbours.
    """
    if np.any(values % 1 != 0) or len(values) < LEAST_ROWS:
        return False
    ordered = np.sort(values)
    widths = (ordered[NEIGHBOURS:] - ordered[:-NEIGHBOURS]) / NEIGHBOURS
    expected = float(np.sum(1.0 / np.maximum(widths, 1.0))) / 2
    return expected >= EXPECTED_REPEATS and rows - len(values) <= REPEATED_SHARE * expected


def _is_clock(column: Column) -> str | None:
    """Numbers that rise from each row to the next tell only where the row stands."""
    if len(column) >= LEAST_ROWS and column.is_numeric and bool(np.all(np.diff(column.present) > 0)):
        return "it rises with every row, as a clock or a counter does"
    return None
