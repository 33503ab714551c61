"""Cells as the contract types them: n cells become values, and a mask of the cells that are none."""

import re
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from selfheal.contract.model import FileSection
from selfheal.files.columns import LARGEST_EXACT, by_value, is_text, texts, values
from selfheal.files.texts import BOOLEANS, MISSING_NUMBERS

type Mask = NDArray[np.bool_]
type Floats = NDArray[np.float64]
type Strings = NDArray[np.object_]

DIGITS = re.compile(r"[+-]?[0-9]{16,}")
BLANKS = " \u00a0\u202f"


class Numbers(NamedTuple):
    """n numbers, NaN where missing or none; which cells hold something that is no number, and which no float holds."""

    floats: Floats
    wrong: Mask
    inexact: Mask


def is_blank(cells: pa.Array) -> Mask:
    """Which cells are empty, or hold blanks alone."""
    if not is_text(cells.type):
        return _mask(cells.is_null(nan_is_null=True))
    return _mask(by_value(cells, lambda texts: pc.equal(pc.utf8_trim_whitespace(texts), "")).fill_null(True))


def is_padded(cells: pa.Array) -> Mask:
    """Which cells hold a text with blanks around it."""
    if not is_text(cells.type):
        return np.zeros(len(cells), dtype=bool)
    padded = by_value(cells, lambda texts: pc.not_equal(pc.utf8_trim_whitespace(texts), texts))
    return _mask(padded.fill_null(False)) & ~is_blank(cells)


def strings(cells: pa.Array, spec: FileSection) -> Strings:
    """Texts as the file has them, shape (n,); None where missing. Each different text is one object."""
    array = np.array(values(texts(cells, spec.decimal)), dtype=object)
    array[is_blank(cells)] = None
    return array


def numbers(cells: pa.Array, spec: FileSection) -> Numbers:
    """Numbers by the decimal and thousands signs of the file; words such as NA are missing ones."""
    nothing = np.zeros(len(cells), dtype=bool)
    if is_text(cells.type):
        if pa.types.is_dictionary(cells.type):
            cells = cells.dictionary_decode()
        return _of_texts(cells, spec)
    if pa.types.is_integer(cells.type):
        found = cells.to_numpy(zero_copy_only=False).astype(np.float64)
        whole = cells.fill_null(0).to_numpy()
        return Numbers(found, nothing, (whole > LARGEST_EXACT) | (whole < -LARGEST_EXACT))
    if pa.types.is_decimal(cells.type):
        found = cells.cast(pa.float64()).to_numpy(zero_copy_only=False)
        return Numbers(found, nothing, (np.abs(found) > LARGEST_EXACT) & (found % 1 == 0))
    if pa.types.is_floating(cells.type):
        return Numbers(cells.to_numpy(zero_copy_only=False).astype(np.float64), nothing, nothing)
    return Numbers(np.full(len(cells), np.nan), ~is_blank(cells), nothing)


def booleans(cells: pa.Array, spec: FileSection) -> Numbers:
    """True as 1.0 and false as 0.0, from words of any case, or from 1 and 0."""

    def read(different: pa.Array) -> pa.Array:
        words = [(text or "").strip().lower() for text in texts(different, spec.decimal).to_pylist()]
        return pa.array([BOOLEANS.get(word) for word in words], pa.float64())

    found = by_value(cells, read).to_numpy(zero_copy_only=False).astype(np.float64)
    return Numbers(found, np.isnan(found) & ~is_missing_number(cells), np.zeros(len(cells), dtype=bool))


def is_missing_number(cells: pa.Array) -> Mask:
    """Which cells of a number or boolean are missing: empty ones, and words for it."""
    if not is_text(cells.type):
        return is_blank(cells)
    words = pa.array(MISSING_NUMBERS, pa.string())
    return _mask(by_value(cells, lambda texts: pc.is_in(pc.utf8_trim_whitespace(texts), words)).fill_null(True))


def _of_texts(cells: pa.Array, spec: FileSection) -> Numbers:
    trimmed = pc.utf8_trim_whitespace(cells)
    if (found := _plain_numbers(trimmed, spec)) is not None:
        return Numbers(found, np.zeros(len(cells), dtype=bool), _inexact(found, trimmed))
    fits = pc.match_substring_regex(trimmed, _pattern(spec))
    plain = pc.if_else(fits, trimmed, pa.scalar(None, trimmed.type))
    if spec.thousands:
        plain = pc.replace_substring_regex(plain, f"[{_signs(spec.thousands)}]", "")
    if spec.decimal != ".":
        plain = pc.replace_substring(plain, spec.decimal, ".")
    found = plain.cast(pa.float64()).to_numpy(zero_copy_only=False).astype(np.float64)
    wrong = ~_mask(fits.fill_null(False)) & ~is_missing_number(cells)
    return Numbers(found, wrong, _inexact(found, plain))


def _plain_numbers(trimmed: pa.Array, spec: FileSection) -> Floats | None:
    """The numbers where all cells are empty or numbers by the usual signs, as most often; None otherwise."""
    if spec.thousands or spec.decimal != ".":
        return None
    present = pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, trimmed.type), trimmed)
    try:
        cells = present.cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    found = cells.to_numpy(zero_copy_only=False).astype(np.float64)
    # Arrow takes more words for NaN than are meant by it.
    return found if int(np.isnan(found).sum()) == cells.null_count else None


def _inexact(found: Floats, written: pa.Array) -> Mask:
    """Which numbers lost their last digits. Only what is written out in digits claims to be exact."""
    inexact = np.zeros(len(found), dtype=bool)
    for row in np.flatnonzero(np.abs(found) >= LARGEST_EXACT):
        text = written[int(row)].as_py()
        # The next whole number rounds to the largest exact one. Python reads no integer of thousands of digits.
        is_digits = DIGITS.fullmatch(text) is not None
        inexact[row] = is_digits and (abs(found[row]) > LARGEST_EXACT or int(text.lstrip("+-0")) > LARGEST_EXACT)
    return inexact


def _pattern(spec: FileSection) -> str:
    point = re.escape(spec.decimal)
    whole = "[0-9]+"
    if spec.thousands:
        whole = f"(?:{whole}|[0-9]{{1,3}}(?:[{_signs(spec.thousands)}][0-9]{{3}})+)"
    number = f"(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?"
    return f"^[+-]?(?:{number}|(?i:inf(?:inity)?))$"


def _signs(thousands: str) -> str:
    return BLANKS if thousands == " " else re.escape(thousands)


def _mask(array: pa.Array) -> Mask:
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=bool)
