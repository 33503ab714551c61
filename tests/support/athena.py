"""Athena's tables of a stage, in DuckDB: the files that stores hold, under names and types of the Glue catalogue."""

import re
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from infra.cloud.queries.tables import JSON_LINES, PARQUET, Table, tables_of
from infra.cloud.queries.types import DAY
from selfheal.contract import Contract
from selfheal.stores.bucket import Bucket
from selfheal.stores.collection import Stores

SIMPLE = {
    "tinyint": "TINYINT",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "string": "VARCHAR",
    "timestamp": "TIMESTAMP",
}


class Athena:
    """Asks queries as of a day."""

    def __init__(self, stores: Stores, contract: Contract, folder: Path) -> None:
        self._database = duckdb.connect()
        self._database.execute("SET TimeZone = 'UTC'")
        buckets = {"data": stores.data, "registry": stores.registry_bucket}
        for table in tables_of(contract):
            written_below(folder, buckets[table.bucket], table.prefix)
            self._database.execute(f"CREATE VIEW {table.name} AS {_selection(table, folder)}")

    def ask(self, sql: str, *parameters: str, today: str) -> pd.DataFrame:
        """What a query answers on a day."""
        asked = sql.replace("current_date", f"DATE '{today}'")
        return self._database.execute(asked, list(parameters)).df()


def written_below(folder: Path, bucket: Bucket, prefix: str) -> None:
    """Write the objects below a prefix as files; empty ones too, as Athena meets them."""
    for key in bucket.keys(prefix):
        file = folder / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(bucket.get(key).body)


def _selection(table: Table, folder: Path) -> str:
    days = f"{DAY}=*/" if table.by_day else ""
    partitions = f"hive_partitioning = {str(table.by_day).lower()}, hive_types_autocast = false"
    if table.format is PARQUET:
        files = f"read_parquet('{folder}/{table.prefix}{days}*.parquet', union_by_name = true, {partitions})"
    else:
        written = "newline_delimited" if table.format is JSON_LINES else "auto"
        columns = ", ".join(f"{_quoted(name)}: '{duckdb_type(kind)}'" for name, kind in table.columns.items())
        typed = f"columns = {{{columns}}}, {partitions}"
        files = f"read_json('{folder}/{table.prefix}{days}*.json*', format = '{written}', {typed})"
    kept = [f'CAST("{name}" AS {duckdb_type(kind)}) AS "{name}"' for name, kind in table.columns.items()]
    return f"SELECT {', '.join([*kept, *([DAY] if table.by_day else [])])} FROM {files}"  # noqa: S608


def duckdb_type(hive: str) -> str:
    """DuckDB's word for one of Hive's types."""
    if hive in SIMPLE:
        return SIMPLE[hive]
    if inner := re.fullmatch(r"array<(.*)>", hive):
        return f"{duckdb_type(inner[1])}[]"
    return f"STRUCT({', '.join(f'{_double_quoted(name)} {duckdb_type(kind)}' for name, kind in fields_of(hive))})"


def fields_of(struct: str) -> list[tuple[str, str]]:
    """Name and type of each field of one of Hive's structs."""
    found, depth, start = [], 0, len("struct<")
    for place, sign in enumerate(struct):
        depth += (sign == "<") - (sign == ">")
        if (sign == "," and depth == 1) or (depth == 0 and sign == ">"):
            name, _, kind = struct[start:place].partition(":")
            found.append((name, kind))
            start = place + 1
    return found


def is_like(value: Any, hive: str) -> bool:
    """Whether a value of JSON can be read as one of Hive's types."""
    if value is None:
        return True
    if inner := re.fullmatch(r"array<(.*)>", hive):
        return isinstance(value, list) and all(is_like(each, inner[1]) for each in value)
    if hive.startswith("struct<"):
        return isinstance(value, dict) and all(is_like(value.get(name), kind) for name, kind in fields_of(hive))
    python = {"string": str, "boolean": bool, "bigint": int, "tinyint": int, "double": int | float}[hive]
    return isinstance(value, python) and (hive == "boolean" or not isinstance(value, bool))


def _quoted(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"


def _double_quoted(name: str) -> str:
    return '"' + name + '"'
