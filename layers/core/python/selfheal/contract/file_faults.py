"""What is wrong with a contract's `[file]` table that its types don't show."""

import codecs
import zoneinfo
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

EPOCHS = ("epoch_seconds", "epoch_milliseconds")
# Encodings of Python that are none of files.
NO_ENCODINGS = {"idna", "punycode", "raw_unicode_escape", "undefined", "unicode_escape", "utf_7"}
# A day whose year, month and day can't be taken for each other.
EXAMPLE = datetime(2001, 2, 13)  # noqa: DTZ001 - a day, not a moment


def file_faults(raw: dict[str, Any]) -> Iterator[str]:
    """Faults of the raw contract's `[file]` table, each with its path."""
    file, model = raw.get("file"), raw.get("model")
    if not isinstance(file, dict):
        return
    for key, check in _CHECKS.items():
        value = file.get(key)
        if isinstance(value, str) and (fault := check(value)) is not None:
            yield f"file.{key}: {fault}"
    if file.get("thousands") and file.get("thousands") == file.get("decimal", "."):
        yield f"file.thousands: {file['thousands']!r} is the decimal sign already"
    if isinstance(file.get("hour_column"), str):
        yield from _hour_faults(file["hour_column"], model if isinstance(model, dict) else {})


def _hour_faults(name: str, model: dict[str, Any]) -> Iterator[str]:
    if not model.get("time_column"):
        yield "file.hour_column: hours of which day? Name the column of days as model.time_column"
    elif name in {model.get("target"), model.get("time_column")}:
        yield f"file.hour_column: {name!r} is the target or the time column"


def _separator(value: str) -> str | None:
    is_one = len(value) == 1 or value[1:] == " "
    if is_one and value[:1].isprintable() and value[:1] not in {'"', " "} and not value[:1].isalnum():
        return None
    return None if value == "\t" else 'one sign such as ";" or "\\t", and ", " where a blank follows each'


def _encoding(value: str) -> str | None:
    try:
        # The list of Python's encodings holds some that turn bytes into bytes.
        name = codecs.lookup(value).name.replace("-", "_")
        is_text = "a".encode(name).decode(name) == "a"
    except (LookupError, ValueError, UnicodeError):
        is_text, name = False, ""
    return None if is_text and name not in NO_ENCODINGS else f"no encoding is called {value[:60]!r}"


def _zone(value: str) -> str | None:
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return f"no time zone is called {value[:60]!r}; such as Europe/Berlin"
    return None


def _time_format(value: str) -> str | None:
    if value in {"iso", *EPOCHS}:
        return None
    told = (
        f'"iso", {", ".join(map(repr, EPOCHS))}, or directives that give year, month and day, such as "%d/%m/%Y %H:%M"'
    )
    if not ("%Y" in value or "%y" in value):
        return told
    try:
        written = EXAMPLE.astimezone().strftime(value) if "%z" in value else EXAMPLE.strftime(value)
        read = datetime.strptime(written, value)  # noqa: DTZ007 - a zone is the contract's
    except (ValueError, UnicodeError):
        return told
    return None if read.date() == EXAMPLE.date() else told


_CHECKS: dict[str, Callable[[str], str | None]] = {
    "separator": _separator,
    "encoding": _encoding,
    "zone": _zone,
    "time_format": _time_format,
}
