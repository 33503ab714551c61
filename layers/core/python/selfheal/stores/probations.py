"""What the looks at a probation have judged so far, an object for each promotion."""

from selfheal.errors import ObjectMissing
from selfheal.prefixes import PROBATIONS
from selfheal.stores.bucket import Bucket


class ProbationStore:
    """`monitoring/probations/<decision>.parquet` of the data bucket; whoever loses one loses time."""

    def __init__(self, data: Bucket) -> None:
        self._data = data

    def read(self, decision_id: str) -> bytes | None:
        """What was judged since a promotion; None where nothing was kept."""
        try:
            return self._data.get(_key(decision_id)).body
        except ObjectMissing:
            return None

    def write(self, decision_id: str, body: bytes) -> None:
        """Keep what was judged; of two looks at once either's may stay. Raises StoreUnavailable."""
        self._data.put(_key(decision_id), body)


def _key(decision_id: str) -> str:
    return f"{PROBATIONS}{decision_id}.parquet"
