"""Small lines: one figure over the runs, and how reliable probabilities are."""

from collections.abc import Sequence

from markupsafe import Markup

from selfheal.report.charts import path

WIDTH, HEIGHT, MARGIN = 240, 44, 3
SQUARE = 240


def spark(
    said: str,
    points: Sequence[tuple[float, float]],
    threshold: float | None,
    span: tuple[float, float],
    faults: Sequence[float] = (),
) -> Markup:
    """One figure over time in [0, highest]; a line where it begins to matter, and one at each moment of `faults`.

    `span`: first and last moment.
    """
    if len(points) < 2:  # noqa: PLR2004 - a line needs two points
        return Markup("")
    highest = max(*(value for _, value in points), (threshold or 0.0) * 1.25, 1e-9)
    first, last = span

    def at(x: float, value: float) -> tuple[float, float]:
        across = (x - first) / ((last - first) or 1.0)
        return MARGIN + (WIDTH - 2 * MARGIN) * across, HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * value / highest

    limit = Markup("")
    if threshold is not None:
        y = at(first, threshold)[1]
        limit = Markup('<line class="limit" x1="0" x2="{}" y1="{y:.1f}" y2="{y:.1f}"/>').format(WIDTH, y=y)
    marks = Markup("").join(
        Markup('<line class="fault" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{}"/>').format(HEIGHT, x=at(moment, 0.0)[0])
        for moment in faults
    )
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}<path class="is" d="{}"/></svg>').format(
        WIDTH, HEIGHT, said, marks, limit, path([at(x, max(value, 0.0)) for x, value in points])
    )


def reliability(curves: Sequence[tuple[str, Sequence[tuple[float, float]]]]) -> Markup:
    """Share of positives by mean probability of each tenth of the rows; the diagonal is where it should be."""
    lines = Markup("").join(
        Markup('<path class="curve-{}" d="{}"/>').format(
            place, path([(x * SQUARE, SQUARE - y * SQUARE) for x, y in points])
        )
        for place, (_, points) in enumerate(curves)
    )
    said = (
        f"Share of positives by predicted probability, both from 0 to 1, of {' and '.join(name for name, _ in curves)}"
    )
    return Markup(
        '<svg class="square" viewBox="0 0 {s} {s}" role="img" aria-label="{}"><rect class="frame" width="{s}" '
        'height="{s}"/><line class="zero" x1="0" y1="{s}" x2="{s}" y2="0"/>{}</svg>'
    ).format(said, lines, s=SQUARE)
