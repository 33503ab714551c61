"""The rows behind decisions: kept when judged, found again when it matters who has seen which row."""

import hashlib
from collections.abc import Iterable

from selfheal.data.moments import as_utc
from selfheal.gates.evidence import EvidenceRows, evidence_from_parquet, evidence_to_parquet
from selfheal.records.ledger import Circumstances, Decision, Evidence
from selfheal.stores.collection import Stores
from selfheal.tasks import BINARY, Task


def keep_evidence(stores: Stores, name: str, rows: EvidenceRows, circumstances: Circumstances | None) -> Evidence:
    """Store the rows of a verdict. A repeated look may see more labels: each gets a name of its own."""
    body = evidence_to_parquet(rows)
    key, sha256 = stores.evidence.write(f"{name}-{hashlib.sha256(body).hexdigest()[:12]}", body)
    return Evidence(
        key=key,
        sha256=sha256,
        rows=len(rows),
        oldest=as_utc(rows.timestamps.min()) if len(rows) else None,
        newest=as_utc(rows.timestamps.max()) if len(rows) else None,
        circumstances=circumstances,
    )


def read_evidence(stores: Stores, evidence: Evidence, task: Task = BINARY) -> EvidenceRows:
    """The rows of a verdict, whose labels are of this kind.

    Raises ReferenceTampered where they aren't those that were written.
    """
    return evidence_from_parquet(stores.evidence.read(evidence.key, evidence.sha256), task)


def row_ids_behind(stores: Stores, decisions: Iterable[Decision]) -> set[str]:
    """Ids of all rows that any of the decisions was made on."""
    used: set[str] = set()
    for decision in decisions:
        if decision.evidence is not None:
            used.update(read_evidence(stores, decision.evidence).row_ids.astype(str))
    return used
