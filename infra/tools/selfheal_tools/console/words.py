"""How moments, spans and figures are written on the pages."""

from datetime import datetime, timedelta

from selfheal.records.monitoring import Estimate

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
UNKNOWN = "unknown"


def moment(value: datetime | None) -> str:
    """Day and minute in UTC."""
    return "never" if value is None else f"{value:%Y-%m-%d %H:%M} UTC"


def span(value: timedelta) -> str:
    """Whole units, the largest that has two of them: 36 hours, 3 days."""
    for unit, name in ((DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")):
        if value >= 2 * unit or (name == "minute" and value >= unit):
            return counted(value // unit, name)
    return "less than a minute"


def counted(n: int, what: str) -> str:
    """A number and its noun, such as 1 row or 2,000 rows."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def share(value: float | None) -> str:
    """A share in percent."""
    return UNKNOWN if value is None else f"{value:.1%}"


def number(value: float | None) -> str:
    """A figure with three digits that count."""
    return UNKNOWN if value is None else f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"  # noqa: PLR2004


def interval(estimate: Estimate | None) -> str:
    """A metric with its 95 % interval."""
    if estimate is None or estimate.value is None:
        return UNKNOWN
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


def capital(sentence: str) -> str:
    """The sentence, begun with a capital letter."""
    return f"{sentence[:1].upper()}{sentence[1:]}"
