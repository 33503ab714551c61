"""Drift: has the world changed, and does it matter? DESIGN in short: `judge` is the door, `Reference` what it needs."""

from selfheal.drift.judge import judge_drift
from selfheal.drift.reference import Reference

__all__ = ["Reference", "judge_drift"]
