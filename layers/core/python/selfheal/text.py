"""Text that others wrote is data: on its way to people, the ledger or a log it is one line, printable and bounded.

Where it is cut it says so, and how long it was; what was cut off stands where the text came from.
"""

import unicodedata

# Characters at the start of a cell that make a spreadsheet compute instead of show.
FORMULA = ("=", "+", "-", "@")


def printable(text: str) -> str:
    """The text on one line, without control characters and marks that turn the direction of reading."""
    return "".join(character if character.isprintable() else " " for character in text)


def bounded(text: str, at_most: int) -> str:
    """Printable text of `at_most` characters; where it was longer a mark says so. Doing it again changes nothing."""
    return _cut(printable(text), at_most)


def bounded_lines(text: str, at_most: int) -> str:
    """The same for a text of several lines."""
    return _cut("\n".join(printable(line) for line in text.split("\n")), at_most)


def listed(names: list[str], at_most: int) -> tuple[str, ...]:
    """The first so many names, and how many more there are."""
    more = len(names) - at_most
    return (*names[:at_most], f"and {more:,} more") if more > 0 else tuple(names)


def spreadsheet_cell(text: str, at_most: int) -> str:
    """Bounded text that a spreadsheet shows and never computes; numbers stay as they are."""
    shown = bounded(text, at_most)
    # Full-width forms count as well in some spreadsheets.
    starts_formula = unicodedata.normalize("NFKC", shown.lstrip()).startswith(FORMULA)
    return f"'{shown}" if starts_formula and not _is_number(shown) else shown


def _cut(text: str, at_most: int) -> str:
    if len(text) <= at_most:
        return text
    mark = f"… (cut, {len(text):,} characters in all)"
    return f"{text[: at_most - len(mark)]}{mark}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
