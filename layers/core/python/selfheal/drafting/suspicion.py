"""Why a column should not be a feature: it names the row, tells the time, says nothing, or gives the answer away."""

import numpy as np
from numpy.typing import NDArray

from selfheal.drafting.columns import Column
from selfheal.drafting.dates import DATES, days_since, is_date
from selfheal.drafting.identifiers import names_the_row
from selfheal.drafting.leaks import knows_the_target, questions

KNOWING = "it tells the target almost perfectly by itself: it was probably written down when the answer was known"

type Labels = NDArray[np.int8]
type Moments = NDArray[np.datetime64]


def reason_against(column: Column, labels: Labels, moments: Moments | None) -> str | None:
    """Why the column is better left out, as a sentence for its reader; None where nothing speaks against it.

    moments: when each row was made, shape (n,); None where the file doesn't say.
    """
    if len(column.counts) == 1 and not column.missing:
        only = column.counts.index[0]
        return f"it has the same value in every row ({only!r})" if isinstance(only, str) else _same_number(only)
    if is_date(column):
        return f"{DATES}; {about_dates(days_since(column, moments), labels) or 'put that in its place'}"
    if reason := names_the_row(column):
        return reason
    return KNOWING if knows_the_target(column, labels) else None


def about_dates(days: Column, labels: Labels) -> str | None:
    """What speaks against an age or a duration that is made of the dates; None where nothing does."""
    if knows_the_target(days, labels):
        return f"and no duration either: {KNOWING}"
    asked = questions([days], labels)
    return f"check before you make one of it: {asked[days.name]}" if asked else None


def _same_number(value: float) -> str:
    return f"it has the same value in every row ({value:.12g})"
