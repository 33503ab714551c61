"""A stream in memory that delivers as Firehose does: compressed lines, an object for each hour that they are of."""

import gzip
import itertools
import json
from collections import defaultdict
from collections.abc import Sequence

from selfheal.errors import StoreUnavailable
from selfheal.records.predictions import moment_of
from selfheal.stores.bucket import Bucket
from selfheal.stores.prediction_log import hour_prefix


class DeliveringStream:
    """Delivers at once, or what it has taken so far when told to; each line `copies` times, as Firehose sometimes does.

    down: it takes nothing. takes: how many lines of a call it takes before it fails; None for all.
    """

    def __init__(self, data: Bucket, *, at_once: bool = True, copies: int = 1) -> None:
        self.down = False
        self.takes: int | None = None
        self._data = data
        self._at_once = at_once
        self._copies = copies
        self._held: list[bytes] = []
        self._numbers = itertools.count()

    def put(self, lines: Sequence[bytes]) -> None:
        if self.down:
            raise StoreUnavailable("switched off")
        self._held += lines[: self.takes]
        if self._at_once:
            self.deliver()
        if self.takes is not None and self.takes < len(lines):
            raise StoreUnavailable("it took some of them")

    def deliver(self) -> None:
        by_hour = defaultdict(list)
        for line in self._held:
            by_hour[hour_prefix(moment_of(json.loads(line)["prediction_id"]))].append(line)
        self._held = []
        for prefix, lines in by_hour.items():
            body = gzip.compress(b"".join(line + b"\n" for line in lines) * self._copies)
            self._data.create(f"{prefix}selfheal-test-predictions-1-{next(self._numbers):06d}.jsonl.gz", body)
