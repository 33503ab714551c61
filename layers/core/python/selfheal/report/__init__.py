"""The report of a run: one self-contained HTML page, its verdict in the first sentence."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from selfheal.records.monitoring import DriftSummary


def render_report(summary: DriftSummary) -> bytes:
    """The page as UTF-8 HTML; it loads nothing."""
    return _template().render(summary=summary).encode()


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("selfheal.report", ""), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["number"] = _number
    return environment.get_template("report.html.j2")


def _number(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}g}"
