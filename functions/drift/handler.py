"""The scheduled monitoring's entry point: whatever the event holds, judge the last hours as of now."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger

from drift.telemetry import emit
from selfheal.composition import executions_of, notifications_of, settings_of, stores_of, system_clock, tracking_of
from selfheal.errors import SelfhealError
from selfheal.settings import DriftSettings
from selfheal.stores.collection import Stores
from selfheal.stores.executions import Executions
from selfheal.stores.notifications import Notifications
from selfheal.usecases.monitor.monitor import NOT_BEGUN, has_begun, monitor
from selfheal.usecases.registry.mirror import mirror

logger = Logger(service="drift")


@cache
def connections() -> tuple[DriftSettings, Stores, Executions, Notifications]:
    """The settings and what they name, made once a process."""
    settings = settings_of(DriftSettings)
    return (
        settings,
        stores_of(settings),
        executions_of(settings.state_machine_arn),
        notifications_of(settings.topic_arn),
    )


def handler(_event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Run once; an unreachable store raises, and the scheduler tries again."""
    settings, stores, executions, notifications = connections()
    if not has_begun(stores):
        logger.warning(NOT_BEGUN)
        return {"sentence": NOT_BEGUN}
    result = monitor(stores, executions, notifications, now=system_clock(), schedule_minutes=settings.schedule_minutes)
    emit(result.metrics, settings.metrics_namespace)
    logger.info("monitoring run", extra={"result": result.model_dump(mode="json")})
    _mirror(settings, stores)
    return result.model_dump(mode="json")


def _mirror(settings: DriftSettings, stores: Stores) -> None:
    if not settings.mlflow_tracking_uri:
        return
    try:
        mirror(stores, tracking_of(settings.mlflow_tracking_uri))
    except SelfhealError as error:
        # Nothing depends on the mirror, and the next run makes up for it.
        logger.warning("not mirrored", extra={"reason": str(error)})
