"""What people call a metric, and how many digits of it say something: all metrics of every kind of target.

In the order in which a page shows them, those first that tell most.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from selfheal_tools.backtest.records import MetricName

MOST_CHARTS = 3


@dataclass(frozen=True, slots=True)
class Words:
    """What a metric is called.

    heading: above a column of a terminal. title: of a page. said: in a sentence, after "at". digits: after the point;
    None: four significant ones, of what has a unit. is_drawn: whether its curve says something that no other does.
    """

    heading: str
    title: str
    said: str
    digits: int | None = 3
    is_loss: bool = False
    is_drawn: bool = True

    def shown(self, value: float | None, none: str = "-") -> str:
        """A value as a terminal or a sentence has it."""
        return none if value is None else self.rounded(value, self.digits or 0)

    def rounded(self, value: float, digits: int) -> str:
        """To so many digits after the point; what has a unit to four significant ones."""
        return f"{value:.4g}" if self.digits is None else f"{value:.{digits}f}"


WORDS: Mapping[MetricName, Words] = {
    "rmse": Words("RMSE", "RMSE", "an RMSE", None, is_loss=True),
    "mae": Words("MAE", "MAE", "an MAE", None, is_loss=True),
    "r2": Words("R²", "R²", "an R²"),
    "brier": Words("Brier", "Brier score", "a Brier score", 4, is_loss=True),
    "f1": Words("F1", "F1", "an F1"),
    "macro_f1": Words("macro F1", "Macro F1", "a macro F1"),
    "accuracy": Words("accuracy", "Accuracy", "an accuracy"),
    "cost": Words("cost", "Cost of a prediction", "a cost", None, is_loss=True),
    "auc": Words("AUC", "ROC AUC", "a ROC AUC"),
    "auc_per_period": Words("per period", "per period", "a ROC AUC", is_drawn=False),
    "logloss": Words("logloss", "Log loss", "a log loss", 4, is_loss=True, is_drawn=False),
    "relative_squared_error": Words(
        "loss", "Relative squared error", "a relative squared error", 4, is_loss=True, is_drawn=False
    ),
}
# The means of the losses, by which policies are ranked and what they regain is measured.
MEAN_LOSSES: Mapping[MetricName, str] = {
    "brier": "Brier score",
    "relative_squared_error": "relative squared error",
}


def in_order(metrics: Collection[MetricName]) -> list[MetricName]:
    """Those that there are, as a page shows them; the first is the one that sentences tell."""
    return [name for name in WORDS if name in metrics]


def drawn(metrics: Collection[MetricName]) -> list[MetricName]:
    """Those that a page has curves of."""
    return [name for name in in_order(metrics) if WORDS[name].is_drawn][:MOST_CHARTS]


def mean_loss(metrics: Collection[MetricName]) -> MetricName:
    """The one by which policies are ranked."""
    return next(name for name in MEAN_LOSSES if name in metrics)
