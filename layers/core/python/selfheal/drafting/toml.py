"""The few forms of TOML that a contract needs, written so that any name survives."""

import re
from collections.abc import Iterator, Sequence

from selfheal.contract.model import Feature
from selfheal.drafting.columns import Column

BARE = re.compile(r"[A-Za-z0-9_-]+")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
LONGEST_SAID = 60


def string(text: str) -> str:
    """A basic string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", escaped) + '"'


def key(name: str) -> str:
    """A key, bare where it may be."""
    return name if BARE.fullmatch(name) else string(name)


def scalar(value: int | str | bool) -> str:  # noqa: FBT001 - a label may be one
    """A value of a label."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else string(value)


def said(text: str) -> str:
    """Text for a comment, in which control characters have no place."""
    return CONTROL.sub(" ", text)


def feature_lines(name: str, feature: Feature, notes: Sequence[str], column: Column) -> Iterator[str]:
    """A feature's section, its notes as comments above what they are about."""
    yield f"[features.{key(name)}]"
    for note in notes:
        yield f"# {said(note)}"
    yield f"type = {string(feature.type)}"
    if feature.categories is not None:
        yield f"categories = [{', '.join(map(string, feature.categories))}]  # any other value is refused: check"
    if feature.nullable:
        yield f"nullable = true  # missing in {column.missing} of {len(column)} rows"
