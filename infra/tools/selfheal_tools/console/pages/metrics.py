"""Metrics as people write them, and which of them say how a version does."""

from collections.abc import Iterable

from selfheal.report import METRICS as REPORTED

NAMES = {
    **REPORTED,
    "log_loss": "Log loss",
    "accuracy": "Accuracy",
    "macro_f1": "Macro F1",
    "mae": "Mean absolute error",
    "rmse": "Root mean squared error",
    "r2": "R squared",
}
# Of every kind of target the first two that are there stand on Now and over time.
HEADLINES = ("brier", "mae", "f1", "macro_f1", "rmse", "accuracy")
SHOWN = 2
# Side by side in a table of versions.
COLUMNS = (*HEADLINES, "roc_auc", "log_loss")
MOST_COLUMNS = 4


def metric_name(name: str) -> str:
    """A metric as people write it."""
    return NAMES.get(name, name.replace("_", " "))


def columns(names: Iterable[str]) -> list[str]:
    """Those of the metrics that stand in a table of versions, at most four."""
    known = set(names)
    return [name for name in COLUMNS if name in known][:MOST_COLUMNS]


def headlines(names: Iterable[str]) -> list[str]:
    """Those of the metrics that are shown first, at most two."""
    known = set(names)
    return [name for name in HEADLINES if name in known][:SHOWN]
