"""Recompute everything that the registry claims: chain, hashes, training sets, and each verdict from its evidence."""

from dataclasses import dataclass
from math import isclose

import numpy as np

from selfheal.data.parquet import fingerprint, from_parquet
from selfheal.errors import VerificationFailed
from selfheal.gates import EvidenceRows, judge_gates
from selfheal.gates.blend import MemberAnswers, cross_fitted, weights_of
from selfheal.healing.probation import e_process
from selfheal.records.artefacts import TRAINING
from selfheal.records.ledger import Circumstances, Decision, GateResult
from selfheal.records.manifest import Manifest
from selfheal.records.story import Story
from selfheal.stores.collection import Stores
from selfheal.stores.pointer import KEY as POINTER
from selfheal.tasks import Task, judging_task, task_of
from selfheal.usecases.heal.evidence import read_evidence
from selfheal.usecases.registry.moves import pointer_of

# Sums may differ in their last bits between processors; p-values are multiples of 1/5,000.
TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Verification:
    """How much was recomputed, and found to be as it was written."""

    entries: int
    versions: int
    artefacts: int
    verdicts: int


def verify(stores: Stores) -> Verification:
    """Check the whole registry.

    Raises:
        VerificationFailed, LedgerBroken, ReferenceTampered, VersionUnknown, ObjectMissing: the first thing that is off.
        StoreUnavailable: the registry doesn't answer.
    """
    story = stores.ledger.story()
    stores.ledger.check_seals()
    stores.models.check_manifests()
    _check_outcomes(story)
    _check_pointer(stores, story)
    manifests = [stores.models.manifest(version) for version in stores.models.versions()]
    artefacts = sum(_check_version(stores, manifest) for manifest in manifests)
    for decision in story.decisions:
        _check_manifest(stores, decision)
    verdicts = sum(
        _check_verdict(stores, decision, paused=decision.decision_id in story.decided_under_a_pause)
        for decision in story.decisions
    )
    return Verification(len(story.entries), len(manifests), artefacts, verdicts)


def verify_decision(stores: Stores, story: Story, decision: Decision) -> tuple[GateResult, ...]:
    """Check one decision alone; its gates as they are recomputed from its evidence, none where it has none.

    Raises:
        VerificationFailed, ReferenceTampered, VersionUnknown, ObjectMissing: what is off.
        StoreUnavailable: the registry doesn't answer.
    """
    _check_manifest(stores, decision)
    _check_verdict(stores, decision, paused=decision.decision_id in story.decided_under_a_pause)
    if not decision.gates or decision.evidence is None:
        return ()
    rows = read_evidence(stores, decision.evidence, _task_of(stores, decision))
    return _recomputed(stores, decision, rows, decision.evidence.circumstances)


def _check_outcomes(story: Story) -> None:
    moves: set[str] = set()
    for entry in story.entries:
        if entry.decision and entry.decision.is_move:
            moves.add(entry.decision.decision_id)
        if entry.outcome and entry.outcome.decision_id not in moves:
            raise VerificationFailed(f"ledger entry {entry.sequence} is the outcome of no decision before it")


def _check_pointer(stores: Stores, story: Story) -> None:
    pointer = stores.pointer.read().pointer
    decision = story.decision(pointer.decision_id)
    if decision is None or decision.version != pointer.version:
        raise VerificationFailed(f"{POINTER}: production is {pointer.version} by no decision of the ledger")
    pauses = {pause.sequence for pause in story.pauses}
    made = pointer_of(decision)
    if pointer.manifest_sha256 is None:
        # 0.1.0 named no hash there. The manifest is held against the decision's own in any case.
        made = made.model_copy(update={"manifest_sha256": None})
    if pointer.model_copy(update={"last_pause": 0}) != made or pointer.last_pause not in {0, *pauses}:
        raise VerificationFailed(f"{POINTER} isn't what decision {decision.decision_id} made of it: it was changed")
    outcome = story.outcome_of(decision)
    if outcome is not None and outcome.kind == "conflict":
        raise VerificationFailed(f"{POINTER}: {pointer.version} is there by {decision.decision_id}, which was lost")


def _check_version(stores: Stores, manifest: Manifest) -> int:
    for name in manifest.artefacts:
        stores.models.artefact(manifest, name)
    if TRAINING in manifest.artefacts:
        rows = from_parquet(stores.models.artefact(manifest, TRAINING), manifest.contract)
        if fingerprint(rows) != manifest.data.fingerprint:
            raise VerificationFailed(f"the training set of {manifest.version} doesn't have the manifest's fingerprint")
    return len(manifest.artefacts)


def _check_manifest(stores: Stores, decision: Decision) -> None:
    if decision.version is None or decision.manifest_sha256 is None:
        return
    if stores.models.manifest_sha256(decision.version) != decision.manifest_sha256:
        raise VerificationFailed(
            f"models/{decision.version}/manifest.json isn't the manifest of decision {decision.decision_id}"
        )


def _check_verdict(stores: Stores, decision: Decision, *, paused: bool) -> int:
    """How many verdicts the decision holds; each is recomputed."""
    if decision.evidence is None:
        if decision.gates or (decision.kind == "promote" and decision.trigger != "forced"):
            raise VerificationFailed(f"decision {decision.decision_id} ({decision.kind}) has no evidence")
        return 0
    rows = read_evidence(stores, decision.evidence, _task_of(stores, decision))
    if decision.kind == "rollback":
        _check_probation(stores, decision, rows)
        return 1
    _check_answers(decision, rows)
    passed = _passes(stores, decision, rows, decision.evidence.circumstances)
    is_due = passed and (decision.approval is None or decision.approval.approved)
    if (decision.kind == "promote") != is_due and not (is_due and paused):
        raise VerificationFailed(f"decision {decision.decision_id} is {decision.kind} against its own gates")
    if decision.kind == "promote" and decision.version is not None and rows.members is not None:
        _check_members(stores, stores.models.manifest(decision.version), rows, rows.members)
    return 1


def _task_of(stores: Stores, decision: Decision) -> Task:
    """The task by which a decision was made."""
    versions = [version for version in (decision.previous_version, decision.version) if version is not None]
    before, after = (stores.models.manifest(version) for version in (versions[0], versions[-1]))
    return task_of(before) if decision.kind == "rollback" else judging_task(before, after)


def _check_answers(decision: Decision, rows: EvidenceRows) -> None:
    """What was judged follows from what the members say."""
    if rows.members is None:
        return
    blend = cross_fitted(rows.members, rows.labels, rows.weights)
    is_same = np.isclose(blend.probabilities, rows.shadow_probability, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
    if not is_same.all() or (blend.predictions != rows.shadow_prediction).any():
        raise VerificationFailed(f"the evidence of {decision.decision_id} holds answers that its members don't give")


def _check_members(stores: Stores, manifest: Manifest, rows: EvidenceRows, answers: MemberAnswers) -> None:
    """What was promoted has the members and weights that its evidence gives, and they are what they were."""
    weights = weights_of(answers, rows.labels, rows.weights)
    due = [(version, weight) for version, weight in zip(answers.versions, weights.tolist(), strict=True) if weight]
    written = [(member.version, member.weight) for member in manifest.members]
    is_due = [name for name, _ in due] == [name for name, _ in written] and np.allclose(
        [weight for _, weight in due], [weight for _, weight in written], rtol=TOLERANCE, atol=TOLERANCE
    )
    if not is_due:
        raise VerificationFailed(f"the members of {manifest.version} aren't those that its evidence weighs")
    for member in manifest.members:
        if stores.models.manifest_sha256(member.version) != member.manifest_sha256:
            raise VerificationFailed(f"the manifest of {member.version} isn't the one that {manifest.version} blends")


def _passes(stores: Stores, decision: Decision, rows: EvidenceRows, circumstances: Circumstances | None) -> bool:
    """Whether a version passes every gate by its evidence; each gate has to be written as it is recomputed."""
    recomputed = _recomputed(stores, decision, rows, circumstances)
    for written, found in zip(decision.gates, recomputed, strict=True):
        if not _agree(written, found):
            raise VerificationFailed(
                f"gate {found.gate} of decision {decision.decision_id} is written as {_said(written)}, "
                f"but its evidence says {_said(found)}"
            )
    return all(gate.passed for gate in recomputed)


def _recomputed(
    stores: Stores, decision: Decision, rows: EvidenceRows, circumstances: Circumstances | None
) -> tuple[GateResult, ...]:
    if circumstances is None or decision.previous_version is None:
        raise VerificationFailed(f"decision {decision.decision_id} doesn't say under which circumstances it was made")
    contract = stores.models.manifest(decision.previous_version).contract
    return judge_gates(rows, circumstances, contract.policy.gates, contract.segments)


def _check_probation(stores: Stores, decision: Decision, rows: EvidenceRows) -> None:
    contract = stores.models.manifest(decision.previous_version or "").contract
    needed = 1 / contract.policy.probation.significance
    highest = float(e_process(rows.gains).max(initial=1.0))
    if highest < needed:
        raise VerificationFailed(f"the evidence of {decision.decision_id} reaches {highest:.2f}, not {needed:g}")
    if rows.gains.mean() <= 0:
        raise VerificationFailed(f"by the evidence of {decision.decision_id} the version taken back was no worse")


def _agree(written: GateResult, found: GateResult) -> bool:
    if (written.gate, written.passed, written.n) != (found.gate, found.passed, found.n):
        return False
    if written.value is None or found.value is None:
        return written.value is found.value
    return isclose(written.value, found.value, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def _said(gate: GateResult) -> str:
    return f"{'passed' if gate.passed else 'failed'} ({gate.value}, n = {gate.n})"
