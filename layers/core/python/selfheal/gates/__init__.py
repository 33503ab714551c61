"""The seven gates that a shadow model has to pass: evidence in, verdicts out."""

from selfheal.gates.evidence import EvidenceRows
from selfheal.gates.judging import judge

__all__ = ["EvidenceRows", "judge"]
