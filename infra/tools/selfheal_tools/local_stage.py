"""The stage `local`: how commands find the cloud of a demo that runs in this folder.

A demo writes a file when its cloud is up and takes it away at its end.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, ValidationError

from selfheal.settings import CLOCK_FILE

FILE = Path("build/demo/stage.json")
CONNECT_SECONDS = 1.0
# Whoever sees the local cloud's calls knows by this key that a person made them.
OPERATOR = "operator"


class LocalStage(BaseModel):
    """A local cloud that answers at `endpoint`: its region, the file that holds its time, its stack's outputs."""

    model_config = ConfigDict(frozen=True)

    endpoint: str
    region: str
    clock: Path
    outputs: dict[str, str]

    @classmethod
    def running(cls, file: Path = FILE) -> Self | None:
        """The one that runs in this folder; None where none does."""
        try:
            found = cls.model_validate_json(file.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None
        # A demo that was killed leaves its file behind.
        return found if found._answers() else None  # noqa: SLF001 - of the same class

    @contextmanager
    def announced(self, file: Path = FILE) -> Iterator[None]:
        """Let commands find it as long as the block lasts."""
        file.write_text(self.model_dump_json(indent=2), encoding="utf-8")
        try:
            yield
        finally:
            file.unlink(missing_ok=True)

    def environment(self) -> dict[str, str]:
        """What leads AWS's clients and the clock there, and nowhere else: no profile, no file of credentials."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": OPERATOR,
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            CLOCK_FILE: str(self.clock),
        }

    def _answers(self) -> bool:
        address = urlsplit(self.endpoint)
        try:
            socket.create_connection((str(address.hostname), address.port or 0), CONNECT_SECONDS).close()
        except OSError:
            return False
        return True
