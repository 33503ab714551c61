"""The composition root: the only place that reads the clock and the environment, and that makes SDK clients.

Entry points alone import it: handlers, commands, programs. Everything below them is handed what it needs.
"""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from selfheal.errors import SettingsInvalid, TrainingBudgetExceeded
from selfheal.prefixes import WRITTEN_ONCE
from selfheal.settings import CLOCK_FILE, PredictorSettings, RegistrySettings, Settings, read_settings
from selfheal.stores.collection import Stores

if TYPE_CHECKING:
    from selfheal.stores.approvals import Approvals
    from selfheal.stores.executions import WatchedExecutions
    from selfheal.stores.firehose import FirehoseStream
    from selfheal.stores.large_hours import LargeHours
    from selfheal.stores.notifications import Notifications
    from selfheal.stores.tracking import Tracking


def system_clock() -> datetime:
    """The time in UTC; simulated where the local cloud says so."""
    simulated = os.environ.get(CLOCK_FILE)
    if simulated:
        return datetime.fromisoformat(Path(simulated).read_text(encoding="utf-8").strip()).astimezone(UTC)
    return datetime.now(UTC)


def in_runtime() -> bool:
    """Whether a function's runtime started this process (and not a test or a person)."""
    return "AWS_LAMBDA_RUNTIME_API" in os.environ


def budget_of(seconds: float) -> Callable[[], None]:
    """A check that raises TrainingBudgetExceeded once so many seconds have passed from now."""
    end = time.monotonic() + seconds

    def check() -> None:
        if time.monotonic() > end:
            raise TrainingBudgetExceeded(
                f"training took more than its {seconds:g} seconds: raise SELFHEAL_BUDGET_SECONDS, or shorten "
                "policy.retraining.window"
            )

    return check


def settings_of[Kind: Settings](kind: type[Kind]) -> Kind:
    """A function's settings, read from the process's environment. Raises SettingsInvalid."""
    return read_settings(kind, os.environ)


def stores_of(settings: Settings) -> Stores:
    """The stores over the real buckets that the settings name."""
    import boto3

    from selfheal.stores.s3 import Retention, S3Bucket

    client = boto3.client("s3")
    days = settings.retention_days if isinstance(settings, RegistrySettings) else 0
    retention = Retention(WRITTEN_ONCE, days, system_clock) if days else None
    return Stores(S3Bucket(client, settings.data_bucket), S3Bucket(client, settings.registry_bucket, retention))


def renewable_stores_of(settings: PredictorSettings) -> tuple[Stores, Callable[[], None]]:
    """The same without the SDK's client, for a process that starts while somebody waits; and how to renew them.

    Renewing drops connections and credentials, which a copy of this process must not share.
    """
    from selfheal.stores.signed_s3 import SignedBucket

    region = os.environ.get("AWS_REGION") or os.environ["AWS_DEFAULT_REGION"]
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    data, registry = (
        SignedBucket(name, region=region, endpoint=endpoint)
        for name in (settings.data_bucket, settings.registry_bucket)
    )

    stream = _stream_of(settings, region)

    def renew() -> None:
        data.renew()
        registry.renew()
        if stream is not None:
            stream.renew()

    return Stores(data, registry, stream), renew


def _stream_of(settings: PredictorSettings, region: str) -> "FirehoseStream | None":
    if settings.prediction_stream is None:
        return None
    from selfheal.stores.firehose import FirehoseStream

    endpoint = os.environ.get("AWS_ENDPOINT_URL_FIREHOSE") or os.environ.get("AWS_ENDPOINT_URL")
    return FirehoseStream(settings.prediction_stream, region=region, endpoint=endpoint)


def on_restore(*hooks: Callable[[], None]) -> None:
    """Run hooks in every process that Lambda restores from a snapshot of this one (SnapStart)."""
    try:
        from snapshot_restore_py import register_after_restore  # only Lambda's runtime has it
    except ImportError:
        return
    for hook in hooks:
        register_after_restore(hook)


def executions_of(state_machine_arn: str) -> "WatchedExecutions":
    """The healings of a state machine."""
    import boto3

    from selfheal.stores.executions import StateMachine

    return StateMachine(boto3.client("stepfunctions"), state_machine_arn)


def large_hours_of(state_machine_arn: str) -> "LargeHours":
    """Who rolls up hours that are too large for one function."""
    import boto3

    from selfheal.stores.large_hours import HourStateMachine

    return HourStateMachine(boto3.client("stepfunctions"), state_machine_arn)


def approvals_of(state_machine_arn: str) -> "Approvals":
    """The healings of a state machine that wait for a person."""
    import boto3

    from selfheal.stores.approvals import Approvals

    return Approvals(boto3.client("stepfunctions"), state_machine_arn)


def notifications_of(topic_arn: str) -> "Notifications":
    """The topic that people listen to."""
    import boto3

    from selfheal.stores.notifications import Topic

    return Topic(boto3.client("sns"), topic_arn)


def tracking_of(uri: str) -> "Tracking":
    """The MLflow server of that address. Raises SettingsInvalid where the optional extra isn't installed."""
    try:
        from selfheal.stores.tracking import MlflowTracking
    except ModuleNotFoundError as error:
        raise SettingsInvalid(f"an MLflow server is configured, but {error.name} is missing: install it") from error
    return MlflowTracking(uri)
