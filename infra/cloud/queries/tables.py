"""The tables that Athena has of a stage: where their files lie, how those are written, and the columns in them.

Nothing but names and types, so that tests can hold them against the files themselves. Types are Hive's, as Glue writes
them. Columns come from what writes the files: the contract's features, and the records.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from infra.cloud.queries.types import DAY, column_names, columns_of_record
from selfheal.contract.model import Contract, Feature
from selfheal.prefixes import KEPT, LABELS_ACCEPTED, LEDGER, PREDICTIONS_HOURLY, RUN_ROWS
from selfheal.records.labels import Label
from selfheal.records.ledger import LedgerEntry
from selfheal.records.monitoring import RunRow
from selfheal.stores.log_columns import ID, OWN_ID, PREDICTION, PROBABILITY, TIMESTAMP, VERSION

# What a prediction and a label are, by task.
ANSWERS = {"binary": "tinyint", "multiclass": "string", "regression": "double"}
# Figures behind a verdict may be NaN or infinite, which JSON writes as names; their gate's `reason` tells them.
MEASURED = frozenset({"value", "threshold", "interval", "evidence"})


@dataclass(frozen=True, slots=True)
class Format:
    """Hive's classes for a way of writing files, and what its reader is told."""

    reader: str
    input_format: str
    output_format: str
    settings: Mapping[str, str]


PARQUET = Format(
    "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
    "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    {"serialization.format": "1"},
)
JSON_LINES = Format(
    "org.openx.data.jsonserde.JsonSerDe",
    "org.apache.hadoop.mapred.TextInputFormat",
    "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    {"serialization.format": "1"},
)
# Records are written for people, over many lines, which readers of JSON lines don't take. Ion is a superset of JSON.
JSON_RECORDS = Format(
    "com.amazon.ionhiveserde.IonHiveSerDe",
    "com.amazon.ionhiveserde.formats.IonInputFormat",
    "com.amazon.ionhiveserde.formats.IonOutputFormat",
    {"ion.encoding": "TEXT"},
)


@dataclass(frozen=True, slots=True)
class Table:
    """One table: the files below a prefix of a bucket, by day where `by_day`, and their columns in Hive's types."""

    name: str
    about: str
    bucket: Literal["data", "registry"]
    prefix: str
    format: Format
    columns: Mapping[str, str]
    by_day: bool = True

    def projection(self, location: str) -> dict[str, str]:
        """How Athena knows the table's days without being told of each; `location` is the prefix's address."""
        if not self.by_day:
            return {}
        return {
            "projection.enabled": "true",
            f"projection.{DAY}.type": "date",
            f"projection.{DAY}.format": "yyyy-MM-dd",
            f"projection.{DAY}.range": f"NOW-{KEPT.days}DAYS,NOW+1DAY",
            "storage.location.template": f"{location}{DAY}=${{{DAY}}}/",
        }


def tables_of(contract: Contract) -> tuple[Table, ...]:
    """The four tables of a stage whose versions are trained under a contract.

    Raises:
        ContractInvalid: Athena can't have columns of the names of its features.
    """
    answer = ANSWERS[contract.model.task]
    return (
        Table(
            "predictions",
            "Closed hours of answered requests, a row each",
            "data",
            PREDICTIONS_HOURLY,
            PARQUET,
            _prediction_columns(contract, answer),
        ),
        Table(
            "labels",
            "Accepted labels, by the day of their prediction; of a prediction's labels the newest holds",
            "data",
            LABELS_ACCEPTED,
            JSON_LINES,
            {**columns_of_record(Label, leaving_out={"label"}), "label": answer},
        ),
        Table("runs", "Monitoring runs, a row each", "data", RUN_ROWS, JSON_RECORDS, columns_of_record(RunRow)),
        Table(
            "ledger",
            "Decisions, their outcomes, and people's pauses",
            "registry",
            LEDGER,
            JSON_RECORDS,
            columns_of_record(LedgerEntry, leaving_out=MEASURED),
            by_day=False,
        ),
    )


def _prediction_columns(contract: Contract, answer: str) -> dict[str, str]:
    """A class's own probabilities are left out: their columns are named by the classes, which training may find."""
    fixed = {
        ID: "string",
        OWN_ID: "string",
        TIMESTAMP: "timestamp",
        VERSION: "string",
        PROBABILITY: "double",
        PREDICTION: answer,
    }
    names = column_names(contract.features)
    features = {names[name]: _type_in_log(feature) for name, feature in contract.features.items()}
    return {**fixed, **features}


def _type_in_log(feature: Feature) -> str:
    return "string" if feature.is_category else "double"
