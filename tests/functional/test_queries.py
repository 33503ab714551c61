"""The saved queries of Athena, run by DuckDB on the files that a life leaves, under the catalogue's names and types."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.cloud.queries.named import day_of_id, queries_of
from infra.cloud.queries.tables import JSON_LINES, PARQUET, Table, tables_of
from infra.cloud.queries.types import type_of
from selfheal.contract import Contract, parse_contract
from selfheal.errors import ContractInvalid
from selfheal.records.labels import Label
from selfheal.records.monitoring import DriftSummary
from selfheal.records.predictions import EPOCH, Prediction, moment_of, new_request_id, prediction_id, timestamp_of
from selfheal.stores.collection import Stores
from selfheal.stores.log_columns import BY_CLASS
from selfheal.stores.memory import MemoryBucket
from selfheal.stores.monitoring import SUMMARY
from tests.support.athena import Athena, is_like
from tests.support.small_life import CONTRACT, SmallLife

HIVE = {
    "string": "string",
    "large_string": "string",
    "double": "double",
    "int8": "tinyint",
    "timestamp[ms]": "timestamp",
}
MOMENT = datetime(2026, 5, 4, 10, 30, tzinfo=UTC)
TODAY = "2026-05-05"


@pytest.fixture(scope="module")
def athena(small_life: SmallLife, tmp_path_factory: pytest.TempPathFactory) -> Athena:
    return Athena(small_life.stores, CONTRACT, tmp_path_factory.mktemp("life"))


@pytest.fixture(scope="module")
def labelled(small_life: SmallLife) -> pd.DataFrame:
    """The labelled predictions of that life, read as the service reads them."""
    start, end = small_life.now - timedelta(days=30), small_life.now
    rows = small_life.stores.history.window(start, end, CONTRACT)
    labels = small_life.stores.labels.of_predictions_between(start, end)
    frame = pd.DataFrame({"probability": rows.probabilities, "prediction": rows.predictions, **rows.features})
    frame["label"] = [labels[key].label if key in labels else None for key in rows.prediction_ids]
    return frame[frame["label"].notna()].astype({"label": int})


def asked(athena: Athena, contract: Contract, name: str, *parameters: str, today: str) -> pd.DataFrame:
    (query,) = [query for query in queries_of(contract) if query.name == name]
    return athena.ask(query.sql, *parameters, today=today)


def of_life(athena: Athena, life: SmallLife, name: str, *parameters: str) -> pd.DataFrame:
    return asked(athena, CONTRACT, name, *parameters, today=f"{life.now:%Y-%m-%d}")


# The catalogue


def bodies_of(stores: Stores, table: Table) -> Iterator[bytes]:
    bucket = {"data": stores.data, "registry": stores.registry_bucket}[table.bucket]
    for key in bucket.keys(table.prefix):
        if body := bucket.get(key).body:
            yield body


def check_types(stores: Stores, contract: Contract) -> None:
    """Hold every file of every table against the table's columns."""
    for table in tables_of(contract):
        bodies = list(bodies_of(stores, table))
        assert bodies, table.name
        for body in bodies:
            if table.format is PARQUET:
                check_parquet(body, table)
                continue
            for text in body.splitlines() if table.format is JSON_LINES else [body]:
                check_json(json.loads(text), table)


def check_parquet(body: bytes, table: Table) -> None:
    schema = pq.read_schema(io.BytesIO(body))
    written = {field.name.lower(): HIVE[str(field.type)] for field in schema if not field.name.startswith(BY_CLASS)}
    assert written.items() <= table.columns.items()


def check_json(record: dict, table: Table) -> None:
    assert set(record) == set(table.columns), table.name
    for name, kind in table.columns.items():
        assert is_like(record[name], kind), (table.name, name, record[name])


def test_every_file_of_a_life_is_as_the_catalogue_says(small_life: SmallLife):
    """Predictions, labels, runs and ledger: each column has the type that Glue is told, and none is missing there."""
    check_types(small_life.stores, CONTRACT)


def test_an_hour_without_any_value_of_a_category_has_no_numbers_in_its_place():
    """Nor an id column without a type: Athena refuses a file whose column is of another type than the table's."""
    stores = made_up("binary", [1, 0], [0.8, 0.3], [1, 0], groups=[None, None])
    check_types_of_predictions(stores, contract_of("binary"))
    (body,) = bodies_of(stores, tables_of(contract_of("binary"))[0])
    assert "group" not in pq.read_schema(io.BytesIO(body)).names
    assert (
        stores.history.window(MOMENT, MOMENT + timedelta(hours=1), contract_of("binary")).features["group"].isna().all()
    )


def check_types_of_predictions(stores: Stores, contract: Contract) -> None:
    predictions, labels, *_ = tables_of(contract)
    for body in bodies_of(stores, predictions):
        check_parquet(body, predictions)
    for body in bodies_of(stores, labels):
        for line in body.splitlines():
            check_json(json.loads(line), labels)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["a", "A"], "differs from another in case alone"),
        (["dt"], "column of days"),
        (["a,b"], "comma"),
        (["é" * 200], "longer than 255 bytes"),
    ],
)
def test_features_that_cannot_be_columns_are_refused_by_name(names: list[str], said: str):
    """At synthesis, with what to do: not by Athena, months later."""
    features = "".join(f'[features."{name}"]\ntype = "number"\n' for name in names)
    with pytest.raises(ContractInvalid, match=f"features.{names[0]}.*{said}.*`queries`"):
        tables_of(parse_contract(f'[model]\nname = "m"\ntarget = "y"\n{features}'))


def test_a_record_that_no_column_can_hold_is_an_error_of_the_programmer():
    """A later field of a kind that Hive has no type for stops the synthesis instead of being left out."""
    with pytest.raises(TypeError, match="no type of Hive's"):
        type_of(bytes)
    with pytest.raises(TypeError, match="several types"):
        type_of(int | str)


# The queries, on the life


def test_traffic_by_version_counts_every_closed_hour(athena: Athena, small_life: SmallLife):
    """Days and versions as the log has them; the shares of a day add up to one."""
    found = of_life(athena, small_life, "traffic_by_version")
    rows = small_life.stores.history.window(small_life.now - timedelta(days=30), small_life.now, CONTRACT)
    is_closed = rows.timestamps < np.datetime64("2026-03-04T04:00")
    expected = pd.Series(rows.model_versions[is_closed]).groupby(rows.timestamps[is_closed].astype("datetime64[D]"))
    counted = {(f"{day:%Y-%m-%d}", version): n for (day, version), n in expected.value_counts().items()}
    assert dict(zip(zip(found["day"], found["version"], strict=True), found["predictions"], strict=True)) == counted
    assert found.groupby("day")["share"].sum().to_numpy() == pytest.approx(1)


def test_accuracy_by_segment_is_what_the_service_measures(athena: Athena, small_life: SmallLife, labelled):
    """Accuracy, F1 and Brier score of each group and of all, on the labels that hold."""
    found = of_life(athena, small_life, "accuracy_by_segment").set_index("value")
    for value, rows in [("(all)", labelled), *labelled.groupby("group")]:
        hits = (rows["prediction"] & rows["label"]).sum()
        said = found.loc[value]
        assert said["labelled"] == len(rows)
        assert said["accuracy"] == pytest.approx((rows["prediction"] == rows["label"]).mean())
        assert said["f1"] == pytest.approx(2 * hits / (rows["prediction"].sum() + rows["label"].sum()))
        assert said["brier"] == pytest.approx(((rows["probability"] - rows["label"]) ** 2).mean())


def test_drift_by_day_is_what_the_runs_wrote(athena: Athena, small_life: SmallLife):
    """Runs with drift, the largest share, and the features of that run, as in the summaries of the day."""
    found = of_life(athena, small_life, "drift_by_day").set_index("day")
    store = small_life.stores.monitoring
    runs = [DriftSummary.model_validate_json(store.read(key)) for key in store.keys("") if key.endswith(SUMMARY)]
    assert found["runs"].sum() == len(runs)
    for day, row in found.iterrows():
        of_day = [run for run in runs if f"{run.timestamp:%Y-%m-%d}" == day]
        assert row["with_drift"] == sum(bool(run.dataset_drift_detected) for run in of_day)
        assert row["largest_drift_share"] == max(run.drift_share or 0 for run in of_day)
        assert row["healings"] == sum(run.healing.started for run in of_day)
    assert list(found.loc["2026-03-02", "drifted_features"]) == ["x"]


def test_labels_delay_is_told_by_day(athena: Athena, small_life: SmallLife):
    """Labels come at the end of the second hour after the answer: all of full days are there, and none took longer."""
    found = of_life(athena, small_life, "label_delay").set_index("day")
    assert found.loc["2026-03-02", ["predictions", "labelled", "coverage"]].tolist() == [600, 600, 1]
    assert found.loc["2026-03-02", "median_hours"] == pytest.approx(2.78, abs=0.01)
    assert found.loc["2026-03-02", "longest_hours"] == pytest.approx(3, abs=0.02)
    assert found.loc["2026-03-04", "coverage"] < 1


def test_the_history_of_a_prediction_is_whole(athena: Athena, small_life: SmallLife):
    """Its version came, it was answered, labelled, its version went: in the order of time, from three tables."""
    key = next(key for key in small_life.stores.data.keys("predictions/dt=2026-03-02/hh=04"))
    asked_for = prediction_id(key.rpartition("/")[2].removesuffix(".jsonl"), 0)
    (label,) = [
        label
        for label in small_life.stores.labels.of_predictions_between(START, small_life.now).values()
        if label.prediction_id == asked_for
    ]
    found = of_life(athena, small_life, "prediction_history", asked_for)
    assert found["event"].tolist() == ["version came", "answered", "labelled", "version went"]
    assert found["happened_at"].is_monotonic_increasing
    assert found["happened_at"][1] == moment_of(asked_for).replace(tzinfo=None)
    assert found["detail"][2].startswith(f"{label.label} as of ")
    assert found["detail"][3].startswith("promote of ")


START = datetime(2026, 3, 1, tzinfo=UTC)


@given(st.integers(0, 180 * 366))
def test_the_day_of_an_id_is_the_folder_that_it_lies_in(days: int):
    """The first ten digits of an id, taken apart in SQL, name the day that its log object is filed under."""
    for moment in (EPOCH + timedelta(days=days), EPOCH + timedelta(days=days + 1, milliseconds=-1)):
        asked_for = prediction_id(new_request_id(moment), 3)
        found = duckdb.sql(f"SELECT {day_of_id('id')} AS day FROM (SELECT '{asked_for}' AS id)")  # noqa: S608
        assert found.fetchall() == [(f"{moment:%Y-%m-%d}",)]


# The queries, for every kind of target

AGES = (20, 30, 44.5, 60)


def contract_of(task: str) -> Contract:
    return parse_contract(f"""
[model]
name = "small"
target = "y"
task = "{task}"
[features.Age]
type = "integer"
[features.label]
type = "boolean"
nullable = true
[features.group]
type = "category"
nullable = true
[[segments]]
feature = "Age"
edges = [30, 45]
[[segments]]
feature = "label"
[[segments]]
feature = "group"
""")


def made_up(task, predictions, probabilities, labels, groups=("a", "a'b", None, "a")) -> Stores:
    """Some answered rows of one hour, rolled up, with their labels: first a wrong one for each, then the right one."""
    stores = Stores(MemoryBucket(), MemoryBucket())
    request = new_request_id(MOMENT)
    rows = [
        Prediction(
            prediction_id=prediction_id(request, place),
            id=None,
            timestamp=timestamp_of(moment_of(request)),
            model_version="v1",
            probability=probability,
            prediction=prediction,
            features={"Age": age, "label": age > 40 if age != 30 else None, "group": group},
        )
        for place, (prediction, probability, group, age) in enumerate(
            zip(predictions, probabilities, groups, AGES[: len(groups)], strict=True)
        )
    ]
    stores.prediction_log.append(request, rows)
    stores.rollups.roll_up(MOMENT.replace(minute=0), stores.data.keys("predictions/"))
    wrong = [1 - label for label in labels] if task == "binary" else labels[::-1]
    for said, hours in ((wrong, 2), (labels, 5)):
        moment = MOMENT + timedelta(hours=hours)
        stores.labels.accept(
            Label(prediction_id=row["prediction_id"], label=label, label_timestamp=moment, received_at=moment)
            for row, label in zip(rows, said, strict=True)
        )
    return stores


def answers(tmp_path: Path, task: str, name: str, stores: Stores) -> dict[tuple[str, str], dict]:
    """What a query says of each group."""
    check_types_of_predictions(stores, contract_of(task))
    for prefix, body in (("monitoring/runs/dt=2026-05-04/1.json", b"{}"), ("ledger/1.json", b"{}")):
        (stores.data if prefix.startswith("monitoring") else stores.registry_bucket).put(prefix, body)
    found = asked(Athena(stores, contract_of(task), tmp_path), contract_of(task), name, today=TODAY)
    keys = ["segment", "value", *(["predicted"] if "predicted" in found else [])]
    return found.set_index(keys).to_dict("index")


def test_segments_have_the_groups_of_gate_six(tmp_path: Path):
    """Bins hold their lower edge, missing values are a group of their own, and quotes in a value are only quotes."""
    stores = made_up("binary", [1, 0, 1, 1], [0.9, 0.2, 0.7, 0.6], [1, 0, 0, 1])
    found = answers(tmp_path, "binary", "positive_rate_by_segment", stores)
    assert {key: group["predictions"] for key, group in found.items()} == {
        ("(all)", "(all)"): 4,
        ("Age", "below 30"): 1,
        ("Age", "30 to 45"): 2,
        ("Age", "from 45"): 1,
        ("label", "0.0"): 1,
        ("label", "1.0"): 2,
        ("label", "missing"): 1,
        ("group", "a"): 2,
        ("group", "a'b"): 1,
        ("group", "missing"): 1,
    }
    assert found["Age", "30 to 45"]["positive_rate"] == 0.5
    assert found["Age", "30 to 45"]["mean_probability"] == pytest.approx(0.45)


def test_of_a_predictions_labels_the_newest_is_judged(tmp_path: Path):
    """Each prediction counts once, against the label that holds: three of four are right, two of three hits."""
    stores = made_up("binary", [1, 0, 1, 1], [0.9, 0.2, 0.7, 0.6], [1, 0, 0, 1])
    everybody = answers(tmp_path, "binary", "accuracy_by_segment", stores)["(all)", "(all)"]
    assert everybody["labelled"] == 4
    assert everybody["accuracy"] == 0.75
    assert everybody["f1"] == pytest.approx(0.8)
    assert everybody["brier"] == pytest.approx((0.01 + 0.04 + 0.49 + 0.16) / 4)


def test_of_several_classes_shares_and_accuracy_are_told(tmp_path: Path):
    """Each class's share of a group's answers, and how many of them were right."""
    stores = made_up("multiclass", ["low", "low", "high", "low"], [0.9, 0.5, 0.7, 0.6], ["low", "high", "high", "low"])
    shares = answers(tmp_path, "multiclass", "positive_rate_by_segment", stores)
    assert shares["(all)", "(all)", "low"]["share"] == 0.75
    assert shares["Age", "30 to 45", "high"]["share"] == shares["Age", "30 to 45", "high"]["share_7_days"] == 0.5
    right = answers(tmp_path, "multiclass", "accuracy_by_segment", stores)
    assert right["(all)", "(all)"]["accuracy"] == 0.75
    assert right["group", "a'b"]["accuracy"] == 0


def test_of_numbers_means_and_errors_are_told(tmp_path: Path):
    """The mean of a group's answers, and how far they are from the truth."""
    stores = made_up("regression", [10.0, 20.0, 30.0, 40.0], [None] * 4, [12.0, 20.0, 30.0, 36.0])
    means = answers(tmp_path, "regression", "positive_rate_by_segment", stores)
    assert means["Age", "30 to 45"]["mean_prediction"] == 25
    errors = answers(tmp_path, "regression", "accuracy_by_segment", stores)["(all)", "(all)"]
    assert (errors["mae"], errors["mean_error"]) == (1.5, 0.5)
    assert errors["rmse"] == pytest.approx(np.sqrt(5))
