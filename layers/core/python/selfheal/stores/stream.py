"""The narrow port of a stream that delivers log lines to S3 some minutes after it has taken them."""

from collections.abc import Sequence
from typing import Protocol


class Stream(Protocol):
    """Delivers each line to the hour of its timestamp, at least once, in no particular order."""

    def put(self, lines: Sequence[bytes]) -> None:
        """Hand over lines of the prediction log, each without its line break; they are durable when this returns.

        Raises:
            StoreUnavailable: not all of them were taken.
        """
        ...
