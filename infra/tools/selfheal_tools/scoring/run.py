"""A whole file: read by the contract, asked part by part, answers written beside the rows."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from selfheal.batches import output
from selfheal.batches.layout import Layout, layout_of
from selfheal.batches.rows import ReadRows, read_rows
from selfheal.contract import Contract
from selfheal.files.source import Source
from selfheal.files.table import reading
from selfheal.records.batches import RefusedRow
from selfheal_tools.scoring.asking import Api, Asked, Sleep, ask
from selfheal_tools.scoring.progress import Growing, Progress

# Rows of one request: answered in a tenth of a second, and few enough to be sent again.
PART_ROWS = 1_000


def score_file(file: Path, out: Path, contract: Contract, api: Api, *, sleep: Sleep) -> Progress:
    """Answer a file's rows into another; what an earlier attempt has done isn't done again.

    Raises:
        FileUnreadable: it is no table, or lacks a feature.
        OutputTaken: there are answers already, or some of another file.
        ScoringStopped: the API answers no more; what was answered so far is kept.
    """
    digest = _digest(file)
    with Growing.begun(out, digest) as growing, reading(file, contract.file) as source:
        layout = layout_of(source.name, source.names(), contract)
        done = growing.progress.parts
        for number, part in enumerate(_parts(source, layout)):
            if number >= done:
                asked = _asked(api, part, layout, f"{digest} {number}", sleep)
                _add(growing, part, layout, asked, is_first=number == 0)
        if not growing.progress.parts:
            growing.add(output.answers_header(layout.kept), output.refused_header(), counts=(0, 0, 0))
        growing.finish()
        return growing.progress


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _parts(source: Source, layout: Layout) -> Iterator[ReadRows]:
    for batch in source.batches(layout.wanted):
        yield from read_rows(batch, layout).parts(PART_ROWS)


def _asked(api: Api, part: ReadRows, layout: Layout, key: str, sleep: Sleep) -> Asked:
    ids = part.rows.ids or [None] * len(part)
    name = layout.id_name
    rows = [
        row if own_id is None or name is None else {**row, name: own_id}
        for row, own_id in zip(part.rows.values, ids, strict=True)
    ]
    return ask(api, rows, key, sleep)


def _add(growing: Growing, part: ReadRows, layout: Layout, asked: Asked, *, is_first: bool) -> None:
    answered = sorted(asked.predictions)
    by_api = [RefusedRow(line=part.lines[row], id=part.id_of(row), reason=why) for row, why in asked.refusals.items()]
    refused = sorted([*part.refused, *by_api], key=lambda row: row.line)
    headers = (output.answers_header(layout.kept), output.refused_header()) if is_first else ("", "")
    answers = output.answers([part.cells[row] for row in answered], [asked.predictions[row] for row in answered])
    growing.add(
        headers[0] + answers,
        headers[1] + output.refused(refused),
        counts=(len(answered), len(refused), asked.unlogged),
    )
