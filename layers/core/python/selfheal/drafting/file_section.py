"""The drafted `[file]` table: what a file's reader has to know, and what to check about it."""

from collections.abc import Iterator, Mapping

from selfheal.contract.model import FileSection
from selfheal.drafting import toml


def file_lines(spec: FileSection, checks: Mapping[str, str]) -> Iterator[str]:
    """The lines of the table, each key that isn't the usual one; nothing where all are and nothing is asked."""
    usual = FileSection().model_dump()
    unusual = {key: value for key, value in spec.model_dump().items() if value != usual[key]}
    if not unusual and not checks:
        return
    yield ""
    yield "# How this file and all that come after it are written: docs/files.md."
    yield "[file]"
    if "" in checks:
        yield f"# check: {toml.said(checks[''])}"
    for key, value in unusual.items():
        if key in checks:
            yield f"# check: {toml.said(checks[key])}"
        yield f"{key} = {toml.string(value)}"
