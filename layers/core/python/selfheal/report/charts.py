"""Inline SVG: two distributions as bars, figures over time as lines; coloured by the page's own variables."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Self

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
    places = [
        (point.timestamp.timestamp(), value)
        for point in known
        for name_ in (field, *(band or ()))
        if (value := getattr(point, name_)) is not None
    ]
    frame = Frame.around(places)
    line = path([frame.at(point.timestamp.timestamp(), getattr(point, field)) for point in known])
    promotions = [new.timestamp.timestamp() for old, new in pairwise(known) if old.version != new.version]
    marks = Markup("").join(upright(frame, moment) for moment in promotions)
    area = _band(frame, known, band) if band else ""
    said = f"{name} over time, from {known[0].timestamp:%d %B %H:%M} to {known[-1].timestamp:%d %B %H:%M} UTC"
    shapes = Markup('<path class="band" d="{}"/>{}<path class="is" d="{}"/>').format(area, marks, line)
    ends = _day(known[0].timestamp), _day(known[-1].timestamp)
    return drawing(frame, said, axes(frame, ends) + shapes)


@dataclass(frozen=True, slots=True)
class Frame:
    """A drawing of `width` by `height` units, and the part of the plane that it shows."""

    first: float
    last: float
    low: float
    high: float
    width: int = LINE_WIDTH
    height: int = LINE_HEIGHT
    left: int = LEFT

    @classmethod
    def around(cls, places: Points, *, height: int = LINE_HEIGHT, left: int = LEFT) -> Self:
        """The frame that shows all of these, none of which lies below zero, with a margin above and below."""
        across, values = [x for x, _ in places], [value for _, value in places]
        margin = (max(values) - min(values)) * 0.1 or 0.01
        low, high = max(0.0, min(values) - margin), max(values) + margin
        return cls(min(across), max(across), low, high, height=height, left=left)

    def at(self, x: float, value: float) -> tuple[float, float]:
        """Where a point lies in the drawing."""
        passed = (x - self.first) / ((self.last - self.first) or 1.0)
        return self.left + (self.width - self.left - 8) * passed, self.y(value)

    def y(self, value: float) -> float:
        """How far down a value lies."""
        return float(TOP + (self.height - BOTTOM - TOP) * (self.high - value) / (self.high - self.low))


def drawing(frame: Frame, said: str, content: Markup) -> Markup:
    """The SVG element around what was drawn; `said` is read out in its place."""
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        frame.width, frame.height, said, content
    )


def axes(frame: Frame, ends: tuple[str, str]) -> Markup:
    """Three lines of the grid with their values, and what stands at either end of the time."""
    right = frame.width - 8
    lines = Markup("").join(
        Markup(
            '<line class="grid" x1="{}" x2="{}" y1="{y:.1f}" y2="{y:.1f}"/><text x="{}" y="{t:.1f}">{:.3g}</text>'
        ).format(frame.left, right, 0, value, y=frame.y(value), t=frame.y(value) + 4)
        for value in (frame.low, (frame.low + frame.high) / 2, frame.high)
    )
    foot = frame.height - 4
    return lines + Markup('<text x="{}" y="{}">{}</text><text x="{}" y="{}" text-anchor="end">{}</text>').format(
        frame.left, foot, ends[0], right, foot, ends[1]
    )


def upright(frame: Frame, x: float) -> Markup:
    """A dashed line where another version took over."""
    return Markup('<line class="promotion" x1="{0:.1f}" x2="{0:.1f}" y1="4" y2="{1}"/>').format(
        frame.at(x, frame.low)[0], frame.height - BOTTOM
    )


def path(points: Points) -> str:
    """The points joined, as the `d` of a path."""
    return " ".join(f"{'M' if i == 0 else 'L'}{x:.1f} {y:.1f}" for i, (x, y) in enumerate(points))


def _band(frame: Frame, points: Sequence[TimelinePoint], band: tuple[str, str]) -> str:
    sides = [
        [
            frame.at(point.timestamp.timestamp(), value)
            for point in points
            if (value := getattr(point, field)) is not None
        ]
        for field in band
    ]
    return f"{path(sides[0])} {path(sides[1][::-1]).replace('M', 'L')} Z" if all(sides) else ""


def _y(share: float, highest: float) -> float:
    return 4 + (HEIGHT - 4) * (1 - share / highest)


def _told(label: str, before: float, after: float) -> str:
    return f"{label}: {before:.1%} in the reference, {after:.1%} in the window"


def _day(moment: datetime) -> str:
    return f"{moment:%d %b %H:%M}"
