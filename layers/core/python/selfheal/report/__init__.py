"""The report of a run: one self-contained HTML page, its verdict in the first sentence."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from selfheal.records.monitoring import DriftSummary, Estimate
from selfheal.report.charts import distributions, over_time

METRICS = {
    "f1": "F1",
    "precision": "Precision",
    "recall": "Recall",
    "roc_auc": "ROC AUC",
    "brier": "Brier score",
    "expected_calibration_error": "Calibration error",
}
TONES = {"no_drift": "calm", "not_enough_data": "unsure", "pipeline_fault": "fault"}
SMALLEST_P_VALUE = 1e-4


def render_report(summary: DriftSummary) -> bytes:
    """The page as UTF-8 HTML, some ten kilobytes and two a feature; it loads nothing."""
    return _template().render(summary=summary, tone=TONES.get(summary.verdict, "drift"), metrics=METRICS).encode()


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
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"
