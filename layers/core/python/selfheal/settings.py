"""The settings of each function: one typed model per function, from which the CDK also derives its environment."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from selfheal.errors import SettingsInvalid

ENVIRONMENT_PREFIX = "SELFHEAL_"
# Set by the local cloud alone: a file that holds the simulated time.
CLOCK_FILE = f"{ENVIRONMENT_PREFIX}CLOCK_FILE"


class Settings(BaseModel):
    """Base of every function's settings: what each of them needs. A field's variable is `SELFHEAL_` and its name."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    data_bucket: str = Field(description="Bucket of predictions, labels and monitoring")
    registry_bucket: str = Field(description="Bucket of models, pointer, evidence and ledger")


class RegistrySettings(Settings):
    """What functions that write into the registry need beside."""

    retention_days: int = Field(
        default=0, ge=0, description="Days that new models, evidence and ledger entries are locked (S3 Object Lock)"
    )


class MeasuredSettings(Settings):
    """What functions that write metrics of their own need beside."""

    metrics_namespace: str = Field(min_length=1, description="Where CloudWatch keeps the metrics; one for each stage")


class PredictorSettings(MeasuredSettings):
    """Settings of the predictor."""

    pointer_check_seconds: float = Field(
        default=15.0, ge=0, description="How long a model answers before the production pointer is looked at again"
    )
    prediction_stream: str | None = Field(
        default=None, description="The Firehose stream that predictions are logged by; unset: an S3 object a request"
    )


class LabelsSettings(MeasuredSettings):
    """Settings of the label ingestion."""


class BatchScoringSettings(Settings):
    """Settings of the batch scoring."""


class HourRollUpSettings(Settings):
    """Settings of the roll-up of large hours."""


class DriftSettings(RegistrySettings, MeasuredSettings):
    """Settings of the scheduled monitoring."""

    state_machine_arn: str = Field(description="The healing state machine that is started when a healing is due")
    large_hours_arn: str = Field(description="The state machine that rolls up hours too large for this function")
    topic_arn: str = Field(description="The topic that gets a message when something changed")
    schedule_minutes: int = Field(
        default=60, ge=5, description="Minutes between two runs; the alarm rate is kept for it"
    )
    mlflow_tracking_uri: str = Field(
        default="", description="An MLflow server that mirrors the registry after each run; empty: none"
    )


class ShadowTrainingSettings(RegistrySettings):
    """Settings of the shadow training."""

    budget_seconds: float = Field(
        default=720.0, gt=0, description="Seconds after which training ends with a named outcome"
    )


class LabelWaitSettings(Settings):
    """Settings of the label wait."""


class GateEvaluationSettings(RegistrySettings):
    """Settings of the gate evaluation."""


class PromotionSettings(RegistrySettings):
    """Settings of the promotion function."""


def read_settings[Kind: Settings](kind: type[Kind], environment: Mapping[str, str]) -> Kind:
    """The settings of a function from its environment.

    Raises:
        SettingsInvalid: names every variable that is missing or unusable.
    """
    present = {
        name: environment[variable] for name in kind.model_fields if (variable := variable_of(name)) in environment
    }
    try:
        return kind.model_validate(present)
    except ValidationError as error:
        faults = "; ".join(f"{variable_of(str(fault['loc'][0]))}: {fault['msg']}" for fault in error.errors())
        raise SettingsInvalid(f"set the function's environment right: {faults}") from error


def environment_of(settings: Settings) -> dict[str, str]:
    """The environment that `read_settings` reads back as the same settings."""
    return {variable_of(name): str(value) for name, value in settings.model_dump(exclude_none=True).items()}


def variable_of(field: str) -> str:
    """The environment variable of a settings field."""
    return f"{ENVIRONMENT_PREFIX}{field.upper()}"
