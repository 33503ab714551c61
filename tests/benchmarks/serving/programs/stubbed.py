"""The predictor with the store stubbed: the model from a file, the log written to nowhere."""

import gc
import os
from datetime import UTC, datetime
from pathlib import Path

gc.disable()

from predictor.app import create_app  # noqa: E402 - as the function's own entry point does it
from predictor.gateway import gateway  # noqa: E402
from predictor.handler import ALLOCATIONS  # noqa: E402
from predictor.telemetry import FunctionLog  # noqa: E402
from selfheal.stores.collection import Stores  # noqa: E402
from selfheal.stores.memory import MemoryBucket  # noqa: E402
from selfheal.usecases.serve.production_model import ProductionModel  # noqa: E402


class Nowhere(MemoryBucket):
    def create(self, key: str, body: bytes) -> str:  # noqa: ARG002 - that is the point
        return ""


def registry() -> MemoryBucket:
    bucket, folder = MemoryBucket(), Path(os.environ["REGISTRY"])
    for file in folder.rglob("*.json"):
        bucket.put(str(file.relative_to(folder)), file.read_bytes())
    return bucket


stores = Stores(Nowhere(), registry())
model = ProductionModel(stores.pointer, stores.models, 15)
app = create_app(stores, model, lambda: datetime.now(UTC), FunctionLog("benchmark"))
handler = gateway(app)
gc.freeze()
gc.set_threshold(ALLOCATIONS)
gc.enable()
