"""Labels that name their predictions by users' ids: as they were uploaded, and what became of them.

An upload's labels are one object, whose name begins with the time of the upload. Where an object of that name lies
below `waiting/`, it holds the labels that no prediction was found for so far; below `matched/`, nothing waits any more.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from selfheal.errors import ObjectExists, ObjectMissing
from selfheal.prefixes import LABELS_BY_ID
from selfheal.records.labels import LabelById
from selfheal.stores.bucket import Bucket

UPLOADED, WAITING, MATCHED, RETRIED = (
    f"{LABELS_BY_ID}{name}/" for name in ("uploaded", "waiting", "matched", "retried")
)
_TIME = "dt=%Y-%m-%d/%H%M%S.%f"


class LabelsById:
    """`labels/by-id/…` of the data bucket."""

    def __init__(self, data: Bucket) -> None:
        self._data = data

    def keep(self, labels: Sequence[LabelById], uploaded_at: datetime) -> bool:
        """Keep an upload's labels until they are matched; False where the same were kept of the same upload."""
        body = _lines(labels)
        name = f"{uploaded_at.strftime(_TIME)}-{hashlib.sha256(body).hexdigest()[:32]}.jsonl"
        try:
            self._data.create(f"{UPLOADED}{name}", body)
        except ObjectExists:
            return False
        return True

    def open_since(self, moment: datetime) -> tuple[list[str], list[str]]:
        """The names of the uploads since a moment that nobody has looked at yet, and of those of which labels wait.

        Oldest first. One listing where nothing was uploaded.
        """
        uploaded = self._names(UPLOADED, moment)
        if not uploaded:
            return [], []
        waiting, matched = (set(self._names(prefix, moment)) for prefix in (WAITING, MATCHED))
        new = [name for name in uploaded if name not in waiting | matched]
        return new, [name for name in uploaded if name in waiting - matched]

    def uploaded(self, name: str) -> list[LabelById]:
        """An upload's labels. Raises ObjectMissing."""
        return _parsed(self._data.get(f"{UPLOADED}{name}").body)

    def waiting(self, name: str) -> list[LabelById]:
        """Those that wait. Raises ObjectMissing."""
        return _parsed(self._data.get(f"{WAITING}{name}").body)

    def leave_waiting(self, name: str, labels: Sequence[LabelById]) -> None:
        """Write down which labels of an upload wait on; none: that it is done with."""
        self._data.put(f"{WAITING if labels else MATCHED}{name}", _lines(labels))

    def is_retried(self, day: datetime) -> bool:
        """Whether what waits was looked at again on a day."""
        try:
            self._data.get(_retried(day))
        except ObjectMissing:
            return False
        return True

    def set_retried(self, day: datetime) -> None:
        """Write down that it was."""
        self._data.put(_retried(day), b"")

    def _names(self, prefix: str, moment: datetime) -> list[str]:
        keys = self._data.keys(prefix, start_after=f"{prefix}{moment.strftime(_TIME)}")
        return [key.removeprefix(prefix) for key in keys]


def uploaded_at(name: str) -> datetime:
    """When the upload of that name was made, in UTC."""
    moment = name.rpartition("-")[0]
    return datetime.strptime(f"{moment}+0000", f"{_TIME}%z")


def _retried(day: datetime) -> str:
    return f"{RETRIED}dt={day:%Y-%m-%d}"


def _parsed(body: bytes) -> list[LabelById]:
    return [LabelById.model_validate_json(line) for line in body.splitlines()]


def _lines(labels: Sequence[LabelById]) -> bytes:
    return b"".join(label.model_dump_json().encode() + b"\n" for label in labels)
