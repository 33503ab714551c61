"""What a reader should check about a feature that was taken in."""

from collections.abc import Iterator

import pandas as pd

from selfheal.contract.model import Feature
from selfheal.drafting.columns import PLAIN_NUMBERS, Column
from selfheal.drafting.identifiers import is_called_id
from selfheal.drafting.names import is_text
from selfheal.files.texts import MISSING_NUMBERS

# A closed list only where values are few and each was seen often: a value that comes later is refused.
MOST_CATEGORIES = 12
LEAST_SEEN = 5
# Training gives more than this many categories of a feature one code together.
MOST_LEARNT = 254
MOST_SHOWN = 5
NUMERIC_SHARE = 0.9


def feature_of(column: Column) -> Feature:
    """The column as a feature of the contract."""
    is_closed = column.type == "category" and len(column.counts) <= MOST_CATEGORIES
    is_closed = is_closed and bool((column.counts >= LEAST_SEEN).all()) and all(map(is_text, column.counts.index))
    return Feature(
        type=column.type,
        nullable=column.missing > 0,
        categories=tuple(sorted(column.counts.index)) if is_closed else None,
    )


def notes_on(column: Column, question: str | None) -> Iterator[str]:
    """What was seen, and what to check; each a line. `question` is asked where the column may be a leak."""
    yield from _on_texts(column) if column.type == "category" else _on_numbers(column)
    if is_called_id(column.name):
        yield "check: an id by its name; it can teach something only where the same values come again and again"
    if question is not None:
        yield f"check: {question}"


def _on_numbers(column: Column) -> Iterator[str]:
    if column.type == "boolean":
        yield f"true in {column.present.mean():.1%} of the rows"
        return
    values = sorted(column.counts.index)
    few = ", ".join(f"{value:.12g}" for value in values)
    yield f"seen: {few if len(values) <= MOST_SHOWN else f'{values[0]:.12g} to {values[-1]:.12g}'}"
    if column.type == "number" and bool((column.present % 1 == 0).all()):
        yield 'check: whole in every row; "integer" would refuse others'
    if column.type == "integer" and set(column.counts.index) == {0.0, 1.0}:
        yield 'check: 0 and 1 only; "boolean" if clients send true and false'


def _on_texts(column: Column) -> Iterator[str]:
    most = [f"{value!r} {count / len(column):.1%}" for value, count in column.counts[:MOST_SHOWN].items()]
    more = len(column.counts) - len(most)
    yield f"seen: {', '.join(most)}{f' and {more} more' if more else ''}"
    if len(column.counts) > MOST_LEARNT:
        yield f"check: {len(column.counts)} values, of which the {MOST_LEARNT} most frequent are learnt"
    if absent := sorted(set(column.counts.index) & set(MISSING_NUMBERS)):
        yield f"check: {', '.join(map(repr, absent))} counts as a value; leave the cell empty where it means missing"
    if column.is_written_numbers:
        yield f"check: {PLAIN_NUMBERS}"
    numeric = pd.to_numeric(pd.Series(column.counts.index), errors="coerce").notna().to_numpy()
    share = column.counts[numeric].sum() / len(column.present)
    if NUMERIC_SHARE <= share < 1:
        odd = next(value for value, fits in zip(column.counts.index, numeric, strict=True) if not fits)
        yield f"check: {share:.1%} are numbers; with {odd!r} and the like left empty it would be a number"
