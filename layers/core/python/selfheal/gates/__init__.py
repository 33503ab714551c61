"""The seven gates that a shadow model has to pass: evidence in, verdicts out."""

from selfheal.gates.evidence import EvidenceRows
from selfheal.gates.judging import judge_gates

__all__ = ["EvidenceRows", "judge_gates"]
