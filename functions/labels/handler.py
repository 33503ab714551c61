"""The label ingestion's entry point: S3 events of `labels/incoming/`."""

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import unquote_plus

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from selfheal.composition import settings_of, stores_of
from selfheal.records.labels import Upload
from selfheal.settings import LabelsSettings
from selfheal.stores.collection import Stores
from selfheal.usecases.labels.ingest import ingest_labels

logger = Logger(service="labels")


@cache
def settings() -> LabelsSettings:
    """The function's own."""
    return settings_of(LabelsSettings)


@cache
def stores() -> Stores:
    """The real stores."""
    return stores_of(settings())


def handler(event: dict[str, Any], _: object) -> dict[str, Any]:
    """Take in every file that the event names; an unreachable store raises, and Lambda tries again."""
    kept = stores()
    reports = [ingest_labels(kept, upload) for upload in uploads(event)]
    for report in reports:
        logger.info("labels ingested", extra={"report": report.model_dump(mode="json")})
    if refused := sum(bool(report.reason) for report in reports):
        _count_refused(refused)
    return {"reports": [report.model_dump(mode="json") for report in reports]}


def uploads(event: dict[str, Any]) -> Iterator[Upload]:
    """What an S3 event tells of, keys as they are in S3; the test event that S3 sends tells of nothing."""
    for record in event.get("Records", []):
        stored, moment = record["s3"]["object"], datetime.fromisoformat(record["eventTime"])
        key = unquote_plus(stored["key"])
        yield Upload(key=key, size=stored["size"], uploaded_at=moment, etag=stored.get("eTag"))


def _count_refused(uploads: int) -> None:
    namespace = settings().metrics_namespace
    with single_metric(name="RefusedUploads", unit=MetricUnit.Count, value=uploads, namespace=namespace) as metric:
        metric.add_dimension(name="service", value="labels")
