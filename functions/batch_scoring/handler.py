"""The batch scoring's entry point: S3 events of `batches/incoming/`."""

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import unquote_plus

from aws_lambda_powertools import Logger

from selfheal.composition import settings_of, stores_of, system_clock
from selfheal.records.labels import Upload
from selfheal.settings import BatchScoringSettings
from selfheal.stores.collection import Stores
from selfheal.usecases.serve.production_model import ProductionModel
from selfheal.usecases.serve.score_batch import score_batch

logger = Logger(service="batch_scoring")


@cache
def connections() -> tuple[Stores, ProductionModel]:
    """The real stores, and the production model, which is looked at again for each file."""
    stores = stores_of(settings_of(BatchScoringSettings))
    return stores, ProductionModel(stores.pointer, stores.models, check_seconds=0)


def handler(event: dict[str, Any], _: object) -> dict[str, Any]:
    """Answer every file that the event names; an unreachable store raises, and Lambda tries again."""
    stores, model = connections()
    reports = [score_batch(stores, model.current(system_clock()), upload) for upload in uploads(event)]
    for report in reports:
        logger.info("batch answered", extra={"report": report.model_dump(mode="json")})
    return {"reports": [report.model_dump(mode="json") for report in reports]}


def uploads(event: dict[str, Any]) -> Iterator[Upload]:
    """What an S3 event tells of, keys as they are in S3; the test event that S3 sends tells of nothing."""
    for record in event.get("Records", []):
        stored, moment = record["s3"]["object"], datetime.fromisoformat(record["eventTime"])
        key = unquote_plus(stored["key"])
        yield Upload(key=key, size=stored["size"], uploaded_at=moment, etag=stored.get("eTag"))
