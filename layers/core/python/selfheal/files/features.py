"""A feature's cells as the values that a Dataset holds, and everything that is wrong with them."""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa

from selfheal.contract.model import Feature, FileSection
from selfheal.files.cells import Floats, Mask, Strings, booleans, is_blank, numbers, strings

ADVICE = (
    (re.compile(r"[-+]?\d*,\d+"), ".", 'where the comma is its decimal sign, set decimal = "," under [file]'),
    (re.compile(r"[-+]?\d*\.\d+"), ",", 'the contract says decimal = ","'),
    (re.compile(r"[-+]?\d{1,3}([., '])\d{3}(.\d+)?"), "", "where it is in thousands, set thousands under [file]"),
)


type Kind = Literal["type", "missing", "range", "category", "other"]


class Problem(NamedTuple):
    """Cells of one column that are at fault, as a mask of shape (n,); what is wrong, in a word and in a sentence."""

    where: Mask
    kind: Kind
    said: str

    @property
    def first(self) -> int:
        """The first row."""
        return int(np.flatnonzero(self.where)[0])

    @property
    def rows(self) -> int:
        """How many there are."""
        return int(self.where.sum())


class Read(NamedTuple):
    """n values: float64 (missing is NaN) or object (str, missing is None), and what is wrong with them."""

    column: Floats | Strings
    problems: list[Problem]


def feature_values(cells: pa.Array, feature: Feature, spec: FileSection) -> Read:
    """Read n cells as a feature."""
    if feature.is_category:
        texts, blank = strings(cells, spec), is_blank(cells)
        return Read(texts, [*_kept(_missing(blank, feature)), *_kept(_unlisted(texts, blank, feature))])
    read = booleans(cells, spec) if feature.type == "boolean" else numbers(cells, spec)
    missing = np.isnan(read.floats) & ~read.wrong
    problems = [
        Problem(read.wrong, "type", f"not of type {feature.type}"),
        Problem(read.inexact, "type", "beyond 2**53, where numbers lose their last digits: make it a category"),
        *_missing(missing, feature),
        *_out_of_range(read.floats, feature),
    ]
    return Read(read.floats, list(_kept(problems)))


def advice(text: str, spec: FileSection) -> str:
    """What may be wrong with the signs of a text that should be a number, in brackets; nothing where they aren't it."""
    said = [told for form, decimal, told in ADVICE if form.fullmatch(text.strip()) and decimal in {"", spec.decimal}]
    return f" ({'; or '.join(said)})" if said else ""


def _missing(where: Mask, feature: Feature) -> list[Problem]:
    return [] if feature.nullable else [Problem(where, "missing", "missing, and the feature is not nullable")]


def _unlisted(texts: Strings, blank: Mask, feature: Feature) -> list[Problem]:
    if feature.categories is None:
        return []
    listed = {*feature.categories, None}
    unlisted = np.array([text not in listed for text in texts], dtype=bool)
    return [Problem(unlisted & ~blank, "category", "not among the categories")]


def _out_of_range(values: Floats, feature: Feature) -> Iterator[Problem]:
    finite = np.isfinite(values)
    yield Problem(np.isinf(values), "range", "not finite")
    if feature.type == "integer":
        yield Problem(finite & (np.floor(values) != values), "range", "not whole")
    # NaN compares as false.
    if feature.minimum is not None:
        yield Problem(values < feature.minimum, "range", f"below the minimum {feature.minimum:g}")
    if feature.maximum is not None:
        yield Problem(values > feature.maximum, "range", f"above the maximum {feature.maximum:g}")


def _kept(problems: "Iterator[Problem] | list[Problem]") -> Iterator[Problem]:
    return (problem for problem in problems if problem.where.any())
