"""What a backtest found, in the shape of its JSON file."""

from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer, model_validator

from selfheal.contract.model import TaskName, left_out_if
from selfheal.records.base import UtcTime

type Interval = tuple[float, float]
# Of which a target has those of its task; each has a value, and an interval in `intervals` where it can be had.
MetricName = Literal[
    "auc",
    "auc_per_period",
    "f1",
    "macro_f1",
    "accuracy",
    "brier",
    "logloss",
    "cost",
    "rmse",
    "mae",
    "r2",
    "relative_squared_error",
]
METRICS: tuple[MetricName, ...] = get_args(MetricName)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Measured(_Part):
    """Metrics by name; in the file each stands under its own name.

    auc: None where the rows hold one class only. intervals: central 95 % from resampling blocks of days; a metric
    that has none is left out.
    """

    metrics: dict[MetricName, float | None]
    intervals: dict[MetricName, Interval] = {}

    def of(self, name: MetricName) -> float:
        """A metric that any rows have. Raises KeyError where the task has another one."""
        value = self.metrics[name]
        if value is None:
            raise KeyError(name)
        return value

    @model_validator(mode="before")
    @classmethod
    def _gathered(cls, raw: Any) -> Any:
        """Metrics under their own names, as one field."""
        if not isinstance(raw, dict) or "metrics" in raw:
            return raw
        found = {name: raw[name] for name in raw if name in METRICS}
        return {name: value for name, value in raw.items() if name not in found} | {"metrics": found}

    @model_serializer(mode="wrap")
    def _spread(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Metrics under their own names, after the number of rows that they are of."""
        found = handler(self)
        rows = {name: found.pop(name) for name in ("rows",) if name in found}
        return {**rows, **found.pop("metrics"), **found}


class Metrics(_Measured):
    """How a policy's answers did on some rows; the truth of all counts, whether a label was delivered or not."""

    rows: int


class Period(_Part):
    """One period of traffic, numbered from 1. delivered: labels that arrived at its end, of whichever period.

    start and end: None where the file has no times. positives, classes, mean: how many labels are positive, or of each
    class, or what their mean is, by the task.
    """

    number: int
    start: UtcTime | None
    end: UtcTime | None
    rows: int
    positives: Annotated[int | None, left_out_if(default=None)] = None
    classes: Annotated[dict[str, int] | None, left_out_if(default=None)] = None
    mean: Annotated[float | None, left_out_if(default=None)] = None
    delivered: int


class PeriodResult(Metrics):
    """A policy in one period. versions: what answered, in order; more than one where production moved within it."""

    period: int
    versions: tuple[str, ...]


class Move(_Part):
    """Production moved, at the end of (or within) a period; the version answers from then on.

    gain: mean loss of the version that was replaced minus that of the new one, over the rows until the next move or
    the end; None where no rows followed. p_value: one-sided, of 'the new one is worse', by blocks of days.
    harmful: significantly worse (p at most 0.05) than what it replaced. at: None where the file has no times.
    """

    period: int
    at: UtcTime | None
    kind: Literal["promote", "rollback"]
    version: str
    previous_version: str
    reason: str
    gain: float | None = None
    p_value: float | None = None
    harmful: bool = False


class Refusal(_Part):
    """A healing that ended without a promotion, or a policy's retraining that came to nothing.

    gates: names of the gates that failed. gain: what the refused version would have gained in mean loss over
    production, on the rows that followed until the next move or the end; None where nothing was trained.
    at: None where the file has no times.
    """

    period: int
    at: UtcTime | None
    kind: Literal["reject", "skip", "failed"]
    version: str | None
    reason: str
    gates: tuple[str, ...] = ()
    gain: float | None = None


class PolicyResult(_Measured):
    """A policy over all periods. regained: share of the gap between `frozen` and `oracle` in mean loss.

    regained is None where there is no gap, or one of the two wasn't compared. training_seconds: of every training that
    the policy asked for, whether or not another policy had it done before. moves and refusals are in order of time.
    auc is over all rows at once, where the scores of several versions mix; auc_per_period is the mean of the periods'.
    """

    retrainings: float
    promotions: float
    rejections: int
    rollbacks: int
    harmful_promotions: float
    regained: float | None
    training_seconds: float
    per_period: tuple[PeriodResult, ...]
    moves: tuple[Move, ...] = ()
    refusals: tuple[Refusal, ...] = ()


class Looks(_Part):
    """What came of the monitoring runs of `healed`: counts of runs, by what they said (of several texts that differ in
    numbers alone, the last one).

    inputs_unjudged, labels_unjudged: runs with too little to judge by. nothing_judged: runs with both. waited: runs at
    which a healing was wanted and not started.
    """

    runs: int
    inputs_unjudged: dict[str, int]
    labels_unjudged: int
    nothing_judged: int
    started: int
    waited: dict[str, int]


class Settings(_Part):
    """What was asked. initial: share of the rows that trained the first version. label_delay: in periods."""

    periods: int
    initial: float
    label_delay: int
    label_rate: float
    seed: int
    runs_per_period: int
    overrides: dict[str, float | int | str] = {}


class Backtest(_Part):
    """The file. dataset: the data file's name. seconds: wall time of the whole replay; of each policy by its name.

    looks: None where `healed` wasn't compared. hints: what the reader should know of the file.
    """

    dataset: str
    contract: str
    task: Annotated[TaskName, left_out_if(default="binary")] = "binary"
    rows: int
    settings: Settings
    periods: tuple[Period, ...]
    policies: dict[str, PolicyResult]
    verdict: str
    looks: Looks | None = None
    hints: tuple[str, ...] = ()
    seconds: float
    policy_seconds: dict[str, float] = {}

    def to_json(self) -> bytes:
        """The file's bytes: UTF-8, readable by a person."""
        return self.model_dump_json(indent=2).encode() + b"\n"
