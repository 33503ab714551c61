"""What a run does about what it found: the alarm, whether to heal, and what people are told of."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from scipy.special import ndtri

from selfheal.contract.model import Policy
from selfheal.drift.looks import event_start
from selfheal.gates.evaluation_rows import MINIMUM_SUPPORT
from selfheal.monitoring.quality import faults
from selfheal.records.drift import DriftVerdict
from selfheal.records.healing import TriggerKind
from selfheal.records.monitoring import AlarmState, Decay, Diagnosis, DriftSummary, Finding, Performance, Unchanged
from selfheal.tasks import BINARY, Task

# A healing doesn't wait for ever where positives are rare: evaluation rows count as this many times the fewest allowed.
MOST_JUDGING_SAMPLES = 5
# How often the test that judges would find what the labels show.
POWER = 0.9
OUTAGES = frozenset({"open_hour", "stopped", "unjudged_probation"})
DECAYED = "recent labels show that the model has become worse"


@dataclass(frozen=True)
class Judgement:
    """All that one run found. `drift` is None where there were too few predictions, `performance` without labels.

    unchanged: features that hold one value, whether or not that is a finding.
    """

    findings: tuple[Finding, ...]
    drift: DriftVerdict | None
    decay: Decay
    diagnosis: Diagnosis
    performance: Performance | None
    estimated: Performance | None
    predictions: int
    task: Task = BINARY
    unchanged: tuple[Unchanged, ...] = ()

    @property
    def faults(self) -> tuple[Finding, ...]:
        """The findings that say that the pipeline is broken."""
        return faults(self.findings)

    @property
    def is_alarming(self) -> bool:
        """Whether something moved that people should hear of."""
        return self.decay.decayed or (self.drift is not None and self.drift.drift_detected)


def next_alarm(before: AlarmState, judgement: Judgement, now: datetime, lookback: timedelta) -> AlarmState:
    """The alarm event after this run; a pipeline fault is remembered until its rows have left the window."""
    faulty = bool(judgement.faults)
    # What moved while the pipe was broken isn't drift.
    alarming = judgement.is_alarming and not faulty and not fault_lingers(before, now, lookback)
    since = event_start(now, alarming=alarming, previous_start=before.since, last_alarm=before.last, lookback=lookback)
    last = now if alarming else before.last if since else None
    lingering = fault_lingers(before, now, lookback)
    told = {
        *(before.faults if lingering else ()),
        *(f"{fault.kind} {fault.feature or ''}" for fault in judgement.faults),
    }
    return AlarmState(since=since, last=last, fault=now if faulty else before.fault, faults=tuple(sorted(told)))


def fault_lingers(alarm: AlarmState, now: datetime, lookback: timedelta) -> bool:
    """Whether rows of an earlier pipeline fault are still in the window."""
    return alarm.fault is not None and now - alarm.fault < lookback


def trigger_of(judgement: Judgement, labelled_since_alarm: int, policy: Policy) -> tuple[TriggerKind | None, str]:
    """Which trigger a healing would have while an alarm rings, or None and why there is none.

    Retraining can cure decay and drift, given labels of the changed world: enough to teach the shadow model and as many
    again to judge it. `labelled_since_alarm` counts labelled predictions made since the alarm began.
    """
    needed = labels_needed(judgement, policy)
    labelled = max(labelled_since_alarm, judgement.decay.labelled_since)
    if labelled < needed:
        return None, f"waiting for labels: {labelled} of {needed} since the change began"
    if judgement.decay.decayed:
        return "decay", DECAYED
    return "drift", "inputs have drifted, and there are labels to learn from"


def labels_needed(judgement: Judgement, policy: Policy) -> int:
    """Enough to judge a shadow model, and at least as many to teach it; fewer, the worse the model has become.

    Of a rise of the Brier score so many rows are enough, for each of the two, that the paired test at the gates'
    significance finds it nine times in ten, and never fewer than `minimum_labels`. A loss in [0, 1] has a variance of
    mean * (1 - mean) at the most (Bhatia and Davis, American Mathematical Monthly 107, 2000).
    """
    judging = labels_to_judge(judgement.performance, policy)
    usual = judging + max(policy.retraining.minimum_labels, judging)
    brier, promised = judgement.decay.brier, judgement.decay.promised_brier
    if not judgement.decay.decayed or brier is None or promised is None or not policy.gates.significance:
        return usual
    errors = ndtri(1 - policy.gates.significance) + ndtri(POWER)
    telling = ceil(errors**2 * brier * (1 - brier) / (brier - promised) ** 2)
    return min(usual, max(policy.retraining.minimum_labels, policy.gates.minimum_samples, 2 * telling))


def labels_to_judge(performance: Performance | None, policy: Policy) -> int:
    """Enough to judge a shadow model, where the rarer class is common enough."""
    judging = policy.gates.minimum_samples
    if performance is not None and 0 < performance.positives < performance.n:
        rarer = min(performance.positives, performance.n - performance.positives) / performance.n
        judging = max(judging, min(round(MINIMUM_SUPPORT / rarer), MOST_JUDGING_SAMPLES * judging))
    return judging


def outages(summary: DriftSummary) -> tuple[Finding, ...]:
    """What people have to mend though no row is wrong: traffic that stopped; hours of the log that can't be rolled up
    since a day, whose rows are lost once the log objects expire; a probation that can't be judged.
    """
    return tuple(finding for finding in summary.findings if finding.kind in OUTAGES)


def state_of(summary: DriftSummary) -> tuple[object, ...]:
    """What people were last told; a message is due when it changes."""
    return (
        summary.production_version,
        summary.alarm.faults,
        summary.alarm.since,
        summary.decay.decayed and summary.alarm.since,
        {finding.kind for finding in outages(summary)},
    )
