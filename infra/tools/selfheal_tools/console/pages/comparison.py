"""Two versions side by side: figures, calibration, what they look at, and on which recent rows they differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from selfheal.labels.values import LabelValue
from selfheal.models.ports import Model
from selfheal.records.manifest import Manifest
from selfheal.tables.predictions import PredictionWindow
from selfheal.tables.table import columns_of
from selfheal_tools.console.pages.metrics import metric_name
from selfheal_tools.console.words import share

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
    first: float
    second: float
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
    first: Side, second: Side, recent: PredictionWindow, truth: Mapping[str, LabelValue]
) -> ComparisonPage:
    """Both asked about the same recent rows; `truth`: labels of those that have one, by prediction id."""
    sides = (first, second)
    columns = columns_of(recent.features)
    answers = [side.model.probabilities_of(columns) if len(recent) else np.zeros(0) for side in sides]
    return ComparisonPage(
        first=first.manifest,
        second=second.manifest,
        figures=(*_metrics(first.manifest, second.manifest), *_on_recent(sides, answers, recent, truth)),
        reliability=tuple((side.manifest.version, side.reliability) for side in sides if side.reliability),
        importance=_importance(sides, answers, columns),
        differing=_differing(answers, recent),
        rows=len(recent),
    )


def shuffled_change(
    model: Model, answers: NDArray[np.float64], columns: Mapping[str, NDArray[Any]], name: str
) -> float:
    """Mean absolute change of the answers, shape (n,), where one feature's values change places."""
    order = np.random.default_rng(SEED).permutation(len(answers))
    changed = model.probabilities_of({**columns, name: columns[name][order]})
    return float(np.abs(changed - answers).mean())


def _metrics(first: Manifest, second: Manifest) -> list[tuple[str, str, str]]:
    names = list(dict.fromkeys([*first.metrics, *second.metrics]))
    found = [(metric_name(name), _figure(first.metrics.get(name)), _figure(second.metrics.get(name))) for name in names]
    return [*found, ("Operating threshold", _figure(first.threshold), _figure(second.threshold))]


def _on_recent(
    sides: Sequence[Side],
    answers: Sequence[NDArray[np.float64]],
    recent: PredictionWindow,
    truth: Mapping[str, LabelValue],
) -> list[tuple[str, str, str]]:
    if not len(recent):
        return []
    positive = [said >= side.model.threshold for side, said in zip(sides, answers, strict=True)]
    rates, means = ([share(float(said.mean())) for said in positive], [f"{said.mean():.4f}" for said in answers])
    differ = share(float((positive[0] != positive[1]).mean()))
    found = [
        (f"Positive on {len(recent):,} recent rows", rates[0], rates[1]),
        ("Mean probability on them", means[0], means[1]),
        ("Rows on which predictions differ", differ, ""),
    ]
    labels = np.array([truth.get(str(key), -1) for key in recent.prediction_ids])
    known = labels >= 0
    if known.any():
        scores = [f"{np.square(said[known] - labels[known]).mean():.4f}" for said in answers]
        found.append((f"Brier score on the {int(known.sum()):,} labelled of them", scores[0], scores[1]))
    return found


def _importance(
    sides: Sequence[Side], answers: Sequence[NDArray[np.float64]], columns: Mapping[str, NDArray[Any]]
) -> tuple[Importance, ...]:
    if not len(answers[0]):
        return ()
    found = [
        Importance(
            name, *(shuffled_change(side.model, said, columns, name) for side, said in zip(sides, answers, strict=True))
        )
        for name in columns
    ]
    return tuple(sorted(found, key=lambda one: -max(one.first, one.second))[:MOST_FEATURES])


def _differing(answers: Sequence[NDArray[np.float64]], recent: PredictionWindow) -> tuple[DifferingRow, ...]:
    if not len(recent):
        return ()
    apart = np.abs(answers[0] - answers[1])
    chosen = [row for row in np.argsort(-apart, kind="stable")[:DIFFERING_ROWS].tolist() if apart[row] > 0]
    return tuple(
        DifferingRow(
            prediction_id=str(recent.prediction_ids[row]),
            first=float(answers[0][row]),
            second=float(answers[1][row]),
            features=tuple((str(name), written(value)) for name, value in recent.features.iloc[row].items()),
        )
        for row in chosen
    )


def written(value: Any) -> str:
    """A feature's value as text."""
    if value is None or (isinstance(value, float) and pd.isna(value)):
        return "missing"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _figure(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4f}"
