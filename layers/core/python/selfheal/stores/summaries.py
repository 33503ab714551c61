"""Summaries of whole hours of predictions, each beside the reference of one version."""

from collections.abc import Collection
from datetime import datetime

from selfheal.prefixes import SUMMARIES
from selfheal.stores.bucket import Bucket


class SummaryStore:
    """`summaries-hourly/<version>/dt=…/hh=…-<fingerprint>.zst` of the data bucket.

    A fingerprint says which log objects an hour holds: where some came late, there is another summary.
    """

    def __init__(self, data: Bucket) -> None:
        self._data = data

    def keys(self, version: str, since: datetime) -> Collection[str]:
        """What there is of a version, from a moment's day on."""
        prefix = f"{SUMMARIES}{version}/"
        return frozenset(self._data.keys(prefix, f"{prefix}dt={since:%Y-%m-%d}"))

    def read(self, key: str) -> bytes:
        """A summary. Raises ObjectMissing."""
        return self._data.get(key).body

    def write(self, key: str, body: bytes) -> None:
        """Write a summary; whoever writes it writes the same. Raises StoreUnavailable."""
        self._data.put(key, body)


def summary_key(version: str, hour: datetime, fingerprint: str) -> str:
    """Where an hour's summary lies."""
    return f"{SUMMARIES}{version}/dt={hour:%Y-%m-%d}/hh={hour:%H}-{fingerprint}.zst"
