"""What an environment costs a month, from its template's settings, its traffic and the list prices of `prices.toml`."""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import Any

PRICES = Path(__file__).parent / "prices.toml"
DAYS, HOURS = 30.4, 730.0
KB, THOUSAND, MILLION, GB = 1024, 1e3, 1e6, 1e9

# Estimates, not measured on AWS: billed seconds of a request (its start included, spread) and of each further row, of a
# monitoring run on closed hours, and bytes of a logged row.
REQUEST_SECONDS, ROW_SECONDS = 0.012, 0.00003
RUN_SECONDS, HEALING_SECONDS, HEALINGS_A_MONTH, HEALING_TRANSITIONS = 8.0, 240.0, 2, 450
ROW_BYTES, LOG_BYTES = 600, 350
IMAGE_GB = 0.4
DAYS_KEPT = 30
# A metric of our own as a dashboard's body names it.
_OWN_METRIC = re.compile(r'"selfheal-\w+","\w+","service"')
# Seconds in which a row of a closed hour is rolled up, and its hour's summary made.
ROLL_UP_SECONDS = 0.000025
# S3 requests of a run beside one read of each new object, where labels come every hour: lists and writes; reads (of
# roll-ups, summaries, labels, registry). tests/functional/test_requests_of_a_run.py counts them.
RUN_PUTS, RUN_GETS = 24, 112
# What a stream makes of lines: up to so many in a record, an object each five minutes and each so many bytes; and how
# much its query goes through in an hour of processing, which is a guess.
RECORD_LINES, DELIVERIES_A_DAY, OBJECT_BYTES, QUERY_GB_HOUR = 500, 288, 128e6, 10.0
STREAM_ALARMS = 2


@dataclass(frozen=True, kw_only=True)
class Environment:
    """What of a template's settings bears on the bill; memory in MB by function, `snapshots`: those with SnapStart."""

    architecture: str
    memory: Mapping[str, int]
    schedule_minutes: int
    alarms: int
    metrics: int
    dashboards: int
    keys: int
    snapshots: tuple[str, ...] = ()
    prediction_log: str = "s3"

    def logging_by(self, log: str) -> "Environment":
        """The same with another log of predictions: "s3" or "firehose"."""
        more = STREAM_ALARMS * ((log == "firehose") - (self.prediction_log == "firehose"))
        return replace(self, prediction_log=log, alarms=self.alarms + more)


def environment_of(template: Mapping[str, Any], data_template: Mapping[str, Any]) -> Environment:
    """The settings of a synthesised service and its data stack."""
    functions = {_name(p): p for p in _properties(template, "AWS::Lambda::Function") if "ZipFile" not in p["Code"]}
    return Environment(
        architecture=functions["predictor"]["Architectures"][0],
        memory={name: properties["MemorySize"] for name, properties in functions.items()},
        schedule_minutes=int(functions["drift"]["Environment"]["Variables"]["SELFHEAL_SCHEDULE_MINUTES"]),
        alarms=len(_properties(template, "AWS::CloudWatch::Alarm")),
        metrics=len(_OWN_METRIC.findall("".join(map(_text, _properties(template, "AWS::CloudWatch::Dashboard"))))),
        dashboards=len(_properties(template, "AWS::CloudWatch::Dashboard")),
        keys=len(_properties(data_template, "AWS::KMS::Key")),
        snapshots=tuple(name for name, properties in functions.items() if "SnapStart" in properties),
        prediction_log="firehose" if _properties(template, "AWS::KinesisFirehose::DeliveryStream") else "s3",
    )


def monthly_bill(
    environment: Environment, *, requests_per_day: float, rows_per_request: float = 1.0
) -> dict[str, float]:
    """Dollars a month by service. With no requests this is what the environment costs while nobody asks."""
    price = tomllib.loads(PRICES.read_text(encoding="utf-8"))
    requests = requests_per_day * DAYS
    runs = DAYS * 24 * 60 / environment.schedule_minutes
    logged_gb = requests * rows_per_request * ROW_BYTES / GB
    transitions = HEALINGS_A_MONTH * HEALING_TRANSITIONS / THOUSAND
    return {
        "Lambda": _lambda(environment, price["lambda"], requests, rows_per_request, runs),
        "API Gateway": requests / MILLION * price["http_api"]["million_requests"],
        "S3": _s3(price["s3"], _log_objects(environment, requests, logged_gb), runs, logged_gb),
        "Firehose": _firehose(environment, price["firehose"], requests, rows_per_request, logged_gb),
        "Step Functions": transitions * price["step_functions"]["thousand_transitions"],
        "CloudWatch": _cloudwatch(environment, price["cloudwatch"], requests),
        "ECR": IMAGE_GB * price["ecr"]["gb_month"],
        "KMS": environment.keys * price["kms"]["key_month"],
    }


def endpoint_month() -> tuple[str, float]:
    """The instance and the dollars a month of a SageMaker real-time endpoint that does nothing else than wait."""
    price = tomllib.loads(PRICES.read_text(encoding="utf-8"))["sagemaker"]
    return price["endpoint_instance"], price["endpoint_hour"] * HOURS


def _lambda(environment: Environment, price: Mapping[str, float], requests: float, rows: float, runs: float) -> float:
    seconds = {
        "predictor": requests * (REQUEST_SECONDS + (rows - 1) * ROW_SECONDS),
        "drift": runs * RUN_SECONDS + requests * rows * ROLL_UP_SECONDS,
        "shadow_training": HEALINGS_A_MONTH * HEALING_SECONDS,
    }
    gb_seconds = sum(environment.memory[name] / 1024 * taken for name, taken in seconds.items())
    per_second = price[f"gb_second_{environment.architecture}"]
    kept = sum(environment.memory[name] / 1024 for name in environment.snapshots) * price["snapshot_gb_month"]
    return gb_seconds * per_second + (requests + runs) / MILLION * price["million_requests"] + kept


def _log_objects(environment: Environment, requests: float, logged_gb: float) -> float:
    """How many objects the log of a month has."""
    if environment.prediction_log == "s3":
        return requests
    return max(min(requests, DAYS * DELIVERIES_A_DAY), logged_gb * GB / OBJECT_BYTES)


def _firehose(
    environment: Environment, price: Mapping[str, float], requests: float, rows: float, logged_gb: float
) -> float:
    if environment.prediction_log == "s3":
        return 0.0
    record = price["record_kb"] * KB
    full, rest = divmod(rows, RECORD_LINES)
    billed = (full * _rounded(RECORD_LINES * ROW_BYTES, record) + _rounded(rest * ROW_BYTES, record)) * requests / GB
    objects = _log_objects(environment, requests, logged_gb)
    return (
        billed * price["gb_taken"]
        + logged_gb * price["gb_partitioned"]
        + objects / THOUSAND * price["thousand_objects"]
        + logged_gb / QUERY_GB_HOUR * price["query_hour"]
    )


def _rounded(size: float, unit: float) -> float:
    """A size as it is billed: in whole units."""
    return ceil(size / unit) * unit


def _s3(price: Mapping[str, float], log_objects: float, runs: float, logged_gb: float) -> float:
    puts, gets = log_objects + runs * RUN_PUTS, log_objects + runs * RUN_GETS
    stored = logged_gb * DAYS_KEPT / DAYS
    return (
        puts / THOUSAND * price["thousand_puts"] + gets / THOUSAND * price["thousand_gets"] + stored * price["gb_month"]
    )


def _cloudwatch(environment: Environment, price: Mapping[str, float], requests: float) -> float:
    return (
        environment.alarms * price["alarm_month"]
        + environment.metrics * price["custom_metric_month"]
        + environment.dashboards * price["dashboard_month"]
        + requests * LOG_BYTES / GB * price["gb_logged"]
    )


def _text(properties: Mapping[str, Any]) -> str:
    return json.dumps(properties).replace("\\", "")


def _properties(template: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    return [resource["Properties"] for resource in template["Resources"].values() if resource["Type"] == kind]


def _name(properties: Mapping[str, Any]) -> str:
    handler: str = properties.get("Handler") or properties["ImageConfig"]["Command"][0]
    return handler.split(".", maxsplit=1)[0]
