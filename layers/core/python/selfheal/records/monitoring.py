"""One monitoring run as it is written down: the drift summary, its named fields first, and what stands beside it."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, SerializerFunctionWrapHandler, model_serializer

from selfheal.contract.model import left_out_if
from selfheal.records.base import Record, UtcTime
from selfheal.records.drift import Detection, FeatureDrift
from selfheal.records.labels import MatchReport
from selfheal.records.probation import Probation

MonitoringVerdict = Literal[
    "not_enough_data",
    "no_drift",
    "prior_shift",
    "concept_drift",
    "drift",
    "widespread_drift",
    "decay",
    "pipeline_fault",
]
Cause = Literal["none", "pipeline_fault", "covariate_drift", "prior_shift", "concept_drift", "cannot_tell"]
FindingKind = Literal[
    "schema_changed",
    "wrong_type",
    "out_of_range",
    "unseen_categories",
    "missing_share",
    "unit_change",
    "frozen_value",
    "duplicated_rows",
    "volume",
    "stopped",
    "open_hour",
    "unjudged_probation",
]


class _Part(BaseModel):
    model_config = Record.model_config


class Finding(_Part):
    """One thing that is wrong with the data itself. A fault stops healings; a warning is only told."""

    kind: FindingKind
    severity: Literal["fault", "warning"]
    feature: str | None
    message: str
    value: float
    expected: float | None
    n: int


class Unchanged(_Part):
    """A feature of which one value filled the window though training knows many, and since when; `value`: its hash."""

    feature: str
    value: str
    since: UtcTime


class ProxyMetrics(_Part):
    """What the predictions alone say over some hours; entropy of a 10-bin histogram of probabilities, in nats.

    Of several classes the probabilities are those of the predicted one, and `class_shares` how often each is predicted,
    in the contract's order. A regression has `prediction_…` in their place.
    """

    hours: float
    num_predictions: int
    positive_rate: float | None
    probability_mean: float | None
    probability_std: float | None
    probability_median: float | None
    probability_q25: float | None
    probability_q75: float | None
    entropy: float | None
    class_shares: Annotated[tuple[float, ...] | None, left_out_if(default=None)] = None
    prediction_mean: Annotated[float | None, left_out_if(default=None)] = None
    prediction_std: Annotated[float | None, left_out_if(default=None)] = None
    prediction_median: Annotated[float | None, left_out_if(default=None)] = None
    prediction_q25: Annotated[float | None, left_out_if(default=None)] = None
    prediction_q75: Annotated[float | None, left_out_if(default=None)] = None


class ProxyChange(_Part):
    """Change per hour, by least squares over the hours of the window; None where fewer than two hours hold rows."""

    positive_rate_per_hour: float | None
    probability_mean_per_hour: float | None
    prediction_mean_per_hour: Annotated[float | None, left_out_if(default=None)] = None


class Estimate(_Part):
    """A metric and its 95 % interval; None where the rows don't define it (one class only, no positive prediction)."""

    value: float | None
    low: float | None
    high: float | None


class Performance(_Part):
    """Metrics over n rows. `estimated` ones rest on calibrated probabilities instead of labels."""

    estimated: bool
    n: int
    positives: float
    oldest: UtcTime | None
    newest: UtcTime | None
    metrics: dict[str, Estimate]


class Coverage(_Part):
    """Labels so far, and whether the labelled rows look like the unlabelled ones (`selection_p_value`, small: no)."""

    predictions: int
    labelled: int
    coverage: float
    selection_p_value: float | None
    selection_feature: str | None


class Decay(_Part):
    """Mean loss of recent labelled rows against that of the version's own tuning rows, by a one-sided test.

    brier, promised_brier: that mean, of which `score` is the name: of a regression the squared error relative to the
    target's squared spread. labelled_since: labelled rows of the version since the rise most likely began; 0 where
    there is none.
    """

    decayed: bool
    brier: float | None
    promised_brier: float | None
    p_value: float | None
    level: float
    n: int
    labelled_since: int = 0
    score: Annotated[str, left_out_if(default="Brier score")] = "Brier score"


class Diagnosis(_Part):
    """The most likely cause, why it is thought so, and what to do about it."""

    cause: Cause
    reason: str
    action: str


class AlarmState(_Part):
    """The alarm event under way: when it began and last rang, and the last pipeline fault; None where there is none.

    faults: which faults there were since the pipe was last whole for a full window.
    """

    since: UtcTime | None = None
    last: UtcTime | None = None
    fault: UtcTime | None = None
    faults: tuple[str, ...] = ()


class FaultPeriod(Record):
    """[start, end): a window in which the data pipeline was found to be broken, and how."""

    start: UtcTime
    end: UtcTime
    faults: tuple[str, ...]


class TimelinePoint(_Part):
    """One run in the report's lines; `metrics` are those of targets that aren't binary, on labelled rows."""

    timestamp: UtcTime
    version: str
    brier: float | None
    brier_low: float | None
    brier_high: float | None
    f1: float | None
    estimated_f1: float | None
    drift_share: float | None
    coverage: float
    metrics: Annotated[dict[str, float], left_out_if(default={})] = Field(default_factory=dict)

    @property
    def accuracy(self) -> float | None:
        """Of several classes."""
        return self.metrics.get("accuracy")

    @property
    def mae(self) -> float | None:
        """The mean absolute error of a regression."""
        return self.metrics.get("mae")


class HealingState(_Part):
    """Whether this run started a healing, and if not, why."""

    started: bool
    execution: str | None
    reason: str


class DriftSummary(Record):
    """`summary.json` of a run. `dataset_drift_detected` is None where there were too few predictions to judge.

    drift_share is the observed share of drifted features; `features` are in order of what they move, most first.
    is_told: False while a message about it is due that hasn't been sent. told_healings: those that failed after they
    had decided, and whose decision people have been told; None where nobody kept account. waiting_hours: hours that
    this run left out, since they are too large to be read before they are rolled up; a later run judges them.
    """

    timestamp: UtcTime
    reference_metadata: dict[str, Any]
    dataset_drift_detected: bool | None
    drift_share: float | None
    num_drifted_features: int
    num_features_total: int
    num_features_evaluated: int
    num_features_excluded: int
    excluded_features: tuple[str, ...]
    features: tuple[FeatureDrift, ...]

    verdict: MonitoringVerdict
    sentence: str
    action: str
    production_version: str
    window_start: UtcTime
    window_end: UtcTime
    detection: Detection | None
    exclusion_reasons: dict[str, str]
    findings: tuple[Finding, ...]
    proxy: tuple[ProxyMetrics, ...]
    proxy_change: ProxyChange
    performance: Performance | None
    estimated_performance: Performance | None
    coverage: Coverage
    decay: Decay
    diagnosis: Diagnosis
    alarm: AlarmState
    healing: HealingState
    usual_predictions: float
    probation: Probation | None
    timeline: tuple[TimelinePoint, ...]
    is_told: bool = True
    told_healings: tuple[str, ...] | None = None
    unchanged: Annotated[tuple[Unchanged, ...], left_out_if(default=())] = ()
    waiting_hours: Annotated[tuple[UtcTime, ...], left_out_if(default=())] = ()

    @property
    def left_out(self) -> str | None:
        """What this run didn't judge, as a sentence; None where that is nothing."""
        if not self.waiting_hours:
            return None
        oldest = f"{self.waiting_hours[0]:%Y-%m-%d %H}:00 UTC"
        return f"Left out: {len(self.waiting_hours)} large hour(s) that aren't rolled up yet, the oldest {oldest}."

    @model_serializer(mode="wrap")
    def _named_fields_first(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        content: dict[str, Any] = handler(self)
        return {
            **{key: value for key, value in content.items() if key != "schema_version"},
            "schema_version": self.schema_version,
        }


class RunRow(Record):
    """A run as a row of the table `runs`: what its summary says of the whole window.

    drifted_features: what moves the answers most first. p_value: of "has anything changed?". faults: findings that stop
    healings. healing: the execution that the run started.
    """

    timestamp: UtcTime
    production_version: str
    verdict: MonitoringVerdict
    cause: Cause
    predictions: int
    coverage: float
    dataset_drift_detected: bool | None
    drift_share: float | None
    num_drifted_features: int
    drifted_features: tuple[str, ...]
    p_value: float | None
    faults: int
    decayed: bool
    healing: str | None
    rolled_back: bool


class MonitoringResult(Record):
    """What the drift function returns: where the run's files lie, what it decided, and at most ten metrics of it."""

    verdict: MonitoringVerdict
    sentence: str
    summary: str
    report: str
    num_predictions: int
    p_value: float | None
    drift_share: float | None
    healing: str | None
    rolled_back: bool = False
    labels_by_id: MatchReport = MatchReport()
    metrics: dict[str, float]
