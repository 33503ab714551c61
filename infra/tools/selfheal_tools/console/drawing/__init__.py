"""Drawings of the console as inline SVG, coloured by the page's own classes; each can be read out."""

from selfheal_tools.console.drawing.bars import diverging_bar, gains_by_block, gate_bar
from selfheal_tools.console.drawing.lineage import lineage
from selfheal_tools.console.drawing.lines import reliability, spark
from selfheal_tools.console.drawing.shared_axis import shared_axis

__all__ = ["diverging_bar", "gains_by_block", "gate_bar", "lineage", "reliability", "shared_axis", "spark"]
