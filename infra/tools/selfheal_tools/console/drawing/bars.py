"""Bars: a gate against its threshold, gains by block of time, one gain of a group."""

from collections.abc import Sequence

from markupsafe import Markup

from selfheal_tools.console.pages.decisions import Gate
from selfheal_tools.console.pages.evidence import Block
from selfheal_tools.console.words import moment

GATE_WIDTH, GATE_HEIGHT = 240, 16
WIDTH, HEIGHT, MARGIN = 640, 160, 8
GROUP_WIDTH, GROUP_HEIGHT = 160, 14


def gate_bar(gate: Gate) -> Markup:
    """A gate's value as a bar, its threshold as an upright line."""
    if gate.bar is None or gate.mark is None:
        return Markup("")
    return Markup(
        '<svg class="gate {}" viewBox="0 0 {w} {h}" role="img" aria-label="{}"><rect class="rail" width="{w}" y="5" '
        'height="6"/><rect class="bar" y="3" width="{:.1f}" height="10"/><line class="limit" x1="{m:.1f}" '
        'x2="{m:.1f}" y1="0" y2="{h}"/></svg>'
    ).format(
        "passed" if gate.passed else "failed",
        f"{gate.name}: {gate.figures}",
        gate.bar * GATE_WIDTH,
        w=GATE_WIDTH,
        h=GATE_HEIGHT,
        m=gate.mark * GATE_WIDTH,
    )


def gains_by_block(blocks: Sequence[Block]) -> Markup:
    """A bar for each block, above the line where the shadow model was better on it."""
    gains = [block.gain for block in blocks]
    highest, lowest = max([*gains, 0.0]), min([*gains, 0.0])
    step, scale = WIDTH / max(len(blocks), 1), (HEIGHT - 2 * MARGIN) / ((highest - lowest) or 1.0)
    middle = MARGIN + highest * scale
    bars = Markup("").join(
        Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>').format(
            "gain" if block.gain >= 0 else "loss",
            place * step + 1,
            middle - max(block.gain, 0.0) * scale,
            max(step - 2, 1),
            max(abs(block.gain) * scale, 0.5),
            f"{block.n} rows from {moment(block.oldest)}: {block.gain:+.4f} a row",
        )
        for place, block in enumerate(blocks)
    )
    better = sum(block.gain > 0 for block in blocks)
    said = f"Gain by block of time: the shadow model is better in {better} of {len(blocks)} blocks"
    line = Markup('<line class="zero" x1="0" x2="{}" y1="{m}" y2="{m}"/>').format(WIDTH, m=middle)
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}</svg>').format(
        WIDTH, HEIGHT, said, bars, line
    )


def diverging_bar(value: float, largest: float) -> Markup:
    """One value to the right of the middle, or to its left where it is below zero."""
    middle = GROUP_WIDTH / 2
    length = abs(value) / (largest or 1.0) * middle
    return Markup(
        '<svg class="group" viewBox="0 0 {w} {h}" aria-hidden="true"><rect class="{}" x="{:.1f}" y="2" width="{:.1f}" '
        'height="10"/><line class="zero" x1="{m}" x2="{m}" y1="0" y2="{h}"/></svg>'
    ).format(
        "gain" if value >= 0 else "loss",
        middle if value >= 0 else middle - length,
        max(length, 0.5),
        w=GROUP_WIDTH,
        h=GROUP_HEIGHT,
        m=middle,
    )
