"""The scheduled monitoring's entry point: whatever the event holds, judge the last hours as of now."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from aws_lambda_powertools import Logger

from drift.telemetry import emit
from selfheal import composition
from selfheal.errors import SelfhealError
from selfheal.records.monitoring import MonitoringResult
from selfheal.settings import DriftSettings
from selfheal.stores.collection import Stores
from selfheal.usecases.monitor.monitor import NOT_BEGUN, has_begun, monitor
from selfheal.usecases.registry.mirror import mirror

logger = Logger(service="drift")


@cache
def connections() -> tuple[DriftSettings, Stores, Callable[..., MonitoringResult]]:
    """The settings, the stores, and a run over all that the settings name, made once a process."""
    settings = composition.settings_of(DriftSettings)
    stores = composition.stores_of(settings)
    run = partial(
        monitor,
        stores,
        composition.executions_of(settings.state_machine_arn),
        composition.notifications_of(settings.topic_arn),
        schedule_minutes=settings.schedule_minutes,
        large_hours=composition.large_hours_of(settings.large_hours_arn),
    )
    return settings, stores, run


def handler(_event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Run once; an unreachable store raises, and the scheduler tries again."""
    settings, stores, run = connections()
    if not has_begun(stores):
        logger.warning(NOT_BEGUN)
        return {"sentence": NOT_BEGUN}
    result = run(now=composition.system_clock())
    emit(result.metrics, settings.metrics_namespace)
    logger.info("monitoring run", extra={"result": result.model_dump(mode="json")})
    if settings.mlflow_tracking_uri:
        _mirror(settings.mlflow_tracking_uri, stores)
    return result.model_dump(mode="json")


def _mirror(uri: str, stores: Stores) -> None:
    try:
        mirror(stores, composition.tracking_of(uri))
    except SelfhealError as error:
        # Nothing depends on the mirror, and the next run makes up for it.
        logger.warning("not mirrored", extra={"reason": str(error)})
