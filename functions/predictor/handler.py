"""The predictor's entry point: HTTP API events through Mangum."""

from contextlib import suppress
from functools import cache
from typing import Any

from mangum import Mangum

from predictor.app import create_app
from predictor.gateway import gateway
from predictor.telemetry import FunctionLog
from selfheal.composition import in_runtime, settings_of, stores_of, system_clock
from selfheal.errors import SelfhealError
from selfheal.settings import PredictorSettings
from selfheal.usecases.serving import ProductionModel


@cache
def application() -> Mangum:
    """The application over the real stores, with the production model loaded where there is one."""
    settings = settings_of(PredictorSettings)
    stores = stores_of(settings)
    model = ProductionModel(stores.pointer, stores.models, settings.pointer_check_seconds)
    with suppress(SelfhealError):  # an empty or unreachable registry: each request looks again, and says so
        model.current(system_clock())
    return gateway(create_app(stores, model, system_clock, FunctionLog()))


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one HTTP API event."""
    return application()(event, context)


# Lambda gives its start more processor time than it gives requests, so the model is loaded there.
if in_runtime():
    application()
