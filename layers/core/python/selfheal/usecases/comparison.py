"""One version against production, on the labelled rows since a moment that neither has seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from selfheal.composition import Stores
from selfheal.contract import Contract
from selfheal.data.dataset import Dataset
from selfheal.errors import EvaluationUnfair
from selfheal.gates import EvidenceRows, judge
from selfheal.gates.propensity import inverse_propensity
from selfheal.performance.selection import selection_bias
from selfheal.records.ledger import Circumstances, GateResult
from selfheal.records.manifest import Manifest
from selfheal.usecases.await_labels import coverage_of
from selfheal.usecases.labelled_rows import LabelledWindow, labelled_window
from selfheal.usecases.scoring import model_of, scored_rows


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """What the gates say about a version, and the rows they say it by.

    start: since when rows count. selected_by: the feature on which it depends whether a row is labelled; None where
    labels are fair.
    """

    version: str
    start: datetime
    gates: tuple[GateResult, ...]
    rows: EvidenceRows
    circumstances: Circumstances
    selected_by: str | None

    @property
    def failed(self) -> list[GateResult]:
        """The gates that refuse the version; a promotion needs that there is none."""
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
    stores: Stores, production: Manifest, version: str, start: datetime, now: datetime, last_move: datetime | None
) -> Comparison:
    """All seven gates on every labelled row of [start, now); `last_move` is when production was last changed.

    Raises:
        EvaluationUnfair: a row to be judged on is not newer than what either model was trained on.
        ArtefactRefused, ReferenceTampered, VersionUnknown, StoreUnavailable: a model can't be read as it was written.
    """
    shadow = stores.models.manifest(version)
    _check_unseen(start, (production, shadow))
    contract = production.contract
    window = labelled_window(stores, contract, start, now)
    selected_by = _selected_by(window, contract)
    rows = scored_rows(
        window.labelled,
        contract,
        production=model_of(stores, production),
        shadow=model_of(stores, shadow),
        weights=None if selected_by is None else _weights(window, contract),
    )
    circumstances = Circumstances(
        judged_at=now, last_move=last_move, predictions=len(window.predictions), coverage=coverage_of(window, now)
    )
    gates = judge(rows, circumstances, contract.policy.gates, contract.segments)
    return Comparison(version, start, gates, rows, circumstances, selected_by)


def _check_unseen(start: datetime, manifests: Sequence[Manifest]) -> None:
    for manifest in manifests:
        if manifest.taught_until >= start:
            raise EvaluationUnfair(
                f"rows from {start} on are to judge version {manifest.version}, which was trained on rows up to "
                f"{manifest.taught_until}: start a new healing"
            )


def _selected_by(window: LabelledWindow, contract: Contract) -> str | None:
    """The feature by which labelled rows differ most from unlabelled ones of the same time; None: they are alike."""
    predictions = window.predictions
    _, feature = selection_bias(
        predictions.timestamps, predictions.features, window.is_labelled, contract, contract.policy.monitoring
    )
    return feature


def _weights(window: LabelledWindow, contract: Contract) -> NDArray[np.float64]:
    predictions = window.predictions
    is_labelled = window.is_labelled.astype(np.int8)
    rows = Dataset(predictions.prediction_ids, predictions.timestamps, predictions.features, is_labelled)
    return inverse_propensity(rows, contract)
