"""The blend that a healing would promote against production, on labelled rows that neither has seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal.contract import Contract
from selfheal.data.moments import as_datetime64
from selfheal.errors import EvaluationUnfair
from selfheal.gates import EvidenceRows, judge_gates
from selfheal.gates.blend import MemberAnswers, cross_fitted, weights_of
from selfheal.gates.propensity import inverse_propensity
from selfheal.gates.reach import NEWEST_REQUESTS, least_disagreement
from selfheal.models.formats import model_of
from selfheal.models.ports import Model
from selfheal.performance.selection import selection_bias
from selfheal.records.ledger import Circumstances, GateResult
from selfheal.records.manifest import MOST_MEMBERS, Manifest
from selfheal.stores.collection import Stores
from selfheal.tables.dataset import Dataset
from selfheal.tables.predictions import LabelledWindow
from selfheal.tables.table import columns_of
from selfheal.tasks import Task, judging_task
from selfheal.usecases.heal.await_labels import coverage_of
from selfheal.usecases.heal.scoring import answers_of, evidence_rows
from selfheal.usecases.labels.labelled_rows import labelled_window


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """What the gates say about a blend, and the rows they say it by.

    labelled: the rows themselves. selected_by: the feature on which it depends whether a row is labelled; None where
    labels are fair.
    """

    gates: tuple[GateResult, ...]
    labelled: Dataset
    rows: EvidenceRows
    circumstances: Circumstances
    selected_by: str | None

    @property
    def failed(self) -> list[GateResult]:
        """The gates that refuse the blend; a promotion needs that there is none."""
        return [gate for gate in self.gates if not gate.passed]

    @property
    def reason(self) -> str:
        """The verdict in words."""
        weighted = f" (rows weighted, as labels depend on {self.selected_by})" if self.selected_by else ""
        if not self.failed:
            return f"all {len(self.gates)} gates passed{weighted}: {self.gates[-1].reason}"
        named = "; ".join(f"{gate.gate} ({gate.reason})" for gate in self.failed)
        return f"{len(self.failed)} of {len(self.gates)} gates failed{weighted}: {named}"


def compared(
    stores: Stores,
    production: Manifest,
    members: Sequence[Manifest],
    start: datetime,
    now: datetime,
    last_move: datetime | None,
) -> Comparison:
    """All seven gates on every labelled row of [start, now); `last_move` is when production was last changed.

    members: versions, newest first; each row is answered by the three newest that haven't seen it.

    Raises:
        EvaluationUnfair: a row to be judged on is not newer than what production was trained on.
        ArtefactRefused, ReferenceTampered, VersionUnknown, StoreUnavailable: a model can't be read as it was written.
    """
    if production.taught_until >= start:
        raise EvaluationUnfair(
            f"rows from {start} on are to judge version {production.version}, which was trained on rows up to "
            f"{production.taught_until}: start a new healing"
        )
    task = judging_task(production, members[0])
    # Classes that only the newcomer knows are classes of what judges it.
    contract = production.contract.model_copy(update={"model": members[0].contract.model})
    window = labelled_window(stores, contract, start, now)
    selected_by = _selected_by(window, contract)
    labelled = window.labelled
    weights = np.ones(len(labelled)) if selected_by is None else _weights(window, contract)
    models = {member.version: model_of(member, stores.models.artefact) for member in members}
    answers = _member_answers(members, models, labelled, task)
    blend = cross_fitted(answers, labelled.labels, weights)
    before = model_of(production, stores.models.artefact)
    rows = evidence_rows(
        labelled,
        contract,
        answers_of(before, labelled, task),
        blend,
        weights=weights,
        members=answers,
        task=task,
    )
    newest = window.predictions.features.tail(NEWEST_REQUESTS)
    circumstances = Circumstances(
        judged_at=now,
        last_move=last_move,
        predictions=len(window.predictions),
        coverage=coverage_of(window, now),
        newest_requests=len(newest),
        sampled_from=window.sampled_from,
        newest_disagreement=_disagreement(newest, before, models, answers, rows),
    )
    gates = judge_gates(rows, circumstances, contract.policy.gates, contract.segments)
    return Comparison(gates, labelled, rows, circumstances, selected_by)


def _member_answers(
    members: Sequence[Manifest], models: Mapping[str, Model], labelled: Dataset, task: Task
) -> MemberAnswers:
    """What the members say of the rows that they haven't seen; those that answer none are left out."""
    newest = np.array([as_datetime64(member.taught_until) for member in members])
    unseen = labelled.timestamps[:, None] > newest[None, :]
    answering = unseen & (np.cumsum(unseen, axis=1) <= MOST_MEMBERS)
    needed = [position for position in range(len(members)) if answering[:, position].any()]
    versions = tuple(members[position].version for position in needed)
    classes = members[0].contract.model.classes
    answer = (len(classes),) if classes else ()
    probabilities = np.full((len(labelled), len(needed), *answer), np.nan)
    for column, (position, version) in enumerate(zip(needed, versions, strict=True)):
        rows = unseen[:, position]
        probabilities[rows, column] = models[version].probabilities_of(columns_of(labelled.features[rows]))
    thresholds = np.array([models[version].threshold for version in versions])
    return MemberAnswers(versions, probabilities, thresholds, task)


def _disagreement(
    requests: pd.DataFrame,
    production: Model,
    models: Mapping[str, Model],
    answers: MemberAnswers,
    rows: EvidenceRows,
) -> float | None:
    """By how much production and the blend of all evidence differ on requests, at least."""
    if not len(requests) or not len(rows):
        return None
    columns = columns_of(requests)
    weights = weights_of(answers, rows.labels, rows.weights)
    said = [
        weight * rows.task.scores(models[version].probabilities_of(columns))
        for version, weight in zip(answers.versions, weights.tolist(), strict=True)
        if weight
    ]
    blended = rows.task.answers(np.sum(said, axis=0))
    return least_disagreement(production.probabilities_of(columns), blended, rows.task)


def _selected_by(window: LabelledWindow, contract: Contract) -> str | None:
    """The feature by which labelled rows differ most from unlabelled ones of the same time; None: they are alike."""
    predictions = window.predictions
    _, feature = selection_bias(
        predictions.timestamps, predictions.features, window.is_labelled, contract, contract.policy.monitoring
    )
    return feature


def _weights(window: LabelledWindow, contract: Contract) -> NDArray[np.float64]:
    return inverse_propensity(window.predictions.features, window.is_labelled, contract)
