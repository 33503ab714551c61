"""Does a new version keep what its gates promised? If not, the version before it comes back."""

from datetime import datetime, timedelta

import numpy as np

from selfheal.data.moments import as_datetime64
from selfheal.gates.evidence import EvidenceRows
from selfheal.healing.probation import e_process
from selfheal.healing.sentences import sentence_of
from selfheal.models.formats import model_of
from selfheal.records.ledger import Decision
from selfheal.records.manifest import Manifest
from selfheal.records.pointer import Pointer
from selfheal.records.probation import Probation
from selfheal.records.story import Story
from selfheal.stores.collection import Stores
from selfheal.stores.notifications import Notifications
from selfheal.stores.pointer import PointerRead
from selfheal.tasks import task_of
from selfheal.usecases.heal.evidence import keep_evidence, row_ids_behind
from selfheal.usecases.heal.scoring import UNREADABLE, answers_of, evidence_rows
from selfheal.usecases.labels.labelled_rows import labelled_rows
from selfheal.usecases.registry.moves import Tell
from selfheal.usecases.registry.roll_back import roll_back

LONGEST = timedelta(days=90)
SUBJECT = "selfheal: rolled back in probation"


def check_probation(
    stores: Stores,
    story: Story,
    notifications: Notifications,
    now: datetime,
    before: Probation | None = None,
    last_look: datetime | None = None,
) -> Probation | None:
    """Look at the probation of the production model, and end it where it is worse; None where none is on.

    `before` is what the run before found, at `last_look`: where labels come late, or where nobody has looked yet, a
    probation goes on beyond its days until as many of the version's own answers are labelled as the gates would need,
    for 90 days at most. The bet may be looked at any time, so that costs no error.

    A rollback whose message can't be sent has no outcome in the ledger until a later run has sent it (`heal.settle`).
    A version before that is damaged leaves the new one unjudged, until it is whole again: nobody could go back to it.

    Raises:
        PromotionConflict: production was moved while its probation was looked at; the ledger says so.
        VersionUnknown, StoreUnavailable: production's manifest, or what else is needed, can't be read.
    """
    production = stores.pointer.read()
    pointer = production.pointer
    promotion = story.decision(pointer.decision_id)
    if promotion is None or promotion.kind != "promote" or pointer.previous_version is None:
        return None
    manifest = stores.models.manifest(pointer.version)
    ends_at = pointer.promoted_at + timedelta(days=manifest.contract.policy.probation.days)
    if now >= ends_at and not _goes_on(before, last_look, pointer, manifest, now):
        return None
    try:
        rows = _rows_since(stores, promotion, manifest, pointer.previous_version, now)
    except UNREADABLE as error:
        return _unjudged(pointer, pointer.previous_version, manifest, ends_at, error)
    found = _found(rows, pointer, pointer.previous_version, manifest, ends_at)
    # The bet may have been won on a bad stretch that the rows since have made up for.
    if found.e_value < found.threshold or (found.difference or 0.0) <= 0:
        return found
    decision = _bring_back(stores, production, rows, found, now, lambda sentence: notifications.send(SUBJECT, sentence))
    return found.model_copy(update={"rolled_back": True, "sentence": sentence_of(decision)})


def _goes_on(
    before: Probation | None, last_look: datetime | None, pointer: Pointer, manifest: Manifest, now: datetime
) -> bool:
    if now >= pointer.promoted_at + LONGEST:
        return False
    if last_look is None or last_look <= pointer.promoted_at:
        return True
    if before is None or before.version != pointer.version:
        return False
    return before.own_labels < manifest.contract.policy.gates.minimum_samples


def _rows_since(
    stores: Stores, promotion: Decision, manifest: Manifest, previous_version: str, now: datetime
) -> EvidenceRows:
    """Every row labelled since the promotion that neither trained nor gated the new version, in order of arrival."""
    start = (promotion.evidence and promotion.evidence.oldest) or promotion.decided_at
    labelled = labelled_rows(stores, manifest.contract, start, now)
    promoted_at = as_datetime64(promotion.decided_at)
    row_ids = labelled.rows.row_ids.astype(str)
    is_new = (labelled.arrivals > promoted_at) & ~np.isin(row_ids, sorted(row_ids_behind(stores, [promotion])))
    order = np.lexsort((row_ids[is_new], labelled.arrivals[is_new]))
    fresh = labelled.rows.take(np.flatnonzero(is_new)[order])
    previous = stores.models.manifest(previous_version)
    task = task_of(manifest)
    now_and_before = (
        answers_of(model_of(version, stores.models.artefact), fresh, task) for version in (manifest, previous)
    )
    return evidence_rows(fresh, manifest.contract, *now_and_before, task=task)


def _found(
    rows: EvidenceRows, pointer: Pointer, previous_version: str, manifest: Manifest, ends_at: datetime
) -> Probation:
    e_values = e_process(rows.gains)
    highest = float(e_values.max(initial=1.0))
    difference = float(rows.gains.mean()) if len(rows) else None
    threshold = 1 / manifest.contract.policy.probation.significance
    return Probation(
        version=pointer.version,
        previous_version=previous_version,
        ends_at=ends_at,
        labels=len(rows),
        own_labels=int((rows.timestamps >= as_datetime64(pointer.promoted_at)).sum()),
        difference=difference,
        e_value=highest,
        threshold=threshold,
        rolled_back=False,
        sentence=f"{pointer.version} is on probation until {ends_at:%Y-%m-%d %H:%M} at least: bet against it at "
        f"{highest:.2f} of {threshold:g} after {len(rows)} labels",
    )


def _unjudged(
    pointer: Pointer, previous_version: str, manifest: Manifest, ends_at: datetime, error: Exception
) -> Probation:
    return Probation(
        version=pointer.version,
        previous_version=previous_version,
        ends_at=ends_at,
        labels=0,
        difference=None,
        e_value=1.0,
        threshold=1 / manifest.contract.policy.probation.significance,
        rolled_back=False,
        is_judged=False,
        sentence=f"the probation of {pointer.version} can't be judged, since {previous_version} or the evidence of the "
        f"promotion can't be read ({type(error).__name__}): `selfheal verify` names what is off",
    )


def _bring_back(
    stores: Stores, production: PointerRead, rows: EvidenceRows, found: Probation, now: datetime, tell: Tell
) -> Decision:
    evidence = keep_evidence(stores, f"probation-{found.version}", rows, None)
    return roll_back(
        stores,
        found.previous_version,
        reason=f"{found.version} is worse in probation: mean {rows.task.loss} loss {found.difference:+.4f} over "
        f"{found.labels} labels, bet against it at {found.e_value:.1f} of {found.threshold:g}",
        actor="probation",
        now=now,
        trigger="probation",
        evidence=evidence,
        production=production,
        decision_id=f"rollback-of-{production.pointer.decision_id}",
        tell=tell,
    )
