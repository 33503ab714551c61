"""What monitoring runs leave behind: a summary and a report each, by day and time, and a row for queries."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from selfheal.prefixes import RUN_ROWS, RUNS
from selfheal.records.monitoring import RunRow
from selfheal.stores.bucket import Bucket

# What a run leaves behind.
SUMMARY, REPORT = "summary.json", "report.html"


class MonitoringStore:
    """`monitoring/dt=…/<time>/…` of the data bucket, and `monitoring/runs/dt=…/<time>.json`."""

    def __init__(self, data: Bucket) -> None:
        self._data = data

    def write(self, moment: datetime, name: str, body: bytes) -> str:
        """Write one file of the run of that moment (a retried run overwrites its own); returns its key."""
        key = f"{run_prefix(moment)}{name}"
        self._data.put(key, body)
        return key

    def write_row(self, row: RunRow) -> None:
        """Write a run's row (a retried run overwrites its own); apart from its files, which tables can't be made of."""
        self._data.put(f"{RUN_ROWS}dt={row.timestamp:%Y-%m-%d}/{row.timestamp:%H%M%S}.json", row.to_json())

    def read(self, key: str) -> bytes:
        """One file of a run. Raises ObjectMissing."""
        return self._data.get(key).body

    def read_many(self, keys: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Files of runs with their keys, in no particular order; those that have gone are left out."""
        return self._data.get_many(keys)

    def latest(self, name: str, now: datetime) -> bytes | None:
        """That file of the newest run before `now` that has one; None where none has."""
        # Runs come by the hour. Only after an outage is there more to list than two days of them.
        for start_after in (f"{RUNS}{now - timedelta(days=2):%Y-%m-%d}/", ""):
            written = [key for key in self.keys(start_after) if key.endswith(f"/{name}") and key < run_prefix(now)]
            if written:
                return self.read(written[-1])
        return None

    def keys(self, start_after: str = "") -> Iterator[str]:
        """Keys of all runs' files, oldest first."""
        return self._data.keys(RUNS, start_after)


def run_prefix(moment: datetime) -> str:
    """Where a run keeps its files."""
    return f"{RUNS}{moment:%Y-%m-%d}/{moment:%H%M%S}/"
