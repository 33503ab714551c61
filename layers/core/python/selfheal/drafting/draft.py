"""From a file to the text of a first contract."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from selfheal.contract.model import Contract
from selfheal.contract.parsing import RESERVED_PREFIX, parse_contract
from selfheal.data.files import time_values
from selfheal.drafting import toml
from selfheal.drafting.columns import Column, typed_column
from selfheal.drafting.dates import is_date
from selfheal.drafting.file_section import file_lines
from selfheal.drafting.identifiers import row_id
from selfheal.drafting.leaks import questions
from selfheal.drafting.names import UNNAMABLE, is_name
from selfheal.drafting.notes import feature_of, notes_on
from selfheal.drafting.pace import Pace, policy_lines
from selfheal.drafting.segments import segment_lines
from selfheal.drafting.suspicion import Moments, reason_against
from selfheal.drafting.table import Table, read_table
from selfheal.drafting.target import Target, check_present, read_target
from selfheal.drafting.times import time_format
from selfheal.errors import DraftImpossible
from selfheal.files.table import Tabular

LONGEST_NAME = 48
ENOUGH_LABELS = 200
ENOUGH_OF_A_CLASS = 10


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A column that is no feature, and why; `column` is None where no type would take it."""

    name: str
    reason: str
    column: Column | None


@dataclass(frozen=True, slots=True)
class Draft:
    """A first contract: its text with comments, the same parsed, and the columns that it leaves out."""

    text: str
    contract: Contract
    left_out: tuple[str, ...]


def draft_contract(
    path: Tabular, *, target: str, time: str | None = None, file: Mapping[str, str] | None = None
) -> Draft:
    """Draft a contract for a file of labelled rows; the loader accepts the file under it.

    `file` holds keys of the contract's `[file]` table that are known; what isn't is told from the file.

    Raises:
        DraftImpossible: the file isn't a table with rows, a column isn't there, the target can't be one, the time
            column holds something else, nothing is left to be a feature, or the file allows two readings.
    """
    table = read_table(path, file or {})
    check_present(table, target, "target")
    table = table.labelled(target)
    label = read_target(table, target)
    table, moments = (table, None) if time is None else _timed(table, time, target)
    columns, left_out = _sorted_out(table, label, time, moments)
    if not columns:
        reasons = "; ".join(f"{out.name!r}: {out.reason}" for out in left_out) or "it has no other columns"
        raise DraftImpossible(f"no column of {path.name} can be a feature: {reasons}")
    pace = None if moments is None else Pace.of(moments)
    text = "\n".join(_lines(path, table, label, time, columns, left_out, pace)) + "\n"
    return Draft(text, parse_contract(text), tuple(out.name for out in left_out))


def _timed(table: Table, time: str, target: str) -> tuple[Table, Moments]:
    """The table with the format of its times, and when each row was made."""
    check_present(table, time, "time column")
    if time == target:
        raise DraftImpossible(f"{time!r} can't be both the target and the time column")
    spec = table.spec.model_copy(update={"time_format": time_format(table.column(time), time, table.spec)})
    if spec.hour_column is not None:
        check_present(table, spec.hour_column, "hour column")
    table = replace(table, cells=replace(table.cells, spec=spec))
    faults: list[str] = []
    moments = time_values(table.cells, time, spec.hour_column, faults, [])
    if faults:
        raise DraftImpossible(f"{faults[0]}: write times so, or leave --time out where the rows are in time order")
    return table, moments


def _sorted_out(
    table: Table, target: Target, time: str | None, moments: Moments | None
) -> tuple[list[Column], list[LeftOut]]:
    columns, left_out = [], []
    for name in table.names:
        if name in {target.name, time}:
            continue
        column, reason = _judged(table, name, target, moments)
        if column is None or reason is not None:
            left_out.append(LeftOut(name, reason or "", column))
        else:
            columns.append(column)
    return columns, left_out


def _judged(table: Table, name: str, target: Target, moments: Moments | None) -> tuple[Column | None, str | None]:
    if name.startswith(RESERVED_PREFIX):
        return None, f"names that start with {RESERVED_PREFIX} are the system's own; rename it"
    if not is_name(name):
        return None, f"{UNNAMABLE}; rename it"
    column = typed_column(table, name)
    if column is None:
        return None, "no type of feature takes all its values (dates, lists, numbers that are infinite or too large)"
    if column.present.empty:
        return None, "it is empty in every row"
    return column, reason_against(column, target.labels, moments)


def _lines(
    path: Tabular,
    table: Table,
    target: Target,
    time: str | None,
    columns: list[Column],
    left_out: list[LeftOut],
    pace: Pace | None,
) -> Iterator[str]:
    asked = questions(columns, target.labels)
    yield f"# A first contract for {toml.said(path.name)}: {len(table)} rows, {len(columns)} features."
    yield "# It was drafted from the data alone. Read every comment, correct what is wrong, then delete the comment."
    yield "# Every other key, and what can be set under [policy], is in docs/contract.md."
    yield ""
    yield from _model_lines(path, table, target, time)
    if time is None:
        yield from _time_hint(left_out)
    yield from _id_lines(left_out)
    yield from file_lines(table.spec, table.notation.checks)
    for column in columns:
        yield ""
        notes = [*notes_on(column, asked.get(column.name))]
        yield from toml.feature_lines(column.name, feature_of(column), notes, column)
    yield ""
    yield from segment_lines([column for column in columns if column.name not in asked])
    if pace is not None:
        yield ""
        yield from policy_lines(pace)
    if left_out:
        yield ""
        yield "# Left out. To take a column in after all, remove the '# ' before its section."
        for out in left_out:
            yield "#"
            yield from _left_out_lines(out)


def _model_lines(path: Tabular, table: Table, target: Target, time: str | None) -> Iterator[str]:
    yield "[model]"
    yield f"name = {toml.string(model_name(path))}"
    yield f"target = {toml.string(target.name)}"
    yield from _task_lines(target, len(table))
    if min(target.positives, len(table) - target.positives) < ENOUGH_OF_A_CLASS or len(table) < ENOUGH_LABELS:
        yield f"# check: training wants {ENOUGH_LABELS} rows and {ENOUGH_OF_A_CLASS} of each value; the file has fewer."
    if table.unlabelled:
        yield f"# {table.unlabelled} rows without a label are left out."
    if time is not None:
        yield f"time_column = {toml.string(time)}"


def _task_lines(target: Target, rows: int) -> Iterator[str]:
    if target.task == "regression":
        yield f"# check: {target.values} values, all of them numbers. Is it a number that you predict?"
        yield 'task = "regression"'
    elif target.task == "multiclass":
        asked = (
            'Are they classes? If they are numbers, write "regression".' if target.are_whole else "Are they classes?"
        )
        kind = "few whole numbers" if target.are_whole else "few values that aren't all numbers"
        yield f"# check: {target.values} values, {kind}. {asked}"
        yield 'task = "multiclass"'
    else:
        share, others = target.positives / rows, toml.said(target.negative)
        yield f"# check: the rarer value, {share:.1%} of the rows ({others}: the others). Is it what you predict?"
        yield f"positive_label = {toml.scalar(target.positive_label)}"


def _time_hint(left_out: list[LeftOut]) -> Iterator[str]:
    dates = [out.name for out in left_out if out.reason.startswith("dates")]
    yield "# check: without a time column the rows count as being in time order, a second apart."
    if dates:
        yield f"# Perhaps one of these says when a row was made: {', '.join(toml.said(name) for name in dates)}."


def _id_lines(left_out: list[LeftOut]) -> Iterator[str]:
    """A proposal: whether requests carry the id, no file says."""
    candidates = [out.column for out in left_out if out.column is not None and not is_date(out.column)]
    column = row_id(candidates)
    if column is not None:
        yield f"# check: {toml.said(column.name)} is another in every row. If requests carry it, labels may come by it:"
        yield f"# id_column = {toml.string(column.name)}"


def _left_out_lines(out: LeftOut) -> Iterator[str]:
    if out.column is None or out.column.present.empty:
        yield f"# {toml.said(out.name)}: {toml.said(out.reason)}"
        return
    for line in toml.feature_lines(out.name, feature_of(out.column), [out.reason], out.column):
        yield f"# {line}"


def model_name(path: Tabular) -> str:
    """A name that the contract allows, from the file's."""
    stem = path.name.split(".")[0].lower()
    return re.sub(r"[^a-z0-9]+", "-", stem).strip("-")[:LONGEST_NAME].strip("-") or "model"
