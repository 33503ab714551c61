"""What every trial has in common: no cooldown, and labels enough."""

from datetime import UTC, datetime

from selfheal.records.ledger import Circumstances

CALM = Circumstances(judged_at=datetime(2026, 1, 1, tzinfo=UTC), last_move=None, predictions=10_000, coverage=0.9)
