"""At which step a training is: for people who watch, nothing depends on it."""

from selfheal.errors import ObjectMissing
from selfheal.prefixes import PROGRESS
from selfheal.stores.bucket import Bucket


class TrainingProgress:
    """`progress/<execution>` of the data bucket: the step that began last, in words."""

    def __init__(self, data: Bucket) -> None:
        self._data = data

    def write(self, execution: str, step: str) -> None:
        """Tell that a step begins; the one before it is forgotten."""
        self._data.put(f"{PROGRESS}{execution}", step.encode())

    def read(self, execution: str) -> str | None:
        """The step that began last, None where none has."""
        try:
            return self._data.get(f"{PROGRESS}{execution}").body.decode()
        except ObjectMissing:
            return None
