"""What a contract holds, as frozen records. Parsing and its faults are in `parsing`."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue

# Which predictions a label speaks of where several were made under its id: the newest, all, or none.
RepeatedIds = Literal["newest", "all", "refuse"]
FeatureType = Literal["number", "integer", "category", "boolean"]
# The kinds of target; `selfheal.tasks` says what each means.
TaskName = Literal["binary", "multiclass", "regression"]
GainMetric = Literal["f1", "brier", "macro_f1", "accuracy", "mae", "mse", "cost"]
MOST_CLASSES = 100

Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(gt=0, lt=1)]
# Nobody means more, and a time of the calendar less a century is still one.
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
DAYS_OF_A_CENTURY = 36_500
# Fewer rows teach nothing that is worth a training.
RowLimit = Annotated[int, Field(ge=1_000, le=1_000_000_000)]
Days = Annotated[float, Field(ge=0, le=DAYS_OF_A_CENTURY)]
Hours = Annotated[float, Field(ge=0, le=DAYS_OF_A_CENTURY * 24)]
# A function in a module.
TRAINER = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$"
MODEL_NAME = r"^[a-z0-9][a-z0-9-]{0,47}$"
# A NUL ends a text in places that nobody expects.
WITHOUT_NUL = r"^[^\x00]*$"
Text = Annotated[str, Field(max_length=2000, pattern=WITHOUT_NUL)]
Name = Annotated[str, Field(min_length=1, max_length=1000, pattern=WITHOUT_NUL)]
Class = Annotated[str, Field(min_length=1, max_length=100, pattern=WITHOUT_NUL)]
Classes = Annotated[tuple[Class, ...], Field(min_length=2, max_length=MOST_CLASSES)]
# What JSON, Parquet and numpy hold alike.
WholeNumber = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]


# Of what a user writes; the parser holds it to that.
CLOSED: dict[str, JsonValue] = {"additionalProperties": False}


def left_out_if(*, default: Any) -> Any:
    """A field that isn't written where it has its default: what earlier releases wrote stays as it was, to the byte."""
    return Field(exclude_if=lambda value: value == default)


class ContractPart(BaseModel):
    """Base of every part, frozen. A version's may have keys of a later release; in a user's file they are faults."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, allow_inf_nan=False, json_schema_extra=CLOSED)


class Feature(ContractPart):
    """One input column: its type, its limits (inclusive) and the names under which it may arrive.

    reason: what to tell the people concerned where it has moved an answer, in words for a letter.
    """

    type: FeatureType
    minimum: float | None = None
    maximum: float | None = None
    nullable: bool = False
    aliases: tuple[Name, ...] = ()
    description: Text = ""
    reason: Text = ""
    categories: tuple[Text, ...] | None = None

    @property
    def is_category(self) -> bool:
        """Whether values are strings; every other type is held as a float."""
        return self.type == "category"


class Segment(ContractPart):
    """Groups of rows that a promotion must not hurt: bins of a numeric feature, or the values of a category."""

    feature: str
    edges: tuple[float, ...] = ()


class ErrorCosts(ContractPart):
    """What an error costs, in any unit; a right prediction costs nothing."""

    false_positive: Annotated[float, Field(gt=0)]
    false_negative: Annotated[float, Field(gt=0)]


# What a row of the one class costs where the other is predicted: by truth, then by prediction.
Cost = Annotated[float, Field(ge=0)]
CostMatrix = Annotated[dict[Class, dict[Class, Cost]], Field(min_length=1)]


class ModelSection(ContractPart):
    """The `[model]` table: what is predicted, and by which column of a user's rows they are known again.

    threshold: the operating point of a binary target: that of the highest F1, a probability, or that of the least cost.
    classes: of a multiclass target, in the order of its probabilities; without them those that training holds.
    error_costs: what an error of one costs, by truth and prediction; one that isn't named costs 1, and being right 0.
    minimum, maximum: inclusive limits of a regression's target. trainer: code of one's own, `package.module:function`,
    that says what is fitted (docs/trainers.md). Within `id_window_days` an id names one case.
    """

    name: Annotated[str, Field(pattern=MODEL_NAME)]
    target: Name
    task: Annotated[TaskName, left_out_if(default="binary")] = "binary"
    classes: Annotated[Classes | None, left_out_if(default=None)] = None
    error_costs: Annotated[CostMatrix | None, left_out_if(default=None)] = None
    minimum: Annotated[float | None, left_out_if(default=None)] = None
    maximum: Annotated[float | None, left_out_if(default=None)] = None
    positive_label: WholeNumber | Text | bool = 1
    trainer: Annotated[Annotated[str, Field(pattern=TRAINER)] | None, left_out_if(default=None)] = None
    time_column: Name | None = None
    id_column: Name | None = None
    id_window_days: Annotated[int, Field(ge=1, le=DAYS_OF_A_CENTURY)] = 90
    repeated_ids: RepeatedIds = "newest"
    threshold: Literal["max_f1"] | Rate | ErrorCosts = "max_f1"

    def error_cost(self, truth: str, predicted: str) -> float:
        """What it costs to predict a class where another, or the same, is true."""
        return 0.0 if truth == predicted else (self.error_costs or {}).get(truth, {}).get(predicted, 1.0)


class FileSection(ContractPart):
    """The `[file]` table: how the files of users are written, where they can't say so themselves.

    separator: of the cells of a text, ", " where a blank follows each. decimal, thousands: signs in numbers.
    encoding: of a text without a mark. sheet: of a workbook; empty: the first that is to be seen.
    time_format: iso, epoch_seconds, epoch_milliseconds or directives such as %d/%m/%Y. zone: of times that name none.
    hour_column: the hour of a day that `time_column` gives.
    """

    separator: Annotated[str, Field(min_length=1, max_length=2)] = ","
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ",", ".", " ", "'"] = ""
    encoding: str = "utf-8"
    sheet: str = ""
    time_format: str = "iso"
    zone: str = "UTC"
    hour_column: str | None = None


class MonitoringPolicy(ContractPart):
    """When a window is judged, and what counts as worth acting on."""

    lookback_hours: Annotated[int, Field(ge=1, le=DAYS_OF_A_CENTURY * 24)] = 24
    minimum_predictions: Count = 200
    false_alarm_rate: Rate = 0.05
    drift_share: Share = 0.3
    effect_threshold: Share = 0.1


class RetrainingPolicy(ContractPart):
    """When a healing starts, how long it waits for labels, and how much of the past it trains on.

    maximum_rows: of a training set; of more, the newest half is taken whole and older ones are thinned. auto: as many
    as memory holds.
    """

    minimum_labels: Count = 200
    retry_hours: Hours = 24.0
    label_wait_hours: Hours = 48.0
    window: Literal["auto", "all"] | Annotated[int, Field(ge=1, le=DAYS_OF_A_CENTURY)] = "auto"
    maximum_rows: Annotated[Literal["auto"] | RowLimit, left_out_if(default="auto")] = "auto"


class GatePolicy(ContractPart):
    """The limits of the seven gates."""

    minimum_samples: Count = 200
    minimum_coverage: Share = 0.30
    maximum_reach: Annotated[float, Field(gt=0)] = 2.0
    cooldown_days: Days = 7.0
    minimum_gain: Share = 0.005
    gain_metrics: Annotated[tuple[GainMetric, ...], Field(min_length=1)] = ("f1", "brier")
    maximum_brier_increase: Share = 0.01
    maximum_segment_f1_drop: Share = 0.05
    minimum_segment_samples: Count = 30
    significance: Annotated[float, Field(ge=0, lt=1)] = 0.1


class PromotionPolicy(ContractPart):
    """Whether a person is asked before a promotion: so many hours are waited for the answer; 0: nobody is asked."""

    approval_hours: Annotated[float, Field(ge=0, le=8760)] = 0.0


class ProbationPolicy(ContractPart):
    """How long, and at what error rate, a promoted version may still be taken back."""

    days: Days = 7.0
    significance: Rate = 0.05


class Policy(ContractPart):
    """The `[policy]` tables; every value has a default."""

    monitoring: MonitoringPolicy = MonitoringPolicy()
    retraining: RetrainingPolicy = RetrainingPolicy()
    gates: GatePolicy = GatePolicy()
    promotion: PromotionPolicy = PromotionPolicy()
    probation: ProbationPolicy = ProbationPolicy()


class Contract(ContractPart):
    """A whole contract; `features` keeps the order of the file, which is the order of every table."""

    model: ModelSection
    features: Annotated[dict[Name, Feature], Field(min_length=1)]
    segments: tuple[Segment, ...] = ()
    file: FileSection = FileSection()
    policy: Policy = Policy()

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of all features, in the order of the file."""
        return tuple(self.features)

    @property
    def numeric_features(self) -> tuple[str, ...]:
        """Names of the number, integer and boolean features: held as float64, missing is NaN."""
        return tuple(name for name, feature in self.features.items() if not feature.is_category)

    @property
    def category_features(self) -> tuple[str, ...]:
        """Names of the category features: held as strings, missing is None."""
        return tuple(name for name, feature in self.features.items() if feature.is_category)

    def with_classes(self, classes: tuple[str, ...]) -> Self:
        """The same contract for a target of these classes."""
        return self.model_copy(update={"model": self.model.model_copy(update={"classes": classes})})

    def with_policy(self, policy: Policy) -> Self:
        """The same contract under another policy (what-if runs, simulations)."""
        return self.model_copy(update={"policy": policy})
