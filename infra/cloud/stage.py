"""What may differ between two deployments. Values come from `cdk.json`; `-c name=value` overrides one."""

from typing import Literal, Self

from constructs import Node
from pydantic import BaseModel, ConfigDict, Field, model_validator

DEFAULT_STAGE = "dev"


class Stage(BaseModel):
    """The settings of one stage: an environment with buckets, models and a ledger of its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(default=DEFAULT_STAGE, pattern=r"^[a-z][a-z0-9]{0,11}$", description="Name of the stage")
    architecture: Literal["arm64", "x86_64"] = Field(
        default="arm64", description="Processor that the functions run on, and that their packages are made for"
    )
    schedule_minutes: int = Field(
        default=60,
        ge=5,
        le=720,
        description="Minutes between two monitoring runs; an alarm looks back two of them, and at most a day",
    )
    pointer_check_seconds: float = Field(
        default=15.0, ge=0, description="How long a model answers before the production pointer is looked at again"
    )
    log_retention_days: Literal[7, 30, 90, 180, 365] = Field(default=30, description="Days that logs are kept")
    encryption: Literal["s3", "kms"] = Field(
        default="s3", description="Who holds the key of the buckets: S3, or a KMS key of this account"
    )
    retention_days: int = Field(
        default=0,
        ge=0,
        description="Days that what is written once is locked, whatever becomes of the bucket's policy; 0: it isn't",
    )
    snap_start: bool = Field(
        default=False,
        description="Whether the predictor starts from a snapshot (SnapStart): quicker, but it costs while nobody asks",
    )
    jwt_issuer: str = Field(
        default="", description="Address of a token issuer; callers then show its tokens instead of signing requests"
    )
    jwt_audience: str = Field(default="", description="The audience that those tokens must name")
    requests_per_second: int = Field(default=50, ge=1, description="Sustained requests that the API lets through")
    burst: int = Field(default=100, ge=1, description="Requests at once that the API lets through")
    prediction_log: Literal["s3", "firehose"] = Field(
        default="s3",
        description="How predictions are logged: an S3 object a request, or by a Firehose stream, cheaper for many",
    )
    queries: str = Field(
        default="",
        description="A contract's file, by its path from here; Athena has tables of its features then. Empty: none",
    )
    reserved_concurrency: int = Field(
        default=0,
        ge=0,
        description="Predictor processes that no other function can take; 0 reserves none (new accounts can't)",
    )
    mlflow_tracking_uri: str = Field(
        default="", description="An MLflow server that mirrors the registry after each monitoring run; empty: none"
    )
    alarm_email: str = Field(default="", description="Who gets the notifications and alarms by mail; empty for nobody")

    @property
    def metrics_namespace(self) -> str:
        """Where CloudWatch keeps what this stage's functions count: another stage of the account rings no alarm."""
        return f"selfheal-{self.name}"

    @model_validator(mode="after")
    def _tokens_name_an_audience(self) -> Self:
        if bool(self.jwt_issuer) != bool(self.jwt_audience):
            raise ValueError("jwt_issuer and jwt_audience belong together: give both, or neither")
        return self


def stage_of(node: Node) -> Stage:
    """The stage that an app's context names, with the values that the context overrides.

    Raises:
        pydantic.ValidationError: names every setting that is unknown or unusable.
    """
    name = node.try_get_context("stage") or DEFAULT_STAGE
    configured = (node.try_get_context("stages") or {}).get(name, {})
    overrides = {field: node.try_get_context(field) for field in Stage.model_fields if field != "name"}
    given = {field: value for field, value in overrides.items() if value is not None}
    return Stage.model_validate({"name": name, **configured, **given})
