"""A pickle that shows whether it was opened."""

from pathlib import Path
from typing import Any


class Bomb:
    """When it is unpickled a file appears under `trace`."""

    def __init__(self, trace: Path) -> None:
        self._trace = trace

    def __reduce__(self) -> tuple[Any, tuple[Path]]:
        return Path.touch, (self._trace,)
