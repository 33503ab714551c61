"""Two versions side by side: figures, calibration, what they look at, and on which recent rows they differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal.models.ports import Model
from selfheal.records.manifest import Manifest
from selfheal.tables.predictions import PredictionWindow
from selfheal.tables.table import columns_of
from selfheal.tasks import task_of
from selfheal.tasks.coding import positions
from selfheal_tools.console.pages.metrics import metric_name
from selfheal_tools.console.pages.versions import threshold_of
from selfheal_tools.console.words import capital, number, share

DIFFERING_ROWS, MOST_FEATURES = 12, 15
SEED = 20_260_101


@dataclass(frozen=True, eq=False)
class Side:
    """One of the two: its manifest, what it answers with, and its reliability on its own tuning rows (none: empty)."""

    manifest: Manifest
    model: Model
    reliability: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class DifferingRow:
    """A recent row on which the two differ most: both answers, and the row by feature."""

    prediction_id: str
    first: str
    second: str
    features: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Importance:
    """By how much both answers change on average where a feature's values change places among the rows."""

    feature: str
    first: float
    second: float


@dataclass(frozen=True, slots=True)
class ComparisonPage:
    """All of the page; figures: name and both values. rows: how many recent rows both were asked about."""

    first: Manifest
    second: Manifest
    figures: tuple[tuple[str, str, str], ...]
    reliability: tuple[tuple[str, Sequence[tuple[float, float]]], ...]
    importance: tuple[Importance, ...]
    differing: tuple[DifferingRow, ...]
    rows: int


def comparison_page(
    first: Side, second: Side, recent: PredictionWindow, truth: Mapping[str, float | str]
) -> ComparisonPage:
    """Both asked about the same recent rows; `truth`: labels of those that have one, by prediction id."""
    sides = (first, second)
    columns = columns_of(recent.features)
    answers = [side.model.probabilities_of(columns) for side in sides] if len(recent) else []
    # Versions of other classes can't be asked about the same.
    rows = len(recent) if answers and answers[0].shape == answers[1].shape else 0
    return ComparisonPage(
        first=first.manifest,
        second=second.manifest,
        figures=(
            *_metrics(first.manifest, second.manifest),
            *(_on_recent(sides, answers, recent, truth) if rows else ()),
        ),
        reliability=tuple((side.manifest.version, side.reliability) for side in sides if side.reliability),
        importance=_importance(sides, answers, columns) if rows else (),
        differing=_differing(sides, answers, recent) if rows else (),
        rows=rows,
    )


def shuffled_change(
    model: Model, answers: NDArray[np.float64], columns: Mapping[str, NDArray[Any]], name: str
) -> float:
    """Mean absolute change of the answers, shape (n,), where one feature's values change places."""
    order = np.random.default_rng(SEED).permutation(len(answers))
    changed = model.probabilities_of({**columns, name: columns[name][order]})
    return float(_apart(changed, answers).mean())


def _metrics(first: Manifest, second: Manifest) -> list[tuple[str, str, str]]:
    names = list(dict.fromkeys([*first.metrics, *second.metrics]))
    found = [(metric_name(name), _figure(first.metrics.get(name)), _figure(second.metrics.get(name))) for name in names]
    thresholds = zip(threshold_of(first), threshold_of(second), strict=False)
    return [*found, *((name, one, other) for (name, one), (_, other) in thresholds)]


def _on_recent(
    sides: Sequence[Side],
    answers: Sequence[NDArray[np.float64]],
    recent: PredictionWindow,
    truth: Mapping[str, float | str],
) -> list[tuple[str, str, str]]:
    tasks = [task_of(side.manifest) for side in sides]
    said = [
        task.predictions(answer, side.model.threshold) for task, side, answer in zip(tasks, sides, answers, strict=True)
    ]
    found = []
    if tasks[0].name == "binary":
        rates, means = ([share(float(one.mean())) for one in said], [f"{answer.mean():.4f}" for answer in answers])
        found += [(f"Positive on {len(recent):,} recent rows", *rates), ("Mean probability on them", *means)]
    if tasks[0].name != "regression":
        found.append(("Rows on which predictions differ", share(float((said[0] != said[1]).mean())), ""))
    known, labels = _labels(sides[0].manifest, recent, truth)
    if known.any():
        scores = [f"{tasks[0].losses(answer[known], labels).mean():.4f}" for answer in answers]
        found.append((f"{capital(tasks[0].score)} on the {int(known.sum()):,} labelled of them", *scores))
    return [(name, one, other) for name, one, other in found]


def _labels(
    manifest: Manifest, recent: PredictionWindow, truth: Mapping[str, float | str]
) -> tuple[NDArray[np.bool_], NDArray[Any]]:
    """Which rows have a label, shape (n,), and the labels of these as the task takes them."""
    classes = positions(manifest.contract)
    values = [truth.get(str(key)) for key in recent.prediction_ids]
    coded = [classes.get(value) if isinstance(value, str) else value for value in values]
    known = np.array([value is not None for value in coded], dtype=np.bool_)
    return known, np.array([value for value in coded if value is not None])


def _importance(
    sides: Sequence[Side], answers: Sequence[NDArray[np.float64]], columns: Mapping[str, NDArray[Any]]
) -> tuple[Importance, ...]:
    found = [
        Importance(
            name, *(shuffled_change(side.model, said, columns, name) for side, said in zip(sides, answers, strict=True))
        )
        for name in columns
    ]
    return tuple(sorted(found, key=lambda one: -max(one.first, one.second))[:MOST_FEATURES])


def _differing(
    sides: Sequence[Side], answers: Sequence[NDArray[np.float64]], recent: PredictionWindow
) -> tuple[DifferingRow, ...]:
    apart = _apart(answers[0], answers[1])
    chosen = [row for row in np.argsort(-apart, kind="stable")[:DIFFERING_ROWS].tolist() if apart[row] > 0]
    texts = [[_told(side.manifest, answer[row]) for row in chosen] for side, answer in zip(sides, answers, strict=True)]
    return tuple(
        DifferingRow(
            prediction_id=str(recent.prediction_ids[row]),
            first=texts[0][place],
            second=texts[1][place],
            features=tuple((str(name), written(value)) for name, value in recent.features.iloc[row].items()),
        )
        for place, row in enumerate(chosen)
    )


def _apart(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far answers to n rows are apart, shape (n,): of several classes in the one that differs most."""
    differences = np.abs(one - other)
    return differences if differences.ndim == 1 else np.asarray(differences.max(axis=1))


def _told(manifest: Manifest, answer: Any) -> str:
    """One answer: a probability, a number, or the likeliest class and its probability."""
    kind, classes = manifest.contract.model.task, manifest.contract.model.classes or ()
    if kind == "multiclass":
        likeliest = int(np.argmax(answer))
        return f"{classes[likeliest]} ({answer[likeliest]:.3f})"
    return f"{answer:.3f}" if kind == "binary" else number(float(answer))


def written(value: Any) -> str:
    """A feature's value as text."""
    if value is None or (isinstance(value, float) and pd.isna(value)):
        return "missing"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _figure(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4f}"
