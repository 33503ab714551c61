"""Where versions come from: a row each, newest on top; on the left those that have answered, beside it all others."""

from collections.abc import Sequence

from markupsafe import Markup

from selfheal_tools.console.pages.versions import VersionRow

ROW, WIDTH, FIRST, LANE = 44, 330, 14, 24
RADIUS = 6


def lineage(rows: Sequence[VersionRow]) -> Markup:
    """The drawing; each version links to its page, and a line leads to the version that it set out to replace."""
    if not rows:
        return Markup("")
    places = {row.version: place for place, row in enumerate(rows)}
    lines = Markup("").join(
        Markup('<path class="descent" d="{}"/>').format(_descent(rows, place, places[str(row.parent)]))
        for place, row in enumerate(rows)
        if row.parent in places
    )
    dots = Markup("").join(
        Markup(
            '<a href="/versions/{v}"><circle class="version {}" cx="{}" cy="{}" r="{}"/><text x="{}" y="{}">{v}</text>'
            '<text class="state" x="{}" y="{y}">{}</text></a>'
        ).format(
            row.state.split()[0],
            _x(row.lane),
            _y(place),
            RADIUS,
            FIRST + 2 * LANE,
            _y(place) - 2,
            FIRST + 2 * LANE,
            f"{row.state}{', ' if row.members else ''}{row.kind if row.members else ''}",
            v=row.version,
            y=_y(place) + 14,
        )
        for place, row in enumerate(rows)
    )
    height = len(rows) * ROW
    said = "Lineage of versions, the newest first; the table below says the same"
    return Markup('<svg class="lineage" viewBox="0 0 {} {}" role="group" aria-label="{}">{}{}</svg>').format(
        WIDTH, height, said, lines, dots
    )


def _descent(rows: Sequence[VersionRow], child: int, parent: int) -> str:
    x, y, px, py = _x(rows[child].lane), _y(child), _x(rows[parent].lane), _y(parent)
    return f"M{x} {y}V{py - ROW / 2:.0f}L{px} {py}" if x != px else f"M{x} {y}V{py}"


def _x(lane: int) -> int:
    return FIRST + lane * LANE


def _y(place: int) -> int:
    return place * ROW + ROW // 2
