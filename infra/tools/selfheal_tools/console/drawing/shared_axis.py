"""Several figures over one time axis: a strip each, alarms behind them, moves across them, a link for each run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from markupsafe import Markup

from selfheal.report.charts import path
from selfheal_tools.console.pages.time import Axis, Curve

# For a desk and for a phone: one of them is shown, so that text has its size on both.
WIDE, NARROW = 860, 330
LEFT, RIGHT, STRIP, GAP, FOOT = 52, 10, 84, 36, 20
MANY_DAYS = 2


def shared_axis(axis: Axis) -> Markup:
    """The drawing, wide and narrow; empty where there is nothing to draw."""
    if not axis.curves or axis.last <= axis.first:
        return Markup("")
    return Markup("").join(
        _Drawing(axis, width).markup(kind) for width, kind in ((WIDE, "wide-one"), (NARROW, "narrow"))
    )


@dataclass(frozen=True, slots=True)
class _Drawing:
    """An axis drawn over so many units."""

    axis: Axis
    width: int

    def markup(self, kind: str) -> Markup:
        axis = self.axis
        height = len(axis.curves) * (STRIP + GAP) + FOOT
        bottom = height - FOOT
        strips = Markup("").join(self._strip(curve, place * (STRIP + GAP)) for place, curve in enumerate(axis.curves))
        content = self._shades(bottom) + strips + self._moves(bottom) + self._ticks(height) + self._links(bottom)
        names = ", ".join(curve.name for curve in axis.curves)
        said = f"{names} from {axis.first:%d %B %Y %H:%M} to {axis.last:%d %B %Y %H:%M} UTC"
        return Markup('<svg class="axis {}" viewBox="0 0 {} {}" role="group" aria-label="{}">{}</svg>').format(
            kind, self.width, height, said, content
        )

    def _shades(self, bottom: int) -> Markup:
        return Markup("").join(
            Markup('<rect class="alarm" x="{:.1f}" y="0" width="{:.1f}" height="{}"><title>{}</title></rect>').format(
                self._x(start), max(self._x(end) - self._x(start), 2), bottom, f"alarm from {start:%d %b %H:%M} UTC"
            )
            for start, end in self.axis.alarms
        )

    def _moves(self, bottom: int) -> Markup:
        return Markup("").join(
            Markup('<line class="promotion" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{}"><title>{}</title></line>').format(
                bottom, move.what, x=self._x(move.moment)
            )
            for move in self.axis.moves
        )

    def _strip(self, curve: Curve, top: int) -> Markup:
        values = [value for _, value in curve.points] + [value for _, *ends in curve.band for value in ends]
        low, high = min(values), max(values)
        margin = (high - low) * 0.1 or abs(high) * 0.05 or 0.05
        low, high = max(0.0, low - margin), high + margin

        def y(value: float) -> float:
            return top + GAP - 6 + STRIP * (high - value) / (high - low)

        band = ""
        if curve.band:
            upper = [(self._x(when), y(end)) for when, _, end in curve.band]
            lower = [(self._x(when), y(end)) for when, end, _ in reversed(curve.band)]
            band = f"{path(upper)} {path(lower).replace('M', 'L')} Z"
        line = path([(self._x(when), y(value)) for when, value in curve.points])
        grid = Markup("").join(
            Markup(
                '<line class="grid" x1="{}" x2="{}" y1="{y:.1f}" y2="{y:.1f}"/><text x="0" y="{t:.1f}">{}</text>'
            ).format(LEFT, self.width - RIGHT, _written(value, share=curve.share), y=y(value), t=y(value) + 4)
            for value in (low, high)
        )
        dots = Markup("")
        if len(curve.points) == 1:
            dots = Markup('<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="3"/>').format(
                self._x(curve.points[0][0]), y(curve.points[0][1])
            )
        title = Markup('<text class="name" x="{}" y="{}">{}</text>').format(LEFT, top + 13, curve.name)
        return title + grid + Markup('<path class="band" d="{}"/><path class="is" d="{}"/>').format(band, line) + dots

    def _ticks(self, height: int) -> Markup:
        return Markup("").join(
            Markup('<text x="{:.1f}" y="{}" text-anchor="{}">{}</text>').format(
                self._x(when), height - 5, anchor, _day(self.axis, when)
            )
            for when, anchor in _tick_moments(self.axis.first, self.axis.last)
        )

    def _links(self, bottom: int) -> Markup:
        """A strip from top to bottom for each run, which a pointer finds easily; keys find the table."""
        if not self.axis.runs:
            return Markup("")
        places = [(self._x(run.timestamp), run) for run in reversed(self.axis.runs)]
        edges = [LEFT, *((a + b) / 2 for (a, _), (b, _) in pairwise(places)), self.width - RIGHT]
        return Markup("").join(
            Markup(
                '<a href="/runs/{}" tabindex="-1" aria-hidden="true"><rect class="run" x="{:.1f}" y="0" width="{:.1f}" '
                'height="{}"><title>{}</title></rect></a>'
            ).format(run.name, left, max(right - left, 1), bottom, f"{run.timestamp:%d %b %H:%M} UTC: {run.sentence}")
            for (_, run), (left, right) in zip(places, pairwise(edges), strict=True)
        )

    def _x(self, when: datetime) -> float:
        passed = (when - self.axis.first) / (self.axis.last - self.axis.first)
        return LEFT + (self.width - LEFT - RIGHT) * min(max(passed, 0.0), 1.0)


def _tick_moments(first: datetime, last: datetime) -> Sequence[tuple[datetime, str]]:
    span: timedelta = last - first
    return [(first, "start"), (first + span / 2, "middle"), (last, "end")]


def _written(value: float, *, share: bool) -> str:
    return f"{value:.0%}" if share else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004


def _day(axis: Axis, when: datetime) -> str:
    return f"{when:%d %b}" if axis.last - axis.first > timedelta(days=MANY_DAYS) else f"{when:%d %b %H:%M}"
