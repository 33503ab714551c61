"""A text in chunks of whole lines, their ends as they are."""

import io
from collections.abc import Iterator

from selfheal.errors import FileUnreadable

CHUNK = 1 << 18


def whole_lines(name: str, text: io.TextIOWrapper, encoding: str, longest: int) -> Iterator[str]:
    """A text that doesn't translate its line ends, in chunks that end with one; the last one may end without.

    Raises:
        FileUnreadable: it isn't of its encoding, or a line has more than `longest` characters.
    """
    rest = ""
    try:
        while piece := text.read(CHUNK):
            rest += piece
            # What follows a carriage return may belong to it.
            end = max(rest.rfind("\n"), rest.rfind("\r", 0, -1)) + 1
            if end:
                yield rest[:end]
                rest = rest[end:]
            if len(rest) > longest:
                raise FileUnreadable(too_long(name, longest))
    except UnicodeError as error:
        raise FileUnreadable(f"{name} is not {encoding}: {error}") from error
    if rest:
        yield rest


def too_long(name: str, longest: int) -> str:
    """Why a row isn't read."""
    return f"{name}: a row has more than {longest:,} characters"
