"""What the demo showed, in numbers: recovery of what users saw, and everything counted."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel

from selfheal.contract import Contract
from selfheal.prefixes import LABELS_REJECTED
from selfheal.records.ledger import Decision
from selfheal.records.monitoring import DriftSummary
from selfheal.stores.collection import Stores
from selfheal.stores.monitoring import SUMMARY
from selfheal.tables.predictions import PredictionWindow
from selfheal.tasks import task_of
from selfheal_tools.demo.recovery import Figures, figures_of, recovery
from selfheal_tools.demo.traffic import Answered


class ProductionVersion(BaseModel):
    """A version that was in production, since when and why."""

    version: str
    promoted_at: str
    reason: str


class Outcome(BaseModel):
    """The demo's JSON. `metrics` are of the answers that users got before, during and after the drift; those of a
    binary target also stand under `f1` and `brier`.

    `unhealed`: what they would have been after it, had the model stayed that met the drift. reason: why it counts as
    healed or not.
    """

    healed: bool
    reason: str
    versions: list[ProductionVersion]
    decisions: list[dict[str, Any]]
    f1: Figures | None
    brier: Figures | None
    metrics: dict[str, Figures]
    predictions: dict[str, int]
    labels: dict[str, int]
    seconds: float


def outcome_of(
    answered: Sequence[Answered],
    uploaded: int,
    stores: Stores,
    contract: Contract,
    *,
    met_by: str,
    serving: str,
    now: datetime,
    seconds: float,
) -> Outcome:
    """Everything counted; healed where the API names the newest version and half of what was lost has come back.

    Lost in a metric by which the gates of the contract count a gain: either suffices where they name several.
    """
    moves, logged = _moves(stores), _logged(answered, stores, contract)
    figures = figures_of(answered, logged, stores, task_of(stores.models.manifest(met_by)), met_by)
    judged: dict[str, Figures] = {name: figures[name] for name in contract.policy.gates.gain_metrics}
    if len(moves) < 2:  # noqa: PLR2004 - the first model and another one
        healed, reason = False, f"no other version was promoted: {_last_word(stores, now)}"
    elif serving != moves[-1].version:
        healed, reason = False, f"the API still names {serving}, not {moves[-1].version}"
    else:
        healed, reason = recovery(judged)
    return Outcome(
        healed=healed,
        reason=reason,
        versions=[_version(move) for move in moves],
        decisions=[decision.model_dump(mode="json") for decision in stores.ledger.decisions()],
        f1=figures.get("f1"),
        brier=figures.get("brier"),
        metrics=figures,
        predictions={
            "answered": len(answered),
            "logged": len({row.prediction_id for row in answered} & set(logged.prediction_ids)),
        },
        labels={"uploaded": uploaded, **_labels(answered, stores)},
        seconds=round(seconds, 1),
    )


def _last_word(stores: Stores, now: datetime) -> str:
    """Why nothing was promoted: what was decided last, or what the last monitoring run was waiting for."""
    decisions = [decision for decision in stores.ledger.decisions() if decision.kind != "bootstrap"]
    if decisions:
        failed = [f"{gate.gate}: {gate.reason}" for gate in decisions[-1].gates if not gate.passed]
        return "; ".join([decisions[-1].reason, *failed])
    written = stores.monitoring.latest(SUMMARY, now)
    if written is None:
        return "monitoring has never run"
    summary = DriftSummary.model_validate_json(written)
    return f"{summary.sentence.rstrip('.')}; {summary.healing.reason}"


def _moves(stores: Stores) -> list[Decision]:
    """Decisions that moved the production pointer, oldest first."""
    story = stores.ledger.story()
    outcomes = [(decision, story.outcome_of(decision)) for decision in story.decisions]
    return [decision for decision, outcome in outcomes if outcome and outcome.kind == "done"]


def _version(move: Decision) -> ProductionVersion:
    return ProductionVersion(version=str(move.version), promoted_at=move.decided_at.isoformat(), reason=move.reason)


def _logged(answered: Sequence[Answered], stores: Stores, contract: Contract) -> PredictionWindow:
    """What the prediction log holds of the time in which rows were answered."""
    return stores.history.window(answered[0].moment, answered[-1].moment + timedelta(hours=1), contract)


def _labels(answered: Sequence[Answered], stores: Stores) -> dict[str, int]:
    kept = stores.labels.of_predictions_between(answered[0].moment, answered[-1].moment + timedelta(hours=1))
    refused = stores.data.get_many(stores.data.keys(LABELS_REJECTED))
    return {"accepted": len(kept), "rejected": sum(len(body.splitlines()) - 1 for _, body in refused)}
