"""A shadow model that gate 7 alone refused is judged once more, on the rows labelled since.

A gain that two hundred rows couldn't prove often shows on the thousand that follow. Rows of the first look don't count
again, so that each look keeps its significance by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from selfheal.records.ledger import Decision
from selfheal.stores.labels import LabelStore
from selfheal.usecases.heal import MOVES

WANT_OF_EVIDENCE = ["paired_evidence"]
# More than a gain worth a promotion needs to show, and few enough for a Lambda, however long ago the first look was.
MOST_ROWS = 5_000
RESOLUTION = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Refused:
    """A shadow model that was good enough on rows up to `judged_until`, if they hadn't been so few."""

    version: str
    judged_until: datetime


def refused_for_want_of_evidence(decisions: Sequence[Decision], production_version: str) -> Refused | None:
    """The last shadow model refused in favour of a production version, if gate 7 alone refused it; None otherwise.

    What was in production once has had its chance. `decisions`: oldest first.
    """
    about = [known for known in decisions if known.previous_version == production_version and known.evidence]
    last = next((known for known in reversed(about) if known.kind == "reject"), None)
    if last is None or last.version is None or last.evidence is None or last.evidence.newest is None:
        return None
    failed = [gate.gate for gate in last.gates if not gate.passed]
    moved = {known.version for known in decisions if known.kind in MOVES}
    if failed != WANT_OF_EVIDENCE or last.version in moved:
        return None
    return Refused(last.version, last.evidence.newest)


def second_start(labels: LabelStore, refused: Refused, now: datetime) -> datetime | None:
    """Since when rows judge again: the newest 5,000 labelled ones that the first look didn't see; None without any."""
    newest = labels.newest_between(refused.judged_until + RESOLUTION, now, MOST_ROWS)
    return newest[-1] if newest else None
