"""What the demo showed, in numbers: recovery of what users saw, and everything counted."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel
from sklearn.metrics import brier_score_loss, f1_score

from infra.demo.traffic import Answered
from selfheal.composition import Stores
from selfheal.contract import Contract
from selfheal.records.ledger import Decision
from selfheal.records.monitoring import DriftSummary
from selfheal.stores.labels import REJECTED
from selfheal.usecases.monitor import SUMMARY

PERIODS = ("before", "during", "after")
WHEN = ("before the drift", "during it", "after")
# The share of what was lost that has to come back.
ENOUGH = 0.5
SAID = {"f1": "F1", "brier": "Brier score"}

type Figures = dict[str, float | None]


class ProductionVersion(BaseModel):
    """A version that was in production, since when and why."""

    version: str
    promoted_at: str
    reason: str


class Outcome(BaseModel):
    """The demo's JSON. `f1` and `brier` are those of the answers that users got before, during and after the drift.

    reason: why it counts as healed or not.
    """

    healed: bool
    reason: str
    versions: list[ProductionVersion]
    decisions: list[dict[str, Any]]
    f1: Figures
    brier: Figures
    predictions: dict[str, int]
    labels: dict[str, int]
    seconds: float


def outcome_of(
    answered: Sequence[Answered],
    uploaded: int,
    stores: Stores,
    contract: Contract,
    *,
    serving: str,
    now: datetime,
    seconds: float,
) -> Outcome:
    """Everything counted; healed where the API names the newest version and half of what was lost has come back.

    Lost in F1 or in the Brier score, as the gates of the contract count it: either suffices where they say so.
    """
    moves = _moves(stores)
    periods = _periods(answered)
    figures = {
        "f1": {name: _f1(rows) for name, rows in periods.items()},
        "brier": {name: _brier(rows) for name, rows in periods.items()},
    }
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
        f1=figures["f1"],
        brier=figures["brier"],
        predictions={"answered": len(answered), "logged": _logged(answered, stores, contract)},
        labels={"uploaded": uploaded, **_labels(answered, stores)},
        seconds=round(seconds, 1),
    )


def recovery(judged: Mapping[str, Figures]) -> tuple[bool, str]:
    """Whether at least half of what drift took has come back in one of the metrics, and the figures that say so.

    Where drift took nothing, nothing may be missing.
    """
    said = {name: _in_words(name, figures) for name, figures in judged.items()}
    for name, figures in judged.items():
        if is_recovered(figures, falls=name == "brier"):
            return True, f"at least half of what was lost is back: {said[name]}"
    return False, f"less than half of what was lost is back: {'; '.join(said.values())}"


def is_recovered(figures: Figures, *, falls: bool = False) -> bool:
    """Whether half of the loss has come back; `falls`: the metric is the better the lower it is."""
    sign = -1.0 if falls else 1.0
    before, during, after = (figures[period] for period in PERIODS)
    if before is None or during is None or after is None:
        return False
    return sign * after >= sign * during + ENOUGH * max(sign * (before - during), 0.0)


def _in_words(name: str, figures: Figures) -> str:
    values = ("unknown" if (value := figures[period]) is None else f"{value:.3f}" for period in PERIODS)
    return f"{SAID[name]} {', '.join(f'{value} {when}' for value, when in zip(values, WHEN, strict=True))}"


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
