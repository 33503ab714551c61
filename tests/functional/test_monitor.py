"""Monitoring runs over buckets in memory: what is written, told and started, as a credit world goes its way."""

import json
from collections.abc import Iterator
from datetime import datetime

import numpy as np
import pytest

from selfheal.errors import NoProductionModel, ReferenceTampered, StoreUnavailable
from selfheal.models.formats import WRITTEN
from selfheal.records.artefacts import REFERENCE
from selfheal.records.healing import Verdict
from selfheal.records.ledger import Decision, Evidence
from selfheal.records.monitoring import FaultPeriod
from selfheal.records.predictions import new_request_id
from selfheal.stores.collection import Stores
from selfheal.stores.memory import MemoryBucket
from selfheal.stores.monitoring import SUMMARY
from selfheal.stores.prediction_log import log_key
from selfheal.usecases.heal.conclude import conclude
from selfheal.usecases.monitor.monitor import monitor
from selfheal_tools.simulation.credit import Phase, credit_rows
from tests.support.healing import FakeExecutions, FakeNotifications, healing_of, memory_stores
from tests.support.monitoring import HOUR, START, VERSION, CreditWorld, calm_fortnight, copy_of, trained_registry

NAMED_FIELDS = [
    "timestamp",
    "reference_metadata",
    "dataset_drift_detected",
    "drift_share",
    "num_drifted_features",
    "num_features_total",
    "num_features_evaluated",
    "num_features_excluded",
    "excluded_features",
    "features",
]
FEATURE_FIELDS = ["feature", "drift_detected", "stat_test", "p_value", "threshold", "drift_score"]


def refused(now: datetime, newest: datetime) -> Decision:
    """A shadow model of this production version that the gates refused; `newest` is the newest row that judged it."""
    return Decision(
        decision_id="v1-0",
        kind="reject",
        decided_at=now,
        version="v2",
        previous_version=VERSION,
        reason="1 of 7 gates failed",
        trigger="growth",
        actor="state machine",
        evidence=Evidence(key="evidence", sha256="0" * 64, rows=400, oldest=newest - 10 * HOUR, newest=newest),
    )


def test_too_little_data_is_said_and_nothing_else_happens():
    """Below the minimum the verdict is "not enough data", never "no drift"; nobody is told."""
    world = CreditWorld()
    world.hours(3)
    summary = world.summary(world.run())
    assert summary.verdict == "not_enough_data"
    assert summary.dataset_drift_detected is None
    assert "120 predictions" in summary.sentence
    assert not world.notifications.sent
    assert not world.executions.started


def test_a_calm_world_starts_nothing_and_tells_nobody():
    """Two unchanged days, looked at now and then by an hourly schedule: no drift, no decay, no message, no healing."""
    world = CreditWorld()
    verdicts = []
    for _ in range(8):
        world.hours(6)
        verdicts.append(world.run().verdict)
    assert set(verdicts) == {"no_drift"}
    assert not world.notifications.sent
    assert not world.executions.started


def test_the_summary_holds_the_named_fields_first():
    """Whoever reads `summary.json` finds the ten fields, and six for each feature, in their order."""
    world = CreditWorld()
    world.hours(24)
    result = world.run()
    content = json.loads(world.stores.monitoring.read(result.summary))
    assert list(content)[:10] == NAMED_FIELDS
    assert [list(feature)[:6] for feature in content["features"]] == [FEATURE_FIELDS] * 10
    assert content["num_features_total"] == content["num_features_evaluated"] == 10
    assert content["reference_metadata"]["version"] == VERSION
    assert content["proxy"][2]["num_predictions"] == 24 * 40
    assert content["performance"]["metrics"]["brier"]["low"] < content["performance"]["metrics"]["brier"]["value"]


class Counting(MemoryBucket):
    """Keeps the prefixes that are listed."""

    def __init__(self) -> None:
        super().__init__()
        self.listed: list[str] = []

    def keys(self, prefix: str, start_after: str = "") -> Iterator[str]:
        self.listed.append(prefix)
        return super().keys(prefix, start_after)


@pytest.mark.parametrize("phase", [Phase.CALM, Phase.CHANGED_RISK])
def test_a_run_reads_the_ledger_once(phase: Phase):
    """All that it does rests on one story, whether it starts a healing or nothing."""
    world = CreditWorld(Stores(MemoryBucket(), copy_of(trained_registry(), Counting())))
    world.hours(24, phase=phase, rows=60)
    world.stores.registry_bucket.listed.clear()
    is_healing = world.summary(world.run()).healing.started
    assert is_healing == (phase is Phase.CHANGED_RISK)
    assert world.stores.registry_bucket.listed.count("ledger/") == 1


def test_decay_is_seen_however_late_the_labels_come():
    """Where truth takes forty days the run still judges by the newest labels that there are, and heals."""
    world = CreditWorld()
    world.hours(24, phase=Phase.CHANGED_RISK, rows=60, label_delay=40 * 24)
    world.now += 40 * 24 * HOUR
    world.deliver(40 * 24 * HOUR)
    summary = world.summary(world.run())
    assert summary.decay.decayed
    assert summary.coverage.labelled == 24 * 60
    assert summary.healing.started


def test_people_are_told_once_of_hours_that_stay_open():
    """A log object that can't be read leaves its hour open: after a day one message says so, and no second one."""
    world = CreditWorld()
    world.stores.data.put(log_key(new_request_id(START)), b"not JSON")
    for _ in range(3):
        world.hours(13)
        world.run()
    ((_, body),) = world.notifications.sent
    assert "1 hour(s) of the log can't be rolled up" in body


def test_enough_new_truth_is_reason_for_a_trial_once_the_model_is_a_week_old():
    """Nothing is wrong, but a twentieth as many rows as taught the model are newly labelled: the gates may decide."""
    world = CreditWorld()
    world.hours(6 * 24, rows=20)
    assert not world.summary(world.run()).healing.started
    world.hours(26, rows=20)
    summary = world.summary(world.run())
    assert (summary.verdict, summary.healing.started) == ("no_drift", True)
    assert world.executions.started[0].trigger.kind == "growth"
    assert "rows were labelled since" in summary.healing.reason


@pytest.mark.slow
def test_a_trial_uses_up_the_labels_that_it_had_and_not_those_that_came_later():
    """Labels come ten days late: after a refused trial the next is due once newer ones are labelled."""
    world = calm_fortnight().clone()
    world.hours(10 * 24, rows=10, label_delay=240)
    world.stores.ledger.append_decision(refused(world.now, newest=world.now - 240 * HOUR))
    world.hours(15, rows=10, label_delay=240)
    assert not world.summary(world.run()).healing.started
    world.hours(10, rows=10, label_delay=240)
    assert world.summary(world.run()).healing.started


def test_drift_whose_labels_are_far_away_keeps_no_trial_waiting():
    """Inputs drift and labels take ten days: what was labelled before is tried meanwhile."""
    world = calm_fortnight().clone()
    world.hours(4 * 24, rows=10, label_delay=240)
    world.hours(20, phase=Phase.STRESS, rows=40, label_delay=240)
    summary = world.summary(world.run())
    assert summary.dataset_drift_detected
    assert world.executions.started[0].trigger.kind == "growth"


def test_the_worse_a_model_has_become_the_fewer_labels_it_takes_to_act():
    """Labels that take ten days show a decay: 600 rows of the new world are enough, where 1,400 were waited for."""
    world = calm_fortnight().clone()
    world.hours(24, phase=Phase.CHANGED_RISK, rows=25, label_delay=240)
    world.now += 240 * HOUR
    world.deliver(240 * HOUR)
    world.run()
    assert world.executions.started[0].trigger.kind == "decay"


def test_inputs_are_judged_however_few_requests_a_day_there_are():
    """Two rows an hour are 48 in a day, and two hundred in four: the window reaches back as far as that takes."""
    world = CreditWorld()
    world.hours(5 * 24, phase=Phase.STRESS, rows=2, label_delay=None)
    summary = world.summary(world.run())
    assert summary.detection.n == 200
    assert summary.dataset_drift_detected


def test_stressed_inputs_start_one_healing_once_labels_of_them_are_there():
    """Drift alarms at once, waits for labels of the changed world, then starts exactly one healing."""
    world = CreditWorld()
    world.hours(24)
    world.run()
    world.hours(20, phase=Phase.STRESS)
    summary = world.summary(world.run())
    assert summary.dataset_drift_detected
    assert not summary.healing.started
    assert "waiting for labels" in summary.healing.reason
    assert len(world.notifications.sent) == 1
    for _ in range(5):
        world.hours(6, phase=Phase.STRESS, rows=120)
        world.run()
    (healing,) = world.executions.started
    assert healing.execution == f"{VERSION}-0"
    assert healing.trigger.run is not None


def test_changed_risk_is_found_by_labels_alone():
    """Inputs hold still and defaults follow other rules: the decay of the Brier score starts a healing."""
    world = CreditWorld()
    world.hours(24)
    for _ in range(6):
        world.hours(6, phase=Phase.CHANGED_RISK, rows=120)
        summary = world.summary(world.run())
    assert summary.verdict == "decay"
    assert summary.diagnosis.cause == "concept_drift"
    assert [healing.trigger.kind for healing in world.executions.started] == ["decay"]


def test_a_broken_pipeline_is_alarmed_and_never_trained_on():
    """Income in thousands is named within an hour; no healing starts while such rows are in the window."""
    world = CreditWorld()
    world.hours(30)
    world.run()
    world.hours(5, phase=Phase.BROKEN_PIPELINE)
    summary = world.summary(world.run())
    assert summary.verdict == "pipeline_fault"
    (period,) = world.stores.fault_periods.touching(START, world.now)
    assert (period.start, period.end) == (summary.window_start, summary.window_end)
    assert [(finding.kind, finding.feature) for finding in summary.findings] == [("unit_change", "MonthlyIncome")]
    world.hours(6)
    mended = world.summary(world.run())
    assert mended.verdict == "pipeline_fault"
    assert "was broken within the window" in mended.sentence
    assert not world.executions.started
    assert len(world.notifications.sent) == 1


def test_an_income_that_stops_arriving_is_a_broken_pipeline_and_no_drift():
    """Missing in every row of a whole window, all of them labelled: a fault, and no healing on such rows."""
    world = CreditWorld()
    for _ in range(26):
        features, labels = credit_rows(world.rng, 80)
        world.log(features.assign(MonthlyIncome=np.nan), labels)
        world.now += HOUR
    world.deliver(HOUR)
    summary = world.summary(world.run())
    assert [(f.kind, f.feature) for f in summary.findings] == [("missing_share", "MonthlyIncome")]
    assert summary.verdict == "pipeline_fault"
    assert not world.executions.started


def test_labels_that_come_late_for_what_a_broken_pipeline_made_judge_nobody():
    """Three days after income came in thousands its labels arrive: no decay, and no healing for it."""
    world = CreditWorld()
    world.hours(30, label_delay=72)
    world.run()
    world.hours(20, phase=Phase.BROKEN_PIPELINE, rows=80, label_delay=72)
    assert world.summary(world.run()).verdict == "pipeline_fault"
    world.hours(72, label_delay=None)
    world.deliver(72 * HOUR)
    summary = world.summary(world.run())
    assert summary.coverage.labelled > 0
    assert not summary.decay.decayed
    assert not world.executions.started


def test_a_message_is_sent_only_when_something_changed():
    """The same drift, seen again an hour later, is not told twice."""
    world = CreditWorld()
    world.hours(24)
    world.hours(16, phase=Phase.STRESS, label_delay=None)
    world.run()
    world.hours(1, phase=Phase.STRESS, label_delay=None)
    world.run()
    ((subject, body),) = world.notifications.sent
    assert subject.startswith("Inputs have drifted")
    assert "report.html" in body


def run_until_told(world: CreditWorld) -> None:
    """A run that can't send its message, its retry, and the run after that."""
    with pytest.raises(StoreUnavailable):
        world.run()
    world.notifications.down = False
    for _ in range(2):
        world.now += HOUR / 60
        world.run()


def test_drift_that_could_not_be_told_is_told_by_the_next_run():
    """SNS is down when drift is found: the run fails, its retry tells, and the run after that doesn't repeat it."""
    world = CreditWorld(notifications=FakeNotifications(down=True))
    world.hours(24, phase=Phase.STRESS, label_delay=None)
    run_until_told(world)
    ((subject, _),) = world.notifications.sent
    assert subject.startswith("Inputs have drifted")


def test_a_lost_healing_that_could_not_be_told_is_told_by_the_next_run():
    """SNS is down when a healing has timed out: the ledger waits for the message, and both come once."""
    world = CreditWorld(notifications=FakeNotifications(down=True))
    world.executions.statuses[f"{VERSION}-0"] = "TIMED_OUT"
    run_until_told(world)
    ((subject, body),) = world.notifications.sent
    assert subject == "selfheal: a healing ended without a decision"
    assert "TIMED_OUT" in body
    assert [decision.kind for decision in world.stores.ledger.decisions()] == ["bootstrap", "failed"]


def test_traffic_that_stops_is_told():
    """Hours of silence after a busy day are told once; the rows before them are as good as ever."""
    world = CreditWorld()
    for _ in range(6):
        world.hours(5)
        world.run()
    for _ in range(2):
        world.now += 6 * HOUR
        summary = world.summary(world.run())
        assert [finding.kind for finding in summary.findings] == ["stopped"]
        assert summary.verdict == "no_drift"
    ((subject, _),) = world.notifications.sent
    assert subject.startswith("no prediction for 6")
    assert not list(world.stores.fault_periods.touching(START, world.now))


def test_nights_without_traffic_alarm_nobody_and_condemn_no_day():
    """Three days of office hours: no message, no fault, and every labelled row may teach."""
    world = CreditWorld()
    for _ in range(3):
        world.hours(12, rows=80)
        for _ in range(4):
            world.now += 3 * HOUR
            assert world.summary(world.run()).findings == ()
    assert not world.notifications.sent
    assert not list(world.stores.fault_periods.touching(START, world.now))


def test_running_twice_for_one_moment_changes_nothing():
    """A retried run writes the same summary under the same key and starts nothing twice."""
    world = CreditWorld()
    world.hours(24)
    first = world.run()
    body = world.stores.monitoring.read(first.summary)
    assert world.run() == first
    assert world.stores.monitoring.read(first.summary) == body


def test_labels_for_a_part_of_the_rows_only_are_seen_as_biased():
    """Where only the young are labelled, the selection check says so and names age."""
    world = CreditWorld()
    for _ in range(30):
        features, labels = credit_rows(world.rng, 40)
        young = (features["age"] < 50).to_numpy()
        world.log(features[young], labels[young])
        world.now += HOUR / 60
        world.log(features[~young])
        world.now += HOUR * 59 / 60
        world.deliver(HOUR)
    coverage = world.summary(world.run()).coverage
    assert coverage.selection_p_value is not None
    assert coverage.selection_p_value < 1e-6
    assert coverage.selection_feature == "age"


def test_a_damaged_version_before_holds_up_no_monitoring():
    """v1 is damaged while v2 is on probation: hours are rolled up, drift is judged, and the damage is told once."""
    world = CreditWorld()
    promote_copy(world, "v2")
    registry = world.stores.registry_bucket
    assert isinstance(registry, MemoryBucket)
    registry.put(f"models/{VERSION}/{WRITTEN.file}", b"{}")
    for _ in range(2):
        world.hours(10)
        summary = world.summary(world.run())
        assert summary.verdict == "no_drift"
        assert [finding.kind for finding in summary.findings] == ["unjudged_probation"]
    ((subject, _),) = world.notifications.sent
    assert subject.startswith("the probation of v2 can't be judged")
    assert list(world.stores.data.keys("predictions-hourly/"))


def promote_copy(world: CreditWorld, version: str) -> None:
    """The same model under another name goes into production."""
    models = world.stores.models
    manifest = models.manifest(VERSION)
    artefacts = {name: models.artefact(manifest, name) for name in manifest.artefacts}
    models.write(manifest.model_copy(update={"version": version}), artefacts)
    verdict = Verdict(version=version, kind="promote", reason="all gates passed", gates=(), evidence=None)
    conclude(world.stores, healing_of(world.stores, f"{VERSION}-0", world.now), verdict, world.now)


def test_no_production_model_is_an_error_that_says_what_to_do():
    """An empty environment is told to bootstrap."""
    with pytest.raises(NoProductionModel, match="bootstrap"):
        monitor(memory_stores(), FakeExecutions(), FakeNotifications(), now=START, schedule_minutes=60)


def test_a_changed_reference_is_refused():
    """The frozen reference is verified on every read."""
    world = CreditWorld()
    world.hours(6)
    registry = world.stores.registry_bucket
    assert isinstance(registry, MemoryBucket)
    registry.put(f"models/{VERSION}/{REFERENCE}", b"other bytes")
    with pytest.raises(ReferenceTampered):
        world.run()


def test_runs_are_listed_apart_from_what_else_monitoring_keeps():
    """A fault was found, and a probation has judged rows: whoever looks for newer runs still finds them."""
    stores = CreditWorld().stores
    stores.fault_periods.add(FaultPeriod(start=START, end=START + HOUR, faults=("frozen age",)))
    stores.probations.write("promote-0", b"")
    keys = [stores.monitoring.write(START + hours * HOUR, SUMMARY, b"{}") for hours in (1, 2)]
    assert list(stores.monitoring.keys()) == keys
    assert list(stores.monitoring.keys(keys[0])) == keys[1:]
