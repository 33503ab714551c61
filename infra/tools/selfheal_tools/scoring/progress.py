"""The answers' file while it grows: after each part it is known how far it is whole, so that another run goes on."""

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import BinaryIO, Self

from selfheal.errors import SelfhealError


class OutputTaken(SelfhealError):
    """Where the answers should go lies something else."""


@dataclass(frozen=True)
class Progress:
    """How far a file is answered. file: SHA-256 of its bytes; sizes: bytes of the answers and of the refused rows."""

    file: str
    parts: int = 0
    answered: int = 0
    refused: int = 0
    unlogged: int = 0
    sizes: tuple[int, int] = (0, 0)


class Growing:
    """Answers in `<out>`, refused rows in `<stem of out>.refused.csv`; both end in `.part` until all is done."""

    def __init__(self, out: Path, progress: Progress) -> None:
        self._targets = (out, out.with_name(f"{out.stem}.refused.csv"))
        self._note = out.with_name(f"{out.name}.progress")
        self.progress = progress
        self._files: tuple[BinaryIO, ...] = ()

    @classmethod
    def begun(cls, out: Path, file: str) -> Self:
        """Where an earlier attempt on the same file ended, or at the beginning.

        Raises:
            OutputTaken: the answers are there, or are being made of another file.
        """
        growing = cls(out, Progress(file))
        for target in growing._targets:
            if target.exists():
                raise OutputTaken(f"{target} is there already: name another --out, or move it away")
        if growing._note.exists():
            known = json.loads(growing._note.read_text(encoding="utf-8"))
            growing.progress = Progress(**{**known, "sizes": tuple(known["sizes"])})
            if growing.progress.file != file:
                raise OutputTaken(
                    f"{growing._note} is of an attempt on another file: name another --out, or delete it and begin anew"
                )
        return growing

    def __enter__(self) -> Self:
        self._files = tuple(_part(target).open("r+b" if _part(target).exists() else "w+b") for target in self._targets)
        for file, size in zip(self._files, self.progress.sizes, strict=True):
            file.truncate(size)
            file.seek(size)
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files:
            file.close()

    def add(self, answers: str, refused: str, *, counts: tuple[int, int, int]) -> None:
        """Write one part: its answers, its refused rows, and how many are answered, refused and not logged yet."""
        for file, text in zip(self._files, (answers, refused), strict=True):
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        answered, were_refused, unlogged = counts
        done = self.progress
        self.progress = replace(
            done,
            parts=done.parts + 1,
            answered=done.answered + answered,
            refused=done.refused + were_refused,
            unlogged=done.unlogged + unlogged,
            sizes=(self._files[0].tell(), self._files[1].tell()),
        )
        fresh = self._note.with_name(f"{self._note.name}.new")
        fresh.write_text(json.dumps(asdict(self.progress)), encoding="utf-8")
        fresh.replace(self._note)

    def finish(self) -> None:
        """Give both files their names; that of refused rows only where there are any."""
        for file in self._files:
            file.close()
        answers, refused = self._targets
        if self.progress.refused:
            _part(refused).replace(refused)
        else:
            _part(refused).unlink()
        _part(answers).replace(answers)
        self._note.unlink(missing_ok=True)


def _part(target: Path) -> Path:
    return target.with_name(f"{target.name}.part")
