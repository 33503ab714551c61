"""Does a new version keep what its gates promised? If not, the version before it comes back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from selfheal.data.moments import as_datetime64
from selfheal.gates.evidence import EvidenceRows
from selfheal.healing.judged_rows import JudgedRows
from selfheal.healing.probation import e_process
from selfheal.healing.sentences import sentence_of
from selfheal.records.ledger import Decision
from selfheal.records.manifest import Manifest
from selfheal.records.pointer import Pointer
from selfheal.records.probation import Probation
from selfheal.records.story import Story
from selfheal.stores.collection import Stores
from selfheal.stores.notifications import Notifications
from selfheal.stores.pointer import PointerRead
from selfheal.usecases.heal.evidence import keep_evidence
from selfheal.usecases.heal.scoring import UNREADABLE
from selfheal.usecases.monitor.fresh_labels import FreshLabels
from selfheal.usecases.monitor.probation_rows import Rivals, judged_rows, whole_evidence
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
    terms = _Terms(pointer, pointer.previous_version, stores.models.manifest(pointer.version))
    if now >= terms.ends_at and not terms.go_on(before, last_look, now):
        return None
    try:
        fresh = FreshLabels(stores, terms.manifest.contract, promotion, now)
        rivals = Rivals.read(stores, terms.manifest, terms.previous_version)
    except UNREADABLE as error:
        return terms.unjudged(error)
    found = terms.found(judged_rows(stores, promotion, fresh, rivals))
    if not _is_worse(found):
        return found
    # What was kept says where to look; what brings a version back is read as a whole.
    evidence, judged = whole_evidence(fresh, rivals)
    found = terms.found(judged)
    if not _is_worse(found):
        return found
    decision = _bring_back(
        stores, production, evidence, found, now, lambda sentence: notifications.send(SUBJECT, sentence)
    )
    return found.model_copy(update={"rolled_back": True, "sentence": sentence_of(decision)})


@dataclass(frozen=True)
class _Terms:
    """Who is on probation, against whom, and for how long."""

    pointer: Pointer
    previous_version: str
    manifest: Manifest

    @property
    def ends_at(self) -> datetime:
        return self.pointer.promoted_at + timedelta(days=self.manifest.contract.policy.probation.days)

    @property
    def threshold(self) -> float:
        return 1 / self.manifest.contract.policy.probation.significance

    def go_on(self, before: Probation | None, last_look: datetime | None, now: datetime) -> bool:
        """Whether somebody has to look after its days."""
        if now >= self.pointer.promoted_at + LONGEST:
            return False
        if last_look is None or last_look <= self.pointer.promoted_at:
            return True
        if before is None or before.version != self.pointer.version:
            return False
        return before.own_labels < self.manifest.contract.policy.gates.minimum_samples

    def found(self, rows: JudgedRows) -> Probation:
        """How it stands after rows in order of arrival."""
        highest = float(e_process(rows.differences).max(initial=1.0))
        own = rows.timestamps >= as_datetime64(self.pointer.promoted_at)
        return self._look(
            f"{self.pointer.version} is on probation until {self.ends_at:%Y-%m-%d %H:%M} at least: bet against it at "
            f"{highest:.2f} of {self.threshold:g} after {len(rows)} labels",
            labels=len(rows),
            own_labels=int(own.sum()),
            difference=float(rows.differences.mean()) if len(rows) else None,
            e_value=highest,
        )

    def unjudged(self, error: Exception) -> Probation:
        """Why it can't be judged now."""
        return self._look(
            f"the probation of {self.pointer.version} can't be judged, since {self.previous_version} or the evidence "
            f"of the promotion can't be read ({type(error).__name__}): `selfheal verify` names what is off",
            labels=0,
            difference=None,
            e_value=1.0,
            is_judged=False,
        )

    def _look(self, sentence: str, **found: Any) -> Probation:
        return Probation(
            version=self.pointer.version,
            previous_version=self.previous_version,
            ends_at=self.ends_at,
            threshold=self.threshold,
            rolled_back=False,
            sentence=sentence,
            **found,
        )


def _is_worse(found: Probation) -> bool:
    """Whether the bet was won; it may have been on a bad stretch that the rows since have made up for."""
    return found.e_value >= found.threshold and (found.difference or 0.0) > 0


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
