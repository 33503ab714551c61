"""How the answers were before, during and after the drift, and whether what it took has come back."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from selfheal.models.formats import model_of
from selfheal.stores.collection import Stores
from selfheal.tables.predictions import PredictionWindow
from selfheal.tables.table import columns_of
from selfheal.tasks import Task
from selfheal.tasks.metric import Metric
from selfheal_tools.demo.traffic import Answered

# Of the rows after the healing also what the old model would have said to them: the others are other rows, and easier
# or harder.
PERIODS = ("before", "during", "after", "unhealed")
HEADINGS = ("before the drift", "during it", "after healing", "had the model stayed")
METRICS = {
    "f1": "F1",
    "brier": "Brier score",
    "macro_f1": "Macro F1",
    "accuracy": "Accuracy",
    "mae": "Mean absolute error",
    "mse": "Mean squared error",
    "cost": "Cost of a prediction",
}
FALLING = {"brier", "mae", "mse", "cost"}
# The share of what was lost that has to come back.
ENOUGH = 0.5
WENT_ON = (
    ". The drift went on: most of it was lost after the new version was trained, and no label had told of that yet"
)

type Figures = dict[str, float | None]


def figures_of(
    answered: Sequence[Answered], logged: PredictionWindow, stores: Stores, task: Task, met_by: str
) -> dict[str, Figures]:
    """The metrics of the task's gates in each period, None where it has no rows.

    met_by: the version in production when the world changed, not always the first one: enough new labels let a better
    one be promoted on the calm days already.
    """
    changed = [row for row in answered if row.act == "changed"]
    after = [row for row in changed if row.model_version != met_by]
    periods = {
        "before": [row for row in answered if row.act == "calm"],
        "during": [row for row in changed if row.model_version == met_by],
        "after": after,
        "unhealed": _as_said_by(met_by, after, logged, stores, task),
    }
    return {
        metric.name: {period: _measured(metric, rows) for period, rows in periods.items()}
        for metric in task.gate_metrics.values()
    }


def recovery(judged: Mapping[str, Figures]) -> tuple[bool, str]:
    """Whether at least half of what drift took has come back in one of the metrics, and the figures that say so.

    Where drift took nothing, nothing may be missing.
    """
    known = {name: figures for name, figures in judged.items() if _is_known(figures)}
    lost = {name: figures for name, figures in known.items() if _loss(name, figures) > 0}
    for name, figures in (lost or known).items():
        if _regained(name, figures) >= ENOUGH * _loss(name, figures):
            share = "at least half of what was lost is back" if lost else "nothing was lost"
            return True, f"{share}: {_in_words(name, figures)}"
    told_of = "; ".join(_in_words(*one) for one in judged.items())
    went_on = all(_lost_later(name, figures) for name, figures in lost.items()) if lost else False
    return False, f"less than half of what was lost is back: {told_of}{WENT_ON if went_on else ''}"


def _is_known(figures: Figures) -> bool:
    return all(figures[period] is not None for period in ("before", "after", "unhealed"))


def _loss(name: str, figures: Figures) -> float:
    """What production did better before the drift than the old model on the rows after the healing."""
    return max(_better(name, figures, "before"), 0.0)


def _lost_later(name: str, figures: Figures) -> bool:
    """Whether more than half of the loss came when the new version had been trained, of which no label had told it."""
    if figures["during"] is None:
        return False
    while_it_learnt = _difference(name, figures["before"], figures["during"])
    return while_it_learnt < (1 - ENOUGH) * _loss(name, figures)


def _regained(name: str, figures: Figures) -> float:
    """What the answers to those rows are better than the old model's would have been."""
    return _better(name, figures, "after")


def _better(name: str, figures: Figures, period: str) -> float:
    return _difference(name, figures[period], figures["unhealed"])


def _difference(name: str, better: float | None, worse: float | None) -> float:
    difference = (better or 0.0) - (worse or 0.0)
    return -difference if name in FALLING else difference


def _in_words(name: str, figures: Figures) -> str:
    values = ["unknown" if (value := figures[period]) is None else told(value) for period in PERIODS]
    return f"{METRICS[name]} {', '.join(f'{value} {when}' for value, when in zip(values, HEADINGS, strict=True))}"


def told(value: float) -> str:
    """A metric: shares to three places, larger numbers to four that count."""
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.4g}"  # noqa: PLR2004 - two digits before the point


def _as_said_by(
    version: str, answered: Sequence[Answered], logged: PredictionWindow, stores: Stores, task: Task
) -> list[Answered]:
    """What a version would have answered to rows, as far as the log holds them."""
    places = {key: place for place, key in enumerate(logged.prediction_ids)}
    known = [row for row in answered if row.prediction_id in places]
    if not known:
        return []
    model = model_of(stores.models.manifest(version), stores.models.artefact)
    rows = logged.features.iloc[[places[row.prediction_id] for row in known]]
    said = model.probabilities_of(columns_of(rows))
    predicted = task.predictions(said, model.threshold)
    return [
        replace(row, model_version=version, answer=answer, prediction=prediction)
        for row, answer, prediction in zip(known, said.tolist(), predicted.tolist(), strict=True)
    ]


def _measured(metric: Metric, rows: Sequence[Answered]) -> float | None:
    if not rows:
        return None
    answers, predictions, labels = (
        np.array([getattr(row, name) for row in rows]) for name in ("answer", "prediction", "truth")
    )
    return float(metric.of_sums(metric.parts(answers, predictions, labels).sum(axis=0, keepdims=True))[0])
