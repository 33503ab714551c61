"""Quality, traffic, proxies, performance, decay, diagnosis, timeline and report: each part by itself."""

import io
import json
import re
from datetime import UTC, datetime, timedelta
from functools import partial
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from selfheal.contract import Contract, default_contract, parse_contract
from selfheal.drift import Reference
from selfheal.drift.impact import impacts, ranked
from selfheal.files.limits import LOCAL
from selfheal.files.table import Table, source_of, table_of
from selfheal.monitoring.answers import Answers
from selfheal.monitoring.diagnosis import diagnose
from selfheal.monitoring.offline import compare
from selfheal.monitoring.proxy_metrics import AnswersByAge, histogram_entropy, proxy_metrics
from selfheal.monitoring.timeline import MOST_POINTS, extended
from selfheal.monitoring.traffic import overdue, silence_until, traffic_findings, usual_volume
from selfheal.performance.decay import judge_decay, onset_of_decay
from selfheal.performance.estimated import Answered, estimated_performance
from selfheal.performance.realised import realised_performance
from selfheal.records.drift import FeatureDrift
from selfheal.records.monitoring import TimelinePoint
from selfheal.report import render_report
from selfheal.report.charts import over_time
from selfheal.tables.predictions import PredictionWindow
from selfheal.tables.sample import id_hashes
from selfheal.tasks import Scored
from selfheal.tasks.effective_rows import effective_rows
from selfheal.tasks.intervals import f1, proportion
from selfheal.tasks.reliability import expected_calibration_error
from selfheal_tools.simulation.credit import INCOME, Phase, credit_rows
from tests.support.drift import findings_of, judged
from tests.support.records import example_of

CONTRACT = default_contract()
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
COLOURS = parse_contract("""
[model]
name = "colours"
target = "y"
[features.closed]
type = "category"
categories = ["red", "blue"]
[features.open]
type = "category"
[features.amount]
type = "number"
nullable = true
""")


@pytest.fixture(scope="module")
def reference() -> Reference:
    return Reference(credit_rows(np.random.default_rng(0), 4000)[0], CONTRACT)


def window(seed: int = 1, rows: int = 1000) -> pd.DataFrame:
    return credit_rows(np.random.default_rng(seed), rows)[0]


def found(reference: Reference, rows: pd.DataFrame) -> dict[tuple[str, str | None], str]:
    return {(f.kind, f.feature): f.severity for f in findings_of(reference, rows)}


def test_sound_rows_have_no_finding(reference):
    """An unchanged window is whole; so is one that covariate stress moved."""
    assert found(reference, window()) == {}
    stressed = credit_rows(np.random.default_rng(2), 1000, Phase.STRESS)[0]
    assert found(reference, stressed) == {}


@pytest.mark.parametrize("factor", [1000, 12, 1 / 1000, 0.2])
def test_a_feature_in_another_unit_is_named_with_its_factor(reference, factor):
    """Scaling by a constant is a fault, and the constant is estimated; a rise of a quarter is left to drift."""
    rows = window()
    rows[INCOME] *= factor
    findings = findings_of(reference, rows)
    assert [(f.kind, f.feature, f.severity) for f in findings] == [("unit_change", INCOME, "fault")]
    assert findings[0].value == pytest.approx(factor, rel=0.1)
    assert found(reference, rows.assign(**{INCOME: window()[INCOME] * 1.25})) == {}


@pytest.mark.parametrize(("then", "now"), [(1e-300, 1e90), (1e90, 1e-300)])
def test_a_unit_is_named_though_its_factor_is_no_double(then, now):
    """From one end of the scale to the other: a fault with a finite number, and no overflow."""
    amounts = np.random.default_rng(11).uniform(1, 2, 500)
    before, after = (pd.DataFrame({"closed": "red", "open": "a", "amount": amounts * by}) for by in (then, now))
    (finding,) = findings_of(Reference(before, COLOURS), after)
    assert (finding.kind, finding.feature) == ("unit_change", "amount")
    assert 0 < finding.value < np.inf


def test_values_that_the_world_has_stretched_are_not_in_another_unit(reference):
    """Four times as high in the middle, but 2.4 times at the low end and 6.7 times at the high one: that is drift."""
    rows = window()
    ranks = rows[INCOME].rank(pct=True)
    assert found(reference, rows.assign(**{INCOME: rows[INCOME] * 2 ** (1.25 + 1.5 * ranks)})) == {}
    assert ("unit_change", INCOME) in found(reference, rows.assign(**{INCOME: rows[INCOME] * 4}))


def test_each_broken_thing_is_named(reference):
    """Values outside limits, of another type, missing, frozen, repeated."""
    rows = window()
    assert ("out_of_range", "DebtRatio") in found(reference, rows.assign(DebtRatio=-rows["DebtRatio"]))
    assert found(reference, rows.assign(age=rows["age"] + 0.5)) == {("wrong_type", "age"): "fault"}
    gone = rows.assign(**{INCOME: rows[INCOME].where(rows.index % 2 == 0)})
    assert found(reference, gone) == {("missing_share", INCOME): "fault"}
    assert found(reference, rows.assign(age=40.0)) == {("frozen_value", "age"): "fault"}
    repeated = pd.concat([rows.head(100)] * 10, ignore_index=True)
    assert found(reference, repeated)["duplicated_rows", None] == "fault"


@pytest.mark.parametrize("rows", [200, 1000])
def test_a_number_that_stops_arriving_is_a_fault(reference, rows):
    """Income is missing in every row, be it of the whole window or of its newest part."""
    gone = window(rows=rows).assign(**{INCOME: np.nan})
    (finding,) = findings_of(reference, window(), gone)
    assert (finding.kind, finding.feature, finding.severity) == ("missing_share", INCOME, "fault")
    assert finding.value == 1.0


def test_a_number_that_the_reference_never_held_is_no_fault():
    """Nobody knows what is usual of it: neither the same value in all rows nor its absence says anything."""
    base = pd.DataFrame({"closed": ["red", "blue"] * 250, "open": ["a", "b"] * 250, "amount": np.nan})
    known = Reference(base, COLOURS)
    assert findings_of(known, base.head(100), base.head(100).assign(amount=1.0)) == ()


def test_unseen_categories_are_a_fault_only_where_the_list_is_closed():
    """New values of an open feature are worth a warning; of a closed one they can't be."""
    rng = np.random.default_rng(3)
    base = pd.DataFrame(
        {
            "closed": rng.choice(["red", "blue"], 500),
            "open": rng.choice(["a", "b"], 500),
            "amount": rng.normal(size=500),
        }
    ).astype({"closed": object, "open": object})
    rows = base.assign(closed=["green"] * 50 + ["red"] * 450, open=["c"] * 100 + ["a"] * 400).astype(
        {"closed": object, "open": object}
    )
    findings = {f.kind + (f.feature or ""): f for f in findings_of(Reference(base, COLOURS), rows)}
    assert findings["unseen_categoriesclosed"].severity == "fault"
    assert findings["unseen_categoriesopen"].severity == "warning"
    assert findings["unseen_categoriesopen"].value == pytest.approx(0.2)


def test_no_finding_holds_a_value():
    """Findings are logged and mailed: a name that came in every row is counted, and stays where the data is."""
    base = pd.DataFrame({"closed": ["red", "blue"] * 250, "open": list("abcd") * 125, "amount": np.arange(500.0)})
    rows = base.assign(open="Jane Doe, 12 Elm St", amount=1234567.0)
    findings = {(f.kind, f.feature): f.message for f in findings_of(Reference(base, COLOURS), rows)}
    assert findings["frozen_value", "open"] == "open has the same value in 100% of rows; usually none exceeds 25%"
    assert {("unseen_categories", "open"), ("frozen_value", "amount")} <= set(findings)
    assert not [message for message in findings.values() if "Jane" in message or "1234567" in message]


def traffic(timestamps: list[datetime], usual: float = 1000, day_before: int = 0) -> list[str]:
    moments = np.array([moment.replace(tzinfo=None) for moment in timestamps], dtype="datetime64[us]")
    silence = silence_until(NOW, moments, 24 * HOUR)
    return [f.kind for f in traffic_findings(len(moments), usual, silence, day_before)]


def test_silence_and_growth_are_named():
    """Traffic that stopped, that is out of all proportion."""
    steady = [NOW - HOUR * i / 40 for i in range(960)]
    assert traffic(steady) == []
    assert traffic([moment - 4 * HOUR for moment in steady], day_before=40) == ["stopped"]
    assert traffic([], day_before=840) == ["stopped", "volume"]
    assert traffic([], usual=3, day_before=3) == []
    assert traffic(steady, usual=100) == ["volume"]


def test_a_silence_is_held_against_the_same_hours_of_the_day_before():
    """Five silent hours: traffic may have ended 90 minutes sooner, and may begin 90 minutes later."""
    assert overdue(NOW, 5 * HOUR) == (NOW - 27.5 * HOUR, NOW - 25.5 * HOUR)
    assert overdue(NOW, 2 * HOUR) is None


def test_usual_volume_forgets_within_days():
    """The average starts where traffic does and follows it with a day's memory."""
    assert usual_volume(None, 500, 0) == 500
    assert usual_volume(500, 1500, 24) == pytest.approx(500 + 1000 * (1 - np.exp(-1)))


def test_proxy_metrics_of_known_probabilities():
    """Mean, spread, quartiles, rate and entropy of a handful of values."""
    hashes = np.arange(4, dtype=np.uint64)
    answers = Answers.of(np.array([0, 0, 0, 1], dtype=np.int8), np.array([0.05, 0.15, 0.25, 0.35]), hashes)
    found = proxy_metrics(1, answers)
    assert found.positive_rate == 0.25
    assert found.probability_mean == pytest.approx(0.2)
    assert found.probability_median == pytest.approx(0.2)
    assert found.entropy == pytest.approx(np.log(4))
    assert proxy_metrics(1, Answers.of(np.zeros(0, np.int8), np.zeros(0), hashes[:0])).probability_mean is None


@given(st.lists(st.floats(0, 1), min_size=1))
def test_entropy_lies_between_nothing_and_ten_even_bins(values):
    """0 for a constant, ln 10 at most."""
    of = partial(np.histogram, bins=10, range=(0.0, 1.0))
    assert -1e-12 <= histogram_entropy(of(values)[0]) <= np.log(10) + 1e-12
    assert histogram_entropy(of(np.full(5, values[0]))[0]) == 0


def test_proxies_over_hours_and_their_slope():
    """The last hour holds its rows alone, and a rise of 0.01 an hour is found as such."""
    hours = np.arange(24)
    moments = np.array([np.datetime64(NOW.replace(tzinfo=None)) - np.timedelta64(int(h) * 60 + 30, "m") for h in hours])
    probabilities = 0.5 - 0.01 * hours
    ids = np.array([f"{hour}" for hour in hours], dtype=object)
    features = pd.DataFrame(index=hours)
    rows = PredictionWindow(ids, moments, np.full(24, "v1"), probabilities, np.zeros(24, dtype=np.int8), features)
    answers = AnswersByAge.of(NOW, rows, id_hashes(ids))
    one, six, day = answers.proxies
    assert (one.num_predictions, six.num_predictions, day.num_predictions) == (1, 6, 24)
    assert answers.change.probability_mean_per_hour == pytest.approx(0.01)
    newest = rows.take(slice(0, 1))
    assert AnswersByAge.of(NOW, newest, id_hashes(newest.prediction_ids)).change.positive_rate_per_hour is None


def test_realised_metrics_agree_with_scikit_learn_and_lie_in_their_intervals():
    """F1, precision, recall, ROC AUC and Brier are the usual ones, ties included."""
    rng = np.random.default_rng(4)
    probabilities = np.round(rng.random(800), 2)
    labels = (rng.random(800) < probabilities).astype(np.int8)
    predictions = (probabilities >= 0.6).astype(np.int8)
    found = realised_performance(np.arange(800).astype("datetime64[us]"), probabilities, predictions, labels).metrics
    assert found["f1"].value == pytest.approx(metrics.f1_score(labels, predictions))
    assert found["precision"].value == pytest.approx(metrics.precision_score(labels, predictions))
    assert found["recall"].value == pytest.approx(metrics.recall_score(labels, predictions))
    assert found["roc_auc"].value == pytest.approx(metrics.roc_auc_score(labels, probabilities))
    assert found["brier"].value == pytest.approx(metrics.brier_score_loss(labels, probabilities))
    assert all(estimate.low <= estimate.value < estimate.high for estimate in found.values())


def test_metrics_that_one_class_leaves_undefined_are_unknown():
    """Without a positive there is no recall and no ROC AUC."""
    labels = np.zeros(10, dtype=np.int8)
    found = realised_performance(np.arange(10).astype("datetime64[us]"), np.full(10, 0.2), labels, labels).metrics
    assert found["recall"].value is None
    assert found["roc_auc"].value is None
    assert found["brier"].value == pytest.approx(0.04)


def test_intervals_of_textbook_examples():
    """Wilson's interval of 8 in 10; F1 by way of the Jaccard index; nothing of nothing."""
    found = proportion(8, 10)
    assert (found.low, found.high) == (pytest.approx(0.4902, abs=1e-4), pytest.approx(0.9433, abs=1e-4))
    assert f1(8, 1, 1).value == pytest.approx(16 / 18)
    assert proportion(0, 0).value is None


def test_intervals_of_f1_and_auc_cover_at_their_level():
    """Of 200 samples about 95 % of intervals hold the truth."""
    rng = np.random.default_rng(5)
    held = {"f1": 0, "roc_auc": 0}
    everything = rng.random(200_000) ** 2
    truth = (rng.random(200_000) < everything).astype(np.int8)
    true = {"f1": metrics.f1_score(truth, everything >= 0.5), "roc_auc": metrics.roc_auc_score(truth, everything)}
    for rows in rng.integers(0, 200_000, (200, 400)):
        probabilities, labels = everything[rows], truth[rows]
        predictions = (probabilities >= 0.5).astype(np.int8)
        sample = realised_performance(np.arange(400).astype("datetime64[us]"), probabilities, predictions, labels)
        for name in held:
            estimate = sample.metrics[name]
            held[name] += estimate.low <= true[name] <= estimate.high
    assert all(180 <= count <= 200 for count in held.values())


def test_calibration_error_of_honest_and_of_overconfident_probabilities():
    """0 where frequencies are as said, the gap where they aren't."""
    labels = np.array([1, 0, 0, 0] * 25)
    assert expected_calibration_error(np.full(100, 0.25), labels) == pytest.approx(0)
    assert expected_calibration_error(np.full(100, 0.75), labels) == pytest.approx(0.5)


def honest(rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    probabilities = rng.beta(1, 6, rows)
    return probabilities, (rng.random(rows) < probabilities).astype(np.int8)


def decay_of(probabilities: np.ndarray, labels: np.ndarray, promised: np.ndarray):
    return judge_decay(probabilities, labels, promised, level=0.05, minimum_rows=200, minimum_increase=0.05)


def test_an_honest_model_seldom_decays():
    """In an unchanged world the two tests together stay well below their level."""
    rng = np.random.default_rng(6)
    promised = np.square(np.subtract(*honest(rng, 900)))
    assert sum(decay_of(*honest(rng, 800), promised).decayed for _ in range(200)) <= 10


def test_labels_that_follow_other_rules_are_a_decay_and_its_onset_is_found():
    """Half of the rows have their label drawn from another probability: decayed, since about the middle."""
    rng = np.random.default_rng(7)
    promised = np.square(np.subtract(*honest(rng, 900)))
    probabilities, labels = honest(rng, 2000)
    labels[1000:] = rng.random(1000) < rng.permutation(probabilities[1000:]) + 0.2
    assert decay_of(probabilities[1000:], labels[1000:], promised).decayed
    assert onset_of_decay(np.square(probabilities - labels), promised.mean()) == pytest.approx(1000, abs=150)


def test_harder_rows_are_no_decay():
    """Inputs that are harder to tell apart raise the Brier score, but not beyond what the probabilities said."""
    rng = np.random.default_rng(8)
    promised = np.square(np.subtract(*honest(rng, 900)))
    harder = rng.beta(2, 3, 1500)
    assert not decay_of(harder, (rng.random(1500) < harder).astype(np.int8), promised).decayed


def test_too_few_labels_decide_nothing():
    """Below the minimum there is no p-value."""
    found = decay_of(np.full(50, 0.1), np.ones(50, dtype=np.int8), np.full(900, 0.05))
    assert not found.decayed
    assert found.p_value is None


def test_estimates_are_near_the_truth_without_any_label():
    """On honest probabilities F1, ROC AUC and Brier are estimated within their intervals."""
    rng = np.random.default_rng(9)
    tuning, asked = honest(rng, 1500), honest(rng, 3000)
    predictions = (asked[0] >= 0.25).astype(np.int8)
    moments, traits = np.arange(3000).astype("datetime64[us]"), rng.normal(size=(3000, 2))
    estimated = estimated_performance(
        Answered(moments, asked[0], predictions, traits), tuning[0], tuning[1], rng.normal(size=(1500, 2))
    )
    realised = realised_performance(moments, asked[0], predictions, asked[1])
    for name in ("f1", "precision", "recall", "roc_auc", "brier"):
        assert estimated.metrics[name].low <= realised.metrics[name].value <= estimated.metrics[name].high


def test_the_interval_widens_when_the_covariates_move():
    """The same probabilities of rows that look unlike the tuning rows are estimated less surely."""
    rng = np.random.default_rng(10)
    tuning, asked, traits = honest(rng, 400), honest(rng, 4000), rng.normal(size=(4000, 3))
    moments, known = np.arange(4000).astype("datetime64[us]"), rng.normal(size=(400, 3))
    widths = []
    for shift in (0.0, 2.0):
        answered = Answered(moments, asked[0], (asked[0] >= 0.25).astype(np.int8), traits + shift)
        brier = estimated_performance(answered, tuning[0], tuning[1], known).metrics["brier"]
        widths.append(brier.high - brier.low)
    assert widths[1] > 1.5 * widths[0]
    assert effective_rows(known, traits) > 300
    assert effective_rows(known, traits + 2) < 50


NONE = Scored(np.zeros(0), np.zeros(0, dtype=np.int8), np.zeros((0, 1)))


def scored(rng: np.random.Generator, rows: int, change: str = "") -> Scored:
    x = rng.normal(0.8 if change == "covariate" else 0.0, 1, rows)
    if change == "prior":
        x = np.concatenate([rng.normal(0, 1, 8 * rows)])
    chance = 1 / (1 + np.exp(2 - 1.5 * x))
    labels = rng.random(len(x)) < (1 / (1 + np.exp(2 + 1.5 * x)) if change == "concept" else chance)
    if change == "prior":
        weights = np.where(labels, 3.0, 1.0)
        kept = rng.choice(len(x), rows, replace=False, p=weights / weights.sum())
        x, chance, labels = x[kept], chance[kept], labels[kept]
    return Scored(chance, labels.astype(np.int8), x[:, None])


@pytest.mark.parametrize(
    ("change", "cause"),
    [("", "none"), ("covariate", "covariate_drift"), ("prior", "prior_shift"), ("concept", "concept_drift")],
)
def test_each_cause_is_told_from_the_others(reference, change, cause):
    """Labels tell what moved: nothing, the inputs, the classes' frequency, or what inputs mean."""
    rng = np.random.default_rng(11)
    phase = Phase.CALM if change in {"", "concept"} else Phase.STRESS
    drift = judged(reference, credit_rows(rng, 1000, phase)[0], CONTRACT.policy.monitoring, 0.004)
    named = [diagnose((), drift, scored(rng, 2000), scored(rng, 2000, change), 200).cause for _ in range(20)]
    assert named.count(cause) >= 18


def test_without_labels_a_drift_has_no_known_cause(reference):
    """Inputs moved and nobody knows what it means yet."""
    rng = np.random.default_rng(12)
    drift = judged(reference, credit_rows(rng, 1000, Phase.STRESS)[0], CONTRACT.policy.monitoring, 0.004)
    assert diagnose((), drift, scored(rng, 2000), NONE, 200).cause == "cannot_tell"


def test_drifted_features_come_in_the_order_of_what_the_model_uses_where_no_labels_are():
    """Drifted ones first, by importance; without one by the loss that they move, and so among equals."""
    usual = example_of(FeatureDrift)
    told = [
        usual.model_copy(update={"feature": name, "drift_detected": drifted, "impact": impact})
        for name, drifted, impact in (("a", True, 0.3), ("b", True, 0.1), ("c", False, 0.9), ("d", True, -0.2))
    ]
    order = [feature.feature for feature in ranked(told, {"b": 2.0, "c": 5.0, "a": 0.5, "d": 0.5})]
    assert order == ["b", "a", "d", "c"]
    assert [feature.feature for feature in ranked(told, {})] == ["a", "d", "b", "c"]


def test_impact_ranks_by_what_moves_the_score():
    """A feature that the score ignores has none, however far it moved."""
    rng = np.random.default_rng(13)
    before, after = credit_rows(rng, 2000)[0], credit_rows(rng, 1000)[0]
    after = after.assign(age=after["age"] + 20, DebtRatio=after["DebtRatio"] * 9)
    found = impacts(before, after, CONTRACT, lambda rows: rows["age"].to_numpy() / 100)
    assert found["age"] == pytest.approx(0.2, abs=0.02)
    assert found["DebtRatio"] == 0


def point(hours: float, version: str = "v1", brier: float | None = 0.1) -> TimelinePoint:
    return TimelinePoint(
        timestamp=NOW + hours * HOUR,
        version=version,
        brier=brier,
        brier_low=0.09,
        brier_high=0.12,
        f1=0.5,
        estimated_f1=0.5,
        drift_share=0.0,
        coverage=0.5,
    )


def test_a_timeline_stays_short_and_keeps_promotions():
    """However often runs come, two weeks fit in 121 points, and the last of each version stays."""
    points: tuple[TimelinePoint, ...] = ()
    for run in range(2000):
        points = extended(points, point(run / 12, "v1" if run < 1500 else "v2"))
    assert len(points) <= MOST_POINTS + 1
    assert {p.version for p in points} == {"v1", "v2"}
    assert points[-1].timestamp == NOW + 1999 / 12 * HOUR


def test_a_line_over_time_marks_where_another_version_took_over():
    """One dashed mark a promotion; nothing is drawn of a single point."""
    drawn = str(over_time("Brier", [point(0), point(1), point(2, "v2")], "brier", ("brier_low", "brier_high")))
    assert drawn.count('class="promotion"') == 1
    assert str(over_time("Brier", [point(0), point(1, brier=None)], "brier")) == ""


def offline(rows: pd.DataFrame, contract=CONTRACT, before: pd.DataFrame | None = None):
    known = credit_rows(np.random.default_rng(0), 4000)[0] if before is None else before
    return compare(as_table(known, "a.csv", contract), as_table(rows, "b.csv", contract), contract, now=NOW)


def as_table(frame: pd.DataFrame, name: str, contract: Contract) -> Table:
    """A frame as the reader gives it."""
    source = source_of(name, io.BytesIO(frame.to_csv(index=False).encode()), contract.file, LOCAL)
    return table_of(source, contract.file, [feature for feature in contract.features if feature in frame])


def test_two_files_are_compared_without_any_cloud():
    """No drift, drift, not enough data, pipeline fault: the same words as a monitoring run's."""
    assert offline(window()).verdict == "no_drift"
    assert offline(credit_rows(np.random.default_rng(2), 1000, Phase.STRESS)[0]).verdict == "drift"
    assert offline(window(rows=100)).verdict == "not_enough_data"
    broken = offline(window().drop(columns="age").assign(DebtRatio="none of it"))
    assert broken.verdict == "pipeline_fault"
    assert {(f.kind, f.feature) for f in broken.findings} >= {("schema_changed", "age"), ("wrong_type", "DebtRatio")}


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


def test_the_report_is_one_small_page_that_loads_nothing():
    """The verdict is its first heading and title; pictures carry descriptions; no address is in it; text is escaped."""
    rows = credit_rows(np.random.default_rng(2), 1000, Phase.STRESS)[0]
    summary = offline(rows).model_copy(update={"production_version": "<script>alert(1)</script>"})
    body = render_report(summary).decode()
    page = Page()
    page.feed(body)
    assert len(body.encode()) < 500_000
    assert f"<h1>{summary.sentence}</h1>" in body
    assert not re.search(r"https?://|@import|url\(", body)
    assert not [tag for tag, attributes in page.tags if tag in {"script", "link", "img"} or "src" in attributes]
    pictures = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert len(pictures) == 10
    assert all(attributes["role"] == "img" and attributes["aria-label"] for attributes in pictures)
    assert dict(page.tags)["html"] == {"lang": "en"}


def test_a_summary_survives_a_round_trip_through_json():
    """What a run reads of the run before is what that one wrote."""
    summary = offline(window())
    assert type(summary).model_validate_json(summary.to_json()) == summary
    assert list(json.loads(summary.to_json()))[:2] == ["timestamp", "reference_metadata"]
