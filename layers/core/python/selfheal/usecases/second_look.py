"""A shadow model that gate 7 alone refused is judged once more, on the rows labelled since.

A gain that two hundred rows couldn't prove often shows on the thousand that follow. Rows of the first look don't count
again, so that each look keeps its significance by itself.
"""

from collections.abc import Sequence
from datetime import datetime

from selfheal.records.ledger import Decision
from selfheal.records.manifest import as_fitted
from selfheal.stores.labels import RESOLUTION, LabelStore
from selfheal.usecases.evidence import judged_until
from selfheal.usecases.heal import MOVES

WANT_OF_EVIDENCE = ["paired_evidence"]
# More than a gain worth a promotion needs to show, and few enough for a Lambda, however long ago the first look was.
MOST_ROWS = 5_000


def refused_for_want_of_evidence(decisions: Sequence[Decision], production_version: str) -> str | None:
    """The last version that gate 7 alone refused in favour of a production version, if it may be looked at again.

    None where there is none, where it was looked at twice already, or was in production once and so had its chance.
    `decisions`: oldest first.
    """
    last = next((known for known in reversed(decisions) if _lacked_evidence(known, production_version)), None)
    if last is None or last.version is None:
        return None
    moved = {as_fitted(known.version) for known in decisions if known.kind in MOVES and known.version}
    looks = [as_fitted(judged.version) for known in decisions for judged in known.judged]
    # A second look that it passed is one too: a person may have refused it, or paused all promotions.
    return None if last.version in moved or looks.count(last.version) > 1 else last.version


def second_start(
    labels: LabelStore, decisions: Sequence[Decision], versions: Sequence[str], now: datetime, minimum_samples: int
) -> datetime | None:
    """Since when rows judge again: the newest 5,000 labelled ones that have judged none of the versions before.

    None where that leaves fewer than `minimum_samples`: the look would be wasted.
    """
    seen = [until for version in versions if (until := judged_until(decisions, version))]
    newest = labels.newest_between(max(seen) + RESOLUTION, now, MOST_ROWS) if seen else []
    return newest[-1] if len(newest) >= minimum_samples else None


def _lacked_evidence(decision: Decision, production_version: str) -> bool:
    if decision.kind != "reject" or decision.previous_version != production_version or decision.evidence is None:
        return False
    return [gate.gate for gate in decision.gates if not gate.passed] == WANT_OF_EVIDENCE
