"""The predictor as it is deployed, for a web server on this machine: `tests.benchmarks.scale.service:app`.

Its buckets and its stream are where the environment says. Standard output holds the function's log.
"""

from predictor.app import create_app
from predictor.telemetry import FunctionLog
from selfheal.composition import renewable_stores_of, settings_of, system_clock
from selfheal.settings import PredictorSettings
from selfheal.usecases.serve.production_model import ProductionModel

settings = settings_of(PredictorSettings)
stores, _ = renewable_stores_of(settings)
model = ProductionModel(stores.pointer, stores.models, settings.pointer_check_seconds)
app = create_app(stores, model, system_clock, FunctionLog(settings.metrics_namespace))
