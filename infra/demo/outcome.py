"""What the demo showed, in numbers: recovery of what users saw, and everything counted."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from sklearn.metrics import brier_score_loss, f1_score

from infra.demo.traffic import Answered
from selfheal.composition import Stores
from selfheal.contract import Contract
from selfheal.records.ledger import Decision
from selfheal.stores.labels import REJECTED

PERIODS = ("before", "during", "after")
# The share of the lost F1 that has to come back.
ENOUGH = 0.5

type Figures = dict[str, float | None]


class ProductionVersion(BaseModel):
    """A version that was in production, since when and why."""

    version: str
    promoted_at: str
    reason: str


class Outcome(BaseModel):
    """The demo's JSON. `f1` and `brier` are those of the answers that users got before, during and after the drift."""

    healed: bool
    versions: list[ProductionVersion]
    decisions: list[dict[str, Any]]
    f1: Figures
    brier: Figures
    predictions: dict[str, int]
    labels: dict[str, int]
    seconds: float


def outcome_of(
    answered: Sequence[Answered], uploaded: int, stores: Stores, contract: Contract, serving: str, seconds: float
) -> Outcome:
    """Everything counted; healed where the API names the newest version and half of the lost F1 has come back."""
    moves = _moves(stores)
    periods = _periods(answered)
    f1 = {name: _f1(rows) for name, rows in periods.items()}
    return Outcome(
        healed=len(moves) > 1 and serving == moves[-1].version and is_recovered(f1),
        versions=[_version(move) for move in moves],
        decisions=[decision.model_dump(mode="json") for decision in stores.ledger.decisions()],
        f1=f1,
        brier={name: _brier(rows) for name, rows in periods.items()},
        predictions={"answered": len(answered), "logged": _logged(answered, stores, contract)},
        labels={"uploaded": uploaded, **_labels(answered, stores)},
        seconds=round(seconds, 1),
    )


def is_recovered(f1: Figures) -> bool:
    """Whether at least half of the F1 lost to drift has come back; where none was lost, whether none is missing."""
    before, during, after = (f1[period] for period in PERIODS)
    if before is None or during is None or after is None:
        return False
    return after >= during + ENOUGH * max(before - during, 0.0)


def _moves(stores: Stores) -> list[Decision]:
    """Decisions that moved the production pointer, oldest first."""
    entries = list(stores.ledger.entries())
    done = {entry.outcome.decision_id for entry in entries if entry.outcome and entry.outcome.kind == "done"}
    return [entry.decision for entry in entries if entry.decision and entry.decision.decision_id in done]


def _version(move: Decision) -> ProductionVersion:
    return ProductionVersion(version=str(move.version), promoted_at=move.decided_at.isoformat(), reason=move.reason)


def _periods(answered: Sequence[Answered]) -> dict[str, list[Answered]]:
    first = answered[0].model_version
    return {
        "before": [row for row in answered if row.act == "calm"],
        "during": [row for row in answered if row.act == "changed" and row.model_version == first],
        "after": [row for row in answered if row.act == "changed" and row.model_version != first],
    }


def _f1(rows: Sequence[Answered]) -> float | None:
    if not rows:
        return None
    return float(f1_score([row.truth for row in rows], [row.prediction for row in rows], zero_division=0.0))


def _brier(rows: Sequence[Answered]) -> float | None:
    if not rows:
        return None
    return float(brier_score_loss([row.truth for row in rows], [row.probability for row in rows]))


def _logged(answered: Sequence[Answered], stores: Stores, contract: Contract) -> int:
    """How many of the answered rows the prediction log holds."""
    window = stores.history.window(answered[0].moment, answered[-1].moment + timedelta(hours=1), contract)
    return len({row.prediction_id for row in answered} & set(window.prediction_ids))


def _labels(answered: Sequence[Answered], stores: Stores) -> dict[str, int]:
    kept = stores.labels.of_predictions_between(answered[0].moment, answered[-1].moment + timedelta(hours=1))
    refused = stores.data.get_many(stores.data.keys(REJECTED))
    return {"accepted": len(kept), "rejected": sum(len(body.splitlines()) - 1 for _, body in refused)}
