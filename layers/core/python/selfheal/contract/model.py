"""What a contract holds, as frozen records. Parsing and its faults are in `parsing`."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

FeatureType = Literal["number", "integer", "category", "boolean"]

Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1)]


class ContractPart(BaseModel):
    """Base of every part: frozen, and a key that nobody knows is a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Feature(ContractPart):
    """One input column: its type, its limits (inclusive) and the names under which it may arrive."""

    type: FeatureType
    minimum: float | None = None
    maximum: float | None = None
    nullable: bool = False
    aliases: tuple[str, ...] = ()
    description: str = ""
    categories: tuple[str, ...] | None = None

    @property
    def is_category(self) -> bool:
        """Whether values are strings; every other type is held as a float."""
        return self.type == "category"


class Segment(ContractPart):
    """Groups of rows that a promotion must not hurt: bins of a numeric feature, or the values of a category."""

    feature: str
    edges: tuple[float, ...] = ()


class ModelSection(ContractPart):
    """The `[model]` table: what is predicted."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,47}$")]
    target: Annotated[str, Field(min_length=1)]
    positive_label: int | str | bool = 1
    time_column: str | None = None
    threshold: Literal["max_f1"] | Rate = "max_f1"


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

    lookback_hours: Count = 24
    minimum_predictions: Count = 200
    false_alarm_rate: Rate = 0.05
    drift_share: Share = 0.3
    effect_threshold: Share = 0.1


class RetrainingPolicy(ContractPart):
    """When a healing starts, how long it waits for labels, and how much of the past it trains on."""

    minimum_labels: Count = 200
    retry_hours: Annotated[float, Field(ge=0)] = 24.0
    label_wait_hours: Annotated[float, Field(ge=0)] = 48.0
    window: Literal["auto", "all"] | Count = "auto"


class GatePolicy(ContractPart):
    """The limits of the seven gates."""

    minimum_samples: Count = 200
    minimum_coverage: Share = 0.30
    cooldown_days: Annotated[float, Field(ge=0)] = 7.0
    minimum_gain: Share = 0.02
    gain_metrics: Annotated[tuple[Literal["f1", "brier"], ...], Field(min_length=1)] = ("f1", "brier")
    maximum_brier_increase: Share = 0.01
    maximum_segment_f1_drop: Share = 0.05
    minimum_segment_samples: Count = 30
    significance: Annotated[float, Field(ge=0, lt=1)] = 0.05


class PromotionPolicy(ContractPart):
    """Whether a person is asked before a promotion: so many hours are waited for the answer; 0: nobody is asked."""

    approval_hours: Annotated[float, Field(ge=0, le=8760)] = 0.0


class ProbationPolicy(ContractPart):
    """How long, and at what error rate, a promoted version may still be taken back."""

    days: Annotated[float, Field(ge=0)] = 7.0
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
    features: Annotated[dict[str, Feature], Field(min_length=1)]
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

    def with_policy(self, policy: Policy) -> Self:
        """The same contract under another policy (what-if runs, simulations)."""
        return self.model_copy(update={"policy": policy})
