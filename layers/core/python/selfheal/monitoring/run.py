"""What one monitoring run judges: production, the window, the labels, and the run before."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from selfheal.contract import Contract
from selfheal.monitoring.production import Production
from selfheal.monitoring.proxy_metrics import AnswersByAge
from selfheal.monitoring.traffic import usual_volume
from selfheal.monitoring.window import WindowSummary
from selfheal.records.monitoring import AlarmState, DriftSummary
from selfheal.records.probation import Probation
from selfheal.tables.predictions import PredictionWindow
from selfheal.tables.recent import RecentPredictions


@dataclass(frozen=True, eq=False)
class MonitoringRun:
    """What one run holds in its hands while it judges.

    window: the predictions of the last hours; answers: the same by their age. inputs: the same, or as many as it takes
    to judge where these are few. recent: those with labels, and a sample of those without.
    probation: how production fares in its own, None where none is on. open_hours: hours of the log that are open since
    a day and more. waiting_hours: hours that are left out, since they are too large to be read before they are rolled
    up. silence: how long no prediction has been made; day_before: how many were, in the same hours a day
    earlier. level: significance level of one look.
    """

    production: Production
    window: WindowSummary
    answers: AnswersByAge
    inputs: WindowSummary
    recent: RecentPredictions
    before: DriftSummary | None
    now: datetime
    probation: Probation | None
    open_hours: tuple[datetime, ...]
    waiting_hours: tuple[datetime, ...]
    silence: timedelta
    day_before: int
    level: float

    @property
    def contract(self) -> Contract:
        """What production was trained under."""
        return self.production.contract

    @property
    def lookback(self) -> timedelta:
        """How long the window is."""
        return timedelta(hours=self.contract.policy.monitoring.lookback_hours)

    @property
    def alarm_before(self) -> AlarmState:
        """The alarm event so far; a new version starts with a clean slate, but rows of a broken pipe remain."""
        if self.before is None:
            return AlarmState()
        if self.before.production_version != self.production.manifest.version:
            return AlarmState(fault=self.before.alarm.fault)
        return self.before.alarm

    @property
    def own(self) -> PredictionWindow | None:
        """A sample of the version's own predictions in the window, oldest first; None where there are none."""
        sample = self.window.samples.get(self.production.manifest.version)
        return sample.rows if sample else None

    @property
    def usual(self) -> float:
        """Predictions that a window usually holds."""
        if self.before is None:
            return usual_volume(None, len(self.window), 0.0)
        hours = (self.now - self.before.timestamp) / timedelta(hours=1)
        return usual_volume(self.before.usual_predictions, len(self.window), hours)
