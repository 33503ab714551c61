"""Write the version that is promoted: one model that answers as the weighted mean of its members does."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from math import isnan

import numpy as np

from selfheal.errors import BlendImpossible
from selfheal.gates import EvidenceRows
from selfheal.gates.blend import MemberAnswers, weights_of
from selfheal.models.card import blend_card
from selfheal.models.formats import blend_of, format_of
from selfheal.models.importance import importance_of
from selfheal.records.artefacts import CARD, REFERENCE, TRAINING, TUNING
from selfheal.records.healing import Healing, Training
from selfheal.records.manifest import Manifest, Member
from selfheal.stores.collection import Stores
from selfheal.tables.tuning import TuningRows, tuning_to_parquet
from selfheal.usecases.heal.comparison import Comparison
from selfheal.usecases.registry.train import described


def write_blend(stores: Stores, healing: Healing, training: Training, found: Comparison, now: datetime) -> Manifest:
    """The blend of the three newest members, weighted by all rows of the evidence.

    Its training set and reference are those of its newest member; its tuning rows, and what it promises, are the rows
    that judged it. Doing it again with the same evidence changes nothing.

    Raises:
        BlendImpossible: the members' features differ, or together they are larger than a predictor reads.
        ExportInexact: the blend doesn't answer as its members do.
        ReferenceTampered, VersionUnknown, StoreUnavailable: a member can't be read as it was written.
    """
    answers = found.rows.members
    if answers is None:
        raise BlendImpossible("the evidence lacks what each member says of its rows: judge the blend again")
    members = _members(stores, answers, found.rows)
    manifests = [stores.models.manifest(member.version) for member in members]
    weights = np.array([member.weight for member in members])
    task, rows = answers.task, found.rows
    threshold = task.mean_point(np.array([manifest.operating_point for manifest in manifests]), weights)
    file, served = blend_of(list(zip(manifests, weights.tolist(), strict=True)), threshold, stores.models.artefact)
    newest = manifests[0]
    artefacts = {
        file: served,
        TRAINING: stores.models.artefact(newest, TRAINING),
        REFERENCE: stores.models.artefact(newest, REFERENCE),
        TUNING: tuning_to_parquet(TuningRows(found.labelled, found.rows.shadow_probability)),
    }
    manifest = newest.model_copy(
        update={
            "version": _name(healing, members, artefacts),
            "kind": "blend",
            "created_at": now,
            "evaluation_from": training.evaluation_from,
            "candidates": (),
            "metrics": task.tuning_metrics(rows.shadow_probability, rows.labels, threshold),
            "threshold": None if isnan(threshold) else threshold,
            "half_width": task.half_width_of(rows.shadow_probability, rows.labels),
            "members": members,
            "importance": importance_of(format_of(newest).loaded(served), found.labelled.features),
            "artefacts": described(artefacts),
        }
    )
    card = {CARD: blend_card(manifest, manifests)}
    whole = manifest.model_copy(update={"artefacts": manifest.artefacts | described(card)})
    return stores.models.write(whole, artefacts | card)


def _members(stores: Stores, answers: MemberAnswers, rows: EvidenceRows) -> tuple[Member, ...]:
    weights = weights_of(answers, rows.labels, rows.weights).tolist()
    return tuple(
        Member(version=version, manifest_sha256=stores.models.manifest_sha256(version), weight=weight)
        for version, weight in zip(answers.versions, weights, strict=True)
        if weight
    )


def _name(healing: Healing, members: tuple[Member, ...], artefacts: Mapping[str, bytes]) -> str:
    """By its members and by what judged them: a repeated call that sees other labels writes a version of its own."""
    told = [f"{member.manifest_sha256} {member.weight!r}" for member in members]
    told += [f"{name} {file.sha256}" for name, file in sorted(described(artefacts).items())]
    return f"{healing.started_at:%Y%m%dT%H%M%SZ}-{hashlib.sha256('\n'.join(told).encode()).hexdigest()[:8]}"
