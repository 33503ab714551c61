"""The format of a time column, where only one reads all of it."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from selfheal.contract.model import FileSection
from selfheal.errors import DraftImpossible
from selfheal.files.columns import is_text
from selfheal.files.times import EPOCHS, times_of

DAYS = ("%d{0}%m{0}%Y", "%m{0}%d{0}%Y", "%d{0}%m{0}%y", "%m{0}%d{0}%y", "%Y{0}%m{0}%d")
NAMED_DAYS = ("%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y")
CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p", ", %H:%M", ", %H:%M:%S")
SIGNS = "/.-"
SAMPLE = 500
# Years in which a number since 1970 is likely meant as a time.
LIKELY = ("1990", "2100")


def time_format(cells: pa.Array, name: str, spec: FileSection) -> str:
    """The format under which every cell is a time.

    Raises:
        DraftImpossible: there is none, or there are two that tell different times; the message says how to choose.
    """
    if spec.time_format != "iso" or _fits(cells, spec):
        return spec.time_format
    some = cells.unique() if is_text(cells.type) else cells
    some = some.drop_null().slice(0, SAMPLE)
    likely = [form for form in _formats() if _fits(some, _with(spec, form))]
    fitting = [form for form in likely if _fits(cells, _with(spec, form))]
    if not fitting:
        return "iso"
    first, *others = fitting
    moments = times_of(cells, _with(spec, first)).moments
    rival = next((o for o in others if not np.array_equal(times_of(cells, _with(spec, o)).moments, moments)), None)
    if rival is not None:
        raise DraftImpossible(
            f"{name}: {cells[0].as_py()!r} may be written as {first} or as {rival}, and every value fits both: "
            f"say which by --file 'time_format={first}' or --file 'time_format={rival}'"
        )
    return first


def _formats() -> Iterator[str]:
    yield from EPOCHS
    for clock in CLOCKS:
        for day in DAYS:
            yield from (day.format(sign) + clock for sign in SIGNS)
        yield from (day + clock for day in NAMED_DAYS)


def _with(spec: FileSection, form: str) -> FileSection:
    return spec.model_copy(update={"time_format": form})


def _fits(cells: pa.Array, spec: FileSection) -> bool:
    moments = times_of(cells, spec).moments
    if np.isnat(moments).any():
        return False
    first, last = (np.datetime64(year, "us") for year in LIKELY)
    return spec.time_format not in EPOCHS or bool(((moments >= first) & (moments < last)).all())
