"""Shadow training over buckets in memory: which rows it takes, what it writes, and when it doesn't train."""

import time
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Lock
from typing import override

import numpy as np
import pytest

from selfheal.data.labels import TargetValues
from selfheal.data.parquet import fingerprint, from_parquet
from selfheal.errors import AccessRefused, StoreUnavailable, TrainerFailed, TrainingBudgetExceeded
from selfheal.models.trainer import Begin, TrainedModel
from selfheal.prefixes import PROGRESS
from selfheal.records.labels import Label
from selfheal.records.ledger import Decision
from selfheal.records.manifest import Lineage, Manifest
from selfheal.records.monitoring import FaultPeriod
from selfheal.records.pointer import Pointer
from selfheal.records.predictions import moment_of
from selfheal.stores.collection import Stores
from selfheal.stores.memory import MemoryBucket
from selfheal.tables.dataset import Dataset
from selfheal.training.parallel import in_parallel
from selfheal.usecases.heal.await_labels import await_labels
from selfheal.usecases.heal.conclude import promote_first
from selfheal.usecases.heal.members import trained_versions
from selfheal.usecases.heal.train_shadow import train_shadow
from selfheal.usecases.labels.labelled_rows import labelled_rows
from selfheal.usecases.registry.bootstrap import bootstrap
from selfheal.usecases.registry.train import reference_of, train_version
from tests.support.healing import CONTRACT, DAY, HOUR, START, healing_of, memory_stores, traffic, write_version
from tests.support.rows import MIXED, mixed_rows

NOW = START + 2 * DAY
BASE = Lineage(parent_version=None, execution=None, trigger="bootstrap")
VALUES = TargetValues("1", "0")


def write_base(stores: Stores, rows: Dataset, now: datetime = START) -> Manifest:
    return train_version(
        stores.models,
        rows,
        CONTRACT,
        version="v1",
        now=now,
        lineage=BASE,
        evaluation_from=None,
        label_values=VALUES,
    )


@pytest.fixture(scope="module")
def base_rows() -> Dataset:
    """600 labelled rows of the day before START, as a user's file would hold them."""
    from selfheal.usecases.labels.labelled_rows import labelled_window

    elsewhere = memory_stores()
    traffic(elsewhere, since=START - DAY, rows=600, slope=-2.0, seed=5)
    return labelled_window(elsewhere, CONTRACT, START - DAY, START).labelled


@pytest.fixture(scope="module")
def trained_once(base_rows: Dataset) -> Stores:
    stores = memory_stores()
    promote_first(stores, write_base(stores, base_rows), now=START, actor="test")
    return stores


@pytest.fixture
def stores(trained_once: Stores) -> Stores:
    """v1 trained on the base rows and in production since START; each test has a copy."""
    copied = memory_stores()
    for key in trained_once.registry_bucket.keys(""):
        copied.registry_bucket.put(key, trained_once.registry_bucket.get(key).body)
    return copied


def test_a_version_is_written_whole_and_says_what_it_is(stores: Stores, base_rows: Dataset):
    """Manifest, serving artefact, training set and reference are there; every hash holds; the rows are recoverable."""
    manifest = stores.models.manifest("v1")
    for name in ("model.json", "model.joblib", "training.parquet", "reference.parquet", "curves.json", "card.html"):
        assert stores.models.artefact(manifest, name)
    kept = from_parquet(stores.models.artefact(manifest, "training.parquet"), CONTRACT)
    assert fingerprint(kept) == manifest.data.fingerprint == fingerprint(base_rows.in_time_order())
    assert manifest.data.rows == 600
    assert {"brier", "f1", "roc_auc", "log_loss"} <= manifest.metrics.keys()
    assert {"python", "scikit-learn"} <= manifest.libraries.keys()
    assert sum(candidate.chosen for candidate in manifest.candidates) == 1


def test_training_again_with_the_same_rows_changes_nothing(stores: Stores, base_rows: Dataset):
    """A retry finds the same bytes under the same names."""
    before = {key: stores.registry_bucket.get(key).body for key in stores.registry_bucket.keys("models/")}
    write_base(stores, base_rows)
    assert {key: stores.registry_bucket.get(key).body for key in stores.registry_bucket.keys("models/")} == before


def test_the_model_card_shows_what_was_chosen_and_loads_nothing(stores: Stores):
    """One self-contained page with the version, every candidate, its drawings and no address to fetch from."""
    manifest = stores.models.manifest("v1")
    page = stores.models.artefact(manifest, "card.html").decode()
    assert "v1" in page
    assert all(candidate.name in page for candidate in manifest.candidates)
    assert "the chosen one has brier 0." in page
    assert page.count("<svg") == 3
    assert "http" not in page
    assert "src=" not in page


def test_a_crash_before_the_manifest_is_mended_by_training_again(stores: Stores, base_rows: Dataset):
    """Artefacts without a manifest are no version; the second run completes it."""
    half = memory_stores()
    for key in stores.registry_bucket.keys("models/"):
        if not key.endswith(("manifest.json", "manifest.sha256")):
            half.registry_bucket.put(key, stores.registry_bucket.get(key).body)
    assert list(half.models.versions()) == []
    assert write_base(half, base_rows, now=START + DAY).artefacts == stores.models.manifest("v1").artefacts


def test_what_a_broken_pipeline_made_teaches_and_judges_nobody(stores: Stores):
    """Labelled rows of a fault period are in no training set and among no evaluation rows; the wait says so."""
    ids = traffic(stores, since=START, rows=1500)
    stores.fault_periods.add(FaultPeriod(start=START + 2 * HOUR, end=START + 4 * HOUR, faults=("unit_change x",)))
    stores.fault_periods.add(FaultPeriod(start=START + DAY, end=START + DAY + HOUR / 2, faults=("unit_change x",)))
    healing = healing_of(stores, started_at=NOW)
    training = train_shadow(stores, healing, NOW)
    manifest = stores.models.manifest(training.version)
    taught = from_parquet(stores.models.artefact(manifest, "training.parquet"), CONTRACT)
    minutes = {ids.index(row) for row in taught.row_ids if row in ids}
    assert {119, 240} <= minutes
    assert not minutes & set(range(120, 240))
    assert "predictions left out: the data pipeline was broken" in await_labels(stores, healing, training, NOW).reason


def test_the_shadow_learns_from_base_and_newly_labelled_rows(stores: Stores):
    """Its training set is production's plus every labelled row before the evaluation rows, and nothing newer."""
    traffic(stores, since=START, rows=1500)
    training = train_shadow(stores, healing_of(stores, started_at=NOW), NOW)
    assert training.outcome == "trained"
    manifest = stores.models.manifest(training.version)
    rows = from_parquet(stores.models.artefact(manifest, "training.parquet"), CONTRACT)
    newer = rows.timestamps >= START.replace(tzinfo=None)
    assert (~newer).sum() == 600
    assert 600 < newer.sum() < 1300
    assert manifest.data.newest < manifest.evaluation_from
    assert manifest.lineage.parent_version == "v1"
    assert manifest.lineage.execution == "v1-0"


def test_a_version_that_cannot_be_read_is_no_member(stores: Stores):
    """Somebody damaged its manifest: the ones before it answer in its place."""
    write_version(stores, "v2", slope=3.0)
    stores.registry_bucket.put("models/v2/manifest.json", b"{}")
    assert [one.version for one in trained_versions(stores, CONTRACT)] == ["v1"]


def test_asking_again_for_one_healing_returns_the_version_that_is_there(stores: Stores):
    """Also when more labels have come meanwhile: a healing trains once."""
    traffic(stores, since=START, rows=1000)
    healing = healing_of(stores, started_at=NOW)
    first = train_shadow(stores, healing, NOW)
    traffic(stores, since=NOW, rows=500, seed=9)
    again = train_shadow(stores, healing, NOW + DAY)
    assert again.version == first.version
    assert len(list(stores.models.versions())) == 2


def test_labels_that_came_late_are_learnt_from(stores: Stores):
    """A row that had no label when production was trained is in the next training set once it has one."""
    ids = traffic(stores, since=START, rows=300, label_delay=timedelta(days=3))
    traffic(stores, since=START + DAY, rows=1000, seed=1)
    training = train_shadow(stores, healing_of(stores, started_at=NOW), NOW + 2 * DAY)
    manifest = stores.models.manifest(training.version)
    rows = from_parquet(stores.models.artefact(manifest, "training.parquet"), CONTRACT)
    assert set(ids) <= set(rows.row_ids)
    assert len(set(rows.row_ids)) == len(rows)


def test_a_label_corrected_later_is_learnt_as_it_is_now(stores: Stores):
    """A row of production's training set whose label changed since carries the new one, and is counted."""
    ids = traffic(stores, since=START, rows=1000)
    first = stores.models.manifest(train_shadow(stores, healing_of(stores, started_at=NOW), NOW).version)
    old = from_parquet(stores.models.artefact(first, "training.parquet"), CONTRACT)
    corrected = dict(zip(old.row_ids, old.labels, strict=True))[ids[0]] ^ 1
    label = Label(prediction_id=ids[0], label=corrected, label_timestamp=NOW, received_at=NOW)
    stores.labels.accept([label])
    pointer = Pointer(version=first.version, promoted_at=NOW, previous_version="v1", decision_id="d")
    stores.registry_bucket.put("pointers/production.json", pointer.to_json())
    traffic(stores, since=NOW + timedelta(hours=1), rows=1000, seed=4)
    later = NOW + 2 * DAY
    second = train_shadow(stores, healing_of(stores, "second-0", started_at=later), later)
    manifest = stores.models.manifest(second.version)
    new = from_parquet(stores.models.artefact(manifest, "training.parquet"), CONTRACT)
    assert dict(zip(new.row_ids, new.labels, strict=True))[ids[0]] == corrected
    assert manifest.data.relabelled == 1
    assert manifest.data.repeated == first.data.rows - 600 - 1
    assert len(set(new.row_ids)) == len(new)


def test_too_few_new_labels_end_in_a_skip_that_says_so(stores: Stores):
    """Nothing is written; the reason counts what there is and what is needed."""
    traffic(stores, since=START, rows=150)
    training = train_shadow(stores, healing_of(stores, started_at=NOW), NOW)
    assert training.outcome == "skip"
    assert "150 labelled rows" in training.reason
    assert list(stores.models.versions()) == ["v1"]


def test_a_healing_within_the_cooldown_is_skipped_before_training(stores: Stores):
    """A promotion a day ago forbids the next one: the training is spared."""
    traffic(stores, since=START, rows=1000)
    promoted = Decision(
        decision_id="d",
        kind="promote",
        decided_at=NOW - DAY,
        version="v1",
        previous_version="v0",
        reason="",
        trigger="",
        actor="test",
    )
    stores.ledger.append_decision(promoted)
    training = train_shadow(stores, healing_of(stores, started_at=NOW), NOW)
    assert training.outcome == "skip"
    assert "cooldown" in training.reason


def test_a_run_out_of_budget_is_a_failed_outcome(stores: Stores):
    """The healing ends by name, not by a timeout."""

    def check() -> None:
        raise TrainingBudgetExceeded("training took too long")

    traffic(stores, since=START, rows=1000)
    training = train_shadow(stores, healing_of(stores, started_at=NOW), NOW, check_budget=check)
    assert (training.outcome, training.reason) == ("failed", "training took too long")


class _Watched(MemoryBucket):
    """Keeps every step that is told; `refuses` what is raised instead."""

    def __init__(self, refuses: StoreUnavailable | None = None) -> None:
        super().__init__()
        self.steps, self._refuses = [], refuses

    @override
    def put(self, key: str, body: bytes) -> str:
        if key.startswith(PROGRESS):
            if self._refuses:
                raise self._refuses
            self.steps.append(body.decode())
        return super().put(key, body)


def test_whoever_watches_sees_at_which_step_a_training_is(stores: Stores):
    """Reading, looking for a break, comparing, fitting, exporting, in this order; the last step is kept."""
    watched = Stores(_Watched(), stores.registry_bucket)
    traffic(watched, since=START, rows=1000)
    healing = healing_of(watched, started_at=NOW)
    assert train_shadow(watched, healing, NOW).outcome == "trained"
    steps = list(dict.fromkeys(step.split()[0] for step in watched.data.steps))
    assert steps == ["reading", "looking", "comparing", "fitting", "exporting"]
    assert watched.progress.read(healing.execution) == watched.data.steps[-1]
    assert watched.progress.read("another") is None


class _Slow(_Watched):
    """Takes a while to write a step; `overlaps` are those that another one was being written beside."""

    def __init__(self) -> None:
        super().__init__()
        self.overlaps, self._free = [], Lock()

    @override
    def put(self, key: str, body: bytes) -> str:
        if not self._free.acquire(blocking=False):
            self.overlaps.append(body)
            return super().put(key, body)
        try:
            time.sleep(0.01)
            return super().put(key, body)
        finally:
            self._free.release()


def test_steps_of_fits_beside_each_other_are_told_one_after_the_other(stores: Stores):
    """Two writes of one object at once end in either order, and the step that began first would stay."""

    def fit(*_: object, begin: Begin, **__: object) -> TrainedModel:
        in_parallel(begin, [f"fitting {number}" for number in range(8)], at_a_time=4)
        raise TrainerFailed("enough")

    slow = Stores(_Slow(), stores.registry_bucket)
    traffic(slow, since=START, rows=1000)
    train_shadow(slow, healing_of(slow, started_at=NOW), NOW, fit=fit)
    assert sorted(slow.data.steps[-8:]) == [f"fitting {number}" for number in range(8)]
    assert slow.data.overlaps == []


def test_a_step_that_can_not_be_told_ends_no_training_but_a_right_that_lacks_is_seen(stores: Stores):
    """S3 may be away for a moment; permissions are to be mended."""
    for refusal, ends in ((AccessRefused("no right"), True), (StoreUnavailable("away"), False)):
        unseen = Stores(_Watched(refusal), stores.registry_bucket)
        traffic(unseen, since=START, rows=1000)
        with pytest.raises(AccessRefused) if ends else nullcontext():
            assert train_shadow(unseen, healing_of(unseen, started_at=NOW + DAY), NOW).outcome == "trained"


def test_a_trainer_of_ones_own_that_fails_is_a_failed_outcome(stores: Stores):
    """The healing ends by name and place, and production stays."""

    def fit(*_: object, **__: object) -> TrainedModel:
        raise TrainerFailed("trainer mine.code:fit failed with ValueError at code.py:3")

    traffic(stores, since=START, rows=1000)
    before = stores.pointer.read().pointer.version
    training = train_shadow(stores, healing_of(stores, started_at=NOW), NOW, fit=fit)
    assert (training.outcome, "code.py:3" in training.reason) == ("failed", True)
    assert stores.pointer.read().pointer.version == before


def test_the_reference_is_a_seeded_sample_in_order():
    """At most 30,000 rows, the same for the same seed, oldest first."""
    rows = mixed_rows(30_500)
    reference = reference_of(rows, 1)
    assert len(reference) == 30_000
    assert (reference.timestamps[1:] > reference.timestamps[:-1]).all()
    assert fingerprint(reference) == fingerprint(reference_of(rows, 1)) != fingerprint(reference_of(rows, 2))
    assert reference_of(reference, 1) is reference
    assert list(reference.features) == list(MIXED.feature_names)


def test_a_row_of_the_year_9999_in_production_s_training_set_ends_no_healing(base_rows: Dataset):
    """No time of a user's file is a watermark: the next version learns, and later rows judge it."""
    stores = memory_stores()
    last = np.arange(len(base_rows)) == len(base_rows) - 1
    far = replace(base_rows, timestamps=np.where(last, np.datetime64("9999-12-31", "us"), base_rows.timestamps))
    promote_first(stores, write_base(stores, far), now=START, actor="test")
    traffic(stores, since=START, rows=1500)
    training = train_shadow(stores, healing_of(stores, started_at=NOW), NOW)
    assert training.outcome == "trained"
    manifest = stores.models.manifest(training.version)
    assert manifest.evaluation_from is not None
    assert START < manifest.data.newest < manifest.evaluation_from


def test_of_more_rows_than_the_contract_wants_a_sample_trains(base_rows: Dataset):
    """The newest half whole, thinned before that: the manifest, the card and the healing say so."""
    retraining = CONTRACT.policy.retraining.model_copy(update={"maximum_rows": 1000})
    contract = CONTRACT.with_policy(CONTRACT.policy.model_copy(update={"retraining": retraining}))
    stores = memory_stores()
    bootstrap(stores, base_rows, contract, VALUES, now=START, actor="test")
    ids = traffic(stores, since=START, rows=1500)
    healing = healing_of(stores, started_at=NOW)
    training = train_shadow(stores, healing, NOW)
    manifest = stores.models.manifest(training.version)
    assert manifest.data.rows == 1000
    judging = sum(moment >= manifest.evaluation_from for moment in map(moment_of, ids))
    assert manifest.data.sampling.held == 600 + len(ids) - judging
    assert f"1000 of {manifest.data.sampling.held} rows" in training.reason
    assert f"a sample of {manifest.data.sampling.held}" in stores.models.artefact(manifest, "card.html").decode()
    taught = from_parquet(stores.models.artefact(manifest, "training.parquet"), contract)
    newest = taught.timestamps >= np.datetime64(manifest.data.sampling.whole_from.replace(tzinfo=None))
    assert newest.sum() == 500
    assert (np.diff(taught.timestamps[newest]) == np.timedelta64(1, "m")).all()


def test_reading_labelled_rows_holds_no_more_than_the_sample_and_a_day(stores: Stores):
    """Of four days of 1,440 rows never more than a day and twice the sample are together; the sample is that of all."""
    traffic(stores, since=START, rows=4 * 1440)
    asked: list[int] = []

    def newest_hundred(rows: Dataset):
        asked.append(len(rows))
        return rows.timestamps > rows.timestamps.max() - 100 * np.timedelta64(1, "m")

    found = labelled_rows(stores, CONTRACT, START, START + 4 * DAY, kept=newest_hundred)
    assert max(asked) <= 1440 + 200
    assert found.row_ids.tolist() == labelled_rows(stores, CONTRACT, START, START + 4 * DAY).row_ids[-100:].tolist()
