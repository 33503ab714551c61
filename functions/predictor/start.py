"""How the predictor starts: the model is fetched while the web framework, most of the start, is imported."""

from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING

from predictor.telemetry import FunctionLog
from selfheal.composition import on_restore, renewable_stores_of, settings_of, system_clock
from selfheal.errors import SelfhealError
from selfheal.settings import PredictorSettings
from selfheal.usecases.serve.production_model import ProductionModel

if TYPE_CHECKING:
    from mangum import Mangum


def start() -> "Mangum":
    """The application over the real stores, with the production model loaded where there is one."""
    settings = settings_of(PredictorSettings)
    stores, renew = renewable_stores_of(settings)
    model = ProductionModel(stores.pointer, stores.models, settings.pointer_check_seconds)
    loading = _in_background(lambda: model.current(system_clock()))

    from predictor.app import create_app  # meanwhile
    from predictor.gateway import gateway

    app = create_app(stores, model, system_clock, FunctionLog(settings.metrics_namespace))
    loading.join()
    on_restore(renew, model.look_again)
    return gateway(app)


def _in_background(load: Callable[[], object]) -> Thread:
    def attempt() -> None:
        with suppress(SelfhealError):  # each request looks again, and says what is wrong
            load()

    thread = Thread(target=attempt, daemon=True)
    thread.start()
    return thread
