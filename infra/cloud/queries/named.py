"""Queries that people ask, as SQL for a contract: the files in `sql/`, with what depends on the contract filled in.

They use what Athena's engine (Trino) and DuckDB both know, so that tests run them as they are.
"""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from string import Template

from infra.cloud.queries.types import column_names
from selfheal.contract.model import Contract, Segment
from selfheal.records.predictions import CROCKFORD

FOLDER = Path(__file__).parent / "sql"
# A query's text is a file of its name, or of its name and the task; what tasks share lies in `parts/`.
NAMES = (
    "traffic_by_version",
    "positive_rate_by_segment",
    "label_delay",
    "drift_by_day",
    "prediction_history",
    "accuracy_by_segment",
)
# The segment and the group of all rows.
EVERYTHING = "(all)"
ID_DIGITS, BITS = 10, 5
MILLISECONDS_A_DAY = 86_400_000


@dataclass(frozen=True, slots=True)
class NamedQuery:
    """A query by its name, what it answers in one sentence, and its SQL."""

    name: str
    about: str
    sql: str


def queries_of(contract: Contract) -> tuple[NamedQuery, ...]:
    """The six queries for a contract. Raises ContractInvalid as `tables_of`."""
    filled = {
        "since": _day_before(30),
        "last_week": _day_before(7),
        "segments": ", ".join(f"({_text(name)})" for name in (EVERYTHING, *_segments_of(contract))),
        "value": _value(contract),
        "received_at": _moment("received_at"),
        "label_timestamp": _moment("label_timestamp"),
        "decided_at": _moment("moved.decision.decided_at"),
        "day_of_id": day_of_id("prediction_id"),
    }
    parts = {path.stem: _filled(path, filled).rstrip() for path in (FOLDER / "parts").glob("*.sql")}
    return tuple(_query(name, contract.model.task, filled | parts) for name in NAMES)


def _query(name: str, task: str, filled: dict[str, str]) -> NamedQuery:
    alike, of_task = FOLDER / f"{name}.sql", FOLDER / f"{name}.{task}.sql"
    sql = _filled(of_task if of_task.exists() else alike, filled)
    return NamedQuery(name, sql.splitlines()[0].removeprefix("-- "), sql)


def _filled(path: Path, values: dict[str, str]) -> str:
    return Template(path.read_text(encoding="utf-8")).substitute(values)


def _day_before(days: int) -> str:
    """The day so long ago, in UTC as Athena's clock, as the text by which files are sorted."""
    return f"CAST(CAST(current_date - INTERVAL '{days}' DAY AS date) AS varchar)"


def _moment(column: str) -> str:
    """A record's moment, always in UTC; casts know neither its letter between day and time nor that of its zone."""
    return f"CAST(replace(replace({column}, 'T', ' '), 'Z', '') AS timestamp)"


def day_of_id(column: str) -> str:
    """The day on which a prediction was made: the first ten digits of its id are milliseconds, 32 values each."""
    digits = (
        f"(strpos('{CROCKFORD}', substr({column}, {place}, 1)) - 1) * {1 << BITS * (ID_DIGITS - place)}"
        for place in range(1, ID_DIGITS + 1)
    )
    days = f"CAST(floor(({' + '.join(digits)}) / {MILLISECONDS_A_DAY}E0) AS integer)"
    return f"CAST(CAST(DATE '1970-01-01' + INTERVAL '1' DAY * {days} AS date) AS varchar)"


def _segments_of(contract: Contract) -> dict[str, Segment]:
    """The segments by their features; where one has several, each further one by its number as well."""
    found: dict[str, Segment] = {}
    for number, segment in enumerate(contract.segments, start=1):
        name = segment.feature
        found[f"{name} ({number})" if name in found else name] = segment
    return found


def _value(contract: Contract) -> str:
    """The group of a row in the segment that `segments.segment` names, in the words of gate 6."""
    columns = column_names(contract.features)
    groups = [
        f"WHEN {_text(name)} THEN {_group(_column(columns[segment.feature]), segment, contract)}"
        for name, segment in _segments_of(contract).items()
    ]
    return " ".join(("CASE segments.segment", *groups, f"ELSE {_text(EVERYTHING)} END"))


def _group(column: str, segment: Segment, contract: Contract) -> str:
    if contract.features[segment.feature].is_category:
        return f"coalesce({column}, 'missing')"
    # A boolean, without edges, is 0 or 1.
    edges = segment.edges or (1.0,)
    names = (f"below {edges[0]:g}", *(f"{low:g} to {high:g}" for low, high in pairwise(edges)), f"from {edges[-1]:g}")
    names = names if segment.edges else ("0.0", "1.0")
    bins = [f"WHEN {column} < {float(edge)!r} THEN {_text(name)}" for edge, name in zip(edges, names, strict=False)]
    return " ".join((f"CASE WHEN {column} IS NULL THEN 'missing'", *bins, f"ELSE {_text(names[-1])} END"))


def _column(name: str) -> str:
    # With its table: labels have columns of their own, and a feature may be called as one of them is.
    return 'predictions."' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
