"""Inline SVG: two distributions as bars, one figure over time as a line; coloured by the page's own variables."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from markupsafe import Markup

from selfheal.records.drift import Sketch
from selfheal.records.monitoring import TimelinePoint

WIDTH, HEIGHT = 320, 96
LINE_WIDTH, LINE_HEIGHT, LEFT, TOP, BOTTOM = 640, 180, 44, 12, 22

type Points = Sequence[tuple[float, float]]


def distributions(feature: str, sketch: Sketch) -> Markup:
    """The reference as filled bars, the window as a stepped line over them."""
    if not sketch.labels:
        return Markup("")
    highest = max(*sketch.reference, *sketch.window, 1e-9)
    step = WIDTH / len(sketch.labels)
    bars = Markup("").join(
        Markup(
            '<rect class="was" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>'
        ).format(i * step + 1, _y(before, highest), step - 2, HEIGHT - _y(before, highest), _told(label, before, after))
        for i, (label, before, after) in enumerate(zip(sketch.labels, sketch.reference, sketch.window, strict=True))
    )
    line = " ".join(
        f"{'M' if i == 0 else 'L'}{i * step:.1f} {_y(share, highest):.1f}H{(i + 1) * step:.1f}"
        for i, share in enumerate(sketch.window)
    )
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}<path class="is" d="{}"/></svg>').format(
        WIDTH, HEIGHT, f"Distribution of {feature} in the reference (bars) and in the window (line)", bars, line
    )


def over_time(name: str, points: Sequence[TimelinePoint], field: str, band: tuple[str, str] | None = None) -> Markup:
    """One figure over the runs, its interval as a band, a dashed line wherever another version took over."""
    known = [point for point in points if getattr(point, field) is not None]
    if len(known) < 2:  # noqa: PLR2004 - a line needs two points
        return Markup("")
    scale = _Scale(known, [field, *(band or ())])
    line = _path([scale.at(point, getattr(point, field)) for point in known])
    promotions = [scale.at(new, scale.low)[0] for old, new in pairwise(known) if old.version != new.version]
    marks = Markup("").join(
        Markup('<line class="promotion" x1="{0:.1f}" x2="{0:.1f}" y1="4" y2="{1}"/>').format(x, LINE_HEIGHT - BOTTOM)
        for x in promotions
    )
    area = _band(scale, known, band) if band else ""
    said = f"{name} over time, from {known[0].timestamp:%d %B %H:%M} to {known[-1].timestamp:%d %B %H:%M} UTC"
    shapes = Markup('<path class="band" d="{}"/>{}<path class="is" d="{}"/>').format(area, marks, line)
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}</svg>').format(
        LINE_WIDTH, LINE_HEIGHT, said, _axes(scale, known), shapes
    )


class _Scale:
    """Where a moment and a value lie."""

    def __init__(self, points: Sequence[TimelinePoint], fields: Sequence[str]) -> None:
        values = [value for point in points for field in fields if (value := getattr(point, field)) is not None]
        margin = (max(values) - min(values)) * 0.1 or 0.01
        self.low, self.high = max(0.0, min(values) - margin), max(values) + margin
        self._first, self._last = points[0].timestamp, points[-1].timestamp

    def at(self, point: TimelinePoint, value: float) -> tuple[float, float]:
        passed: float = (point.timestamp - self._first) / (self._last - self._first)
        x = LEFT + (LINE_WIDTH - LEFT - 8) * passed
        return x, self.y(value)

    def y(self, value: float) -> float:
        return float(TOP + (LINE_HEIGHT - BOTTOM - TOP) * (self.high - value) / (self.high - self.low))


def _axes(scale: _Scale, points: Sequence[TimelinePoint]) -> Markup:
    lines = Markup("").join(
        Markup(
            '<line class="grid" x1="{}" x2="{}" y1="{y:.1f}" y2="{y:.1f}"/><text x="{}" y="{t:.1f}">{:.3g}</text>'
        ).format(LEFT, LINE_WIDTH - 8, 0, value, y=scale.y(value), t=scale.y(value) + 4)
        for value in (scale.low, (scale.low + scale.high) / 2, scale.high)
    )
    return lines + Markup('<text x="{}" y="{}">{}</text><text x="{}" y="{}" text-anchor="end">{}</text>').format(
        LEFT, LINE_HEIGHT - 4, _day(points[0].timestamp), LINE_WIDTH - 8, LINE_HEIGHT - 4, _day(points[-1].timestamp)
    )


def _band(scale: _Scale, points: Sequence[TimelinePoint], band: tuple[str, str]) -> str:
    sides = [
        [scale.at(point, value) for point in points if (value := getattr(point, field)) is not None] for field in band
    ]
    return f"{_path(sides[0])} {_path(sides[1][::-1]).replace('M', 'L')} Z" if all(sides) else ""


def _path(points: Points) -> str:
    return " ".join(f"{'M' if i == 0 else 'L'}{x:.1f} {y:.1f}" for i, (x, y) in enumerate(points))


def _y(share: float, highest: float) -> float:
    return 4 + (HEIGHT - 4) * (1 - share / highest)


def _told(label: str, before: float, after: float) -> str:
    return f"{label}: {before:.1%} in the reference, {after:.1%} in the window"


def _day(moment: datetime) -> str:
    return f"{moment:%d %b %H:%M}"
