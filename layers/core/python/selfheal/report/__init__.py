"""The report of a run: one self-contained HTML page, its verdict in the first sentence."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from selfheal.records.monitoring import DriftSummary, Estimate
from selfheal.report.charts import distributions, over_time

# Those of a binary target are always shown, others where there are any.
METRICS = {
    "f1": "F1",
    "precision": "Precision",
    "recall": "Recall",
    "roc_auc": "ROC AUC",
    "brier": "Brier score",
    "expected_calibration_error": "Calibration error",
}
OTHER_METRICS = {
    "accuracy": "Accuracy",
    "macro_f1": "Macro F1",
    "roc_auc": "ROC AUC, each class against the rest",
    "brier": "Brier score",
    "log_loss": "Log loss",
    "mae": "Mean absolute error",
    "rmse": "Root mean squared error",
    "r2": "R²",
    "interval_coverage": "Labels within the 90 % interval",
}
TONES = {"no_drift": "calm", "not_enough_data": "unsure", "pipeline_fault": "fault"}
SMALLEST_P_VALUE = 1e-4
# From here on a number is told by its digits that count.
LARGE = 10.0


def render_report(summary: DriftSummary) -> bytes:
    """The page as UTF-8 HTML, some ten kilobytes and two a feature; it loads nothing."""
    return (
        _template()
        .render(summary=summary, tone=TONES.get(summary.verdict, "drift"), metrics=_metrics(summary))
        .encode()
    )


def _metrics(summary: DriftSummary) -> dict[str, str]:
    """The metrics of the summary's kind of target, and what they are called."""
    found = {name for part in (summary.performance, summary.estimated_performance) if part for name in part.metrics}
    if not found or "f1" in found:
        return METRICS | ({"cost": "Cost of a prediction"} if "cost" in found else {})
    return {name: title for name, title in OTHER_METRICS.items() if name in found}


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("selfheal.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": _number,
        "share": _share,
        "p_value": _p_value,
        "p_equals": _p_equals,
        "interval": _interval,
    }
    environment.globals |= {"distributions": distributions, "over_time": over_time}
    return environment.get_template("report.html.j2")


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3g}"


def _share(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1%}"


def _p_equals(value: float) -> str:
    found = _p_value(value)
    return found if found.startswith("<") else f"= {found}"


def _p_value(value: float) -> str:
    return "< 0.0001" if value < SMALLEST_P_VALUE else f"{value:.2g}"


def _interval(estimate: Estimate | None) -> str:
    if estimate is None or estimate.value is None or estimate.low is None or estimate.high is None:
        return "unknown"
    if max(abs(estimate.low), abs(estimate.high)) >= LARGE:
        return f"{estimate.value:.4g} ({estimate.low:.4g} to {estimate.high:.4g})"
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"
