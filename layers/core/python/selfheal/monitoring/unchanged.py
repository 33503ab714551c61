"""Features that hold one value, and since when: a look back is a day long, the month of a year lasts for thirty."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime

import pandas as pd

from selfheal.drift import Reference
from selfheal.drift.summary import InputSummary
from selfheal.monitoring.quality import is_constant
from selfheal.records.monitoring import Unchanged


def unchanged_features(
    reference: Reference, window: InputSummary, sample: pd.DataFrame, start: datetime, before: Sequence[Unchanged]
) -> Iterator[Unchanged]:
    """The features of which one value fills a window that starts at `start`, and none fills half of the reference.

    before: what was found of the window before, if the two touch: a value that was held then is held since then.
    """
    since = {(known.feature, known.value): known.since for known in before}
    for known in reference.features:
        column = sample[known.name]
        if is_constant(known, column, window.features[known.name].present):
            value = hashlib.sha256(repr(column.mode().iloc[0]).encode()).hexdigest()[:16]
            yield Unchanged(feature=known.name, value=value, since=since.get((known.name, value), start))
