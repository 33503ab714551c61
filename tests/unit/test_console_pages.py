"""What the console's pages say, from records: no stores, no browser."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from selfheal.contract import parse_contract
from selfheal.contract.model import Segment
from selfheal.gates import EvidenceRows
from selfheal.records.drift import FeatureDrift
from selfheal.records.healing import LabelProgress
from selfheal.records.labels import IngestionReport
from selfheal.records.ledger import Decision, GateResult, LedgerEntry, Outcome, Switch
from selfheal.records.monitoring import AlarmState, DriftSummary, Estimate, HealingState
from selfheal.records.pointer import Pointer
from selfheal.records.story import Story
from selfheal_tools.console import drawing, words
from selfheal_tools.console.pages.act import act_page, offers
from selfheal_tools.console.pages.comparison import shuffled_change
from selfheal_tools.console.pages.data import data_page
from selfheal_tools.console.pages.decisions import decision_page, decisions_page, gate_of
from selfheal_tools.console.pages.evidence import evidence_view
from selfheal_tools.console.pages.labels import labels_page, missing_by_age
from selfheal_tools.console.pages.now import now_page
from selfheal_tools.console.pages.state import state_of
from selfheal_tools.console.pages.time import time_page
from selfheal_tools.console.pages.try_it import answer_of, fields_of, row_of
from selfheal_tools.console.pages.versions import state_of_version
from selfheal_tools.console.runs import FeatureLook, Run
from selfheal_tools.console.situation import HealingUnderWay, Situation
from tests.support.healing import memory_stores, write_version
from tests.support.records import example_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
POINTER = Pointer(version="v1", promoted_at=NOON - 3 * DAY, previous_version="v0", decision_id="d1")
MANIFEST = write_version(memory_stores(), "v1", slope=0.0)
SUMMARY = example_of(DriftSummary).model_copy(
    update={
        "timestamp": NOON - HOUR,
        "verdict": "no_drift",
        "sentence": "No drift.",
        "action": "Nothing to do.",
        "findings": (),
        "alarm": AlarmState(),
        "healing": HealingState(started=False, execution=None, reason="nothing to heal"),
    }
)


def story_of(*parts: Decision | Outcome | Switch) -> Story:
    kinds = {Decision: "decision", Outcome: "outcome", Switch: "switch"}
    return Story(
        tuple(
            LedgerEntry(sequence=place, previous_hash="", **{kinds[type(part)]: part})
            for place, part in enumerate(parts, start=1)
        )
    )


def decided(kind: str = "promote", decision_id: str = "d1", **fields) -> Decision:
    known = {
        "decided_at": NOON - 3 * DAY, "version": "v1", "previous_version": "v0", "reason": "better",
        "trigger": "drift", "actor": "healing", "execution": "v0-0",
    }  # fmt: skip
    return Decision(decision_id=decision_id, kind=kind, **{**known, **fields})


def done(decision_id: str = "d1", kind: str = "done") -> Outcome:
    return Outcome(decision_id=decision_id, kind=kind, recorded_at=NOON - 3 * DAY, reason="swapped")


def situation(**fields) -> Situation:
    known = {
        "stage": "test", "now": NOON, "story": story_of(decided(), done()), "production": POINTER,
        "manifest": MANIFEST, "summary": SUMMARY, "healing": None,
    }  # fmt: skip
    return Situation(**{**known, **fields})


PAUSED = story_of(decided(), done(), Switch(switch_id="s", paused=True, changed_at=NOON, reason="a fire", actor="ann"))
ALARM = AlarmState(since=NOON - DAY, last=NOON - HOUR)


@pytest.mark.parametrize(
    ("fields", "kind", "said"),
    [
        ({}, "well", "No drift."),
        ({"production": None}, "empty", "There is no model yet."),
        ({"summary": None}, "unsure", "no monitoring run has judged it yet"),
        ({"story": PAUSED}, "paused", "paused since 2026-03-01 12:00 UTC by ann: a fire"),
        ({"summary": SUMMARY.model_copy(update={"alarm": ALARM})}, "drifting", "No drift."),
        ({"summary": SUMMARY.model_copy(update={"verdict": "pipeline_fault"})}, "broken", "No drift."),
        ({"summary": SUMMARY.model_copy(update={"verdict": "not_enough_data"})}, "unsure", "No drift."),
        ({"healing": HealingUnderWay("v1-0", "TrainShadow", None, None)}, "healing", "under way: training"),
        ({"healing": HealingUnderWay("v1-0", "EvaluateGates", "v2", None)}, "healing", "judging by seven gates"),
        ({"healing": HealingUnderWay("v1-0", "", None, None)}, "healing", "deciding"),
        ({"healing": HealingUnderWay("v1-0", "AskForApproval", "v2", None)}, "asks", "waits for your approval"),
        ({"story": PAUSED, "healing": HealingUnderWay("v1-0", "Wait", None, None)}, "paused", "a fire"),
    ],
)
def test_one_sentence_says_how_the_service_is(fields, kind: str, said: str):
    """What matters most comes first: a pause before a broken pipeline, that before a healing, that before drift."""
    state = state_of(situation(**fields))
    assert state.kind == kind
    assert said in state.sentence
    assert state.action


def test_a_healing_that_waits_counts_its_labels():
    """The reason of the last look at the labels."""
    progress = LabelProgress(
        ready=False, reason="12 of 40", labelled=12, predictions=40, coverage=0.3, deadline=NOON, wait_seconds=900
    )
    waiting = situation(healing=HealingUnderWay("v1-0", "WaitForLabels", "v2", progress))
    assert "12 of 40." in state_of(waiting).details
    assert [step.state for step in now_page(waiting).steps] == ["done", "now", "next", "next"]


def test_a_healing_that_trains_says_at_which_step():
    """The step that began last, as the training has told it."""
    trains = situation(healing=HealingUnderWay("v1-0", "TrainShadow", None, None, "fitting boosting on all rows"))
    assert "Fitting boosting on all rows." in state_of(trains).details
    assert [step.state for step in now_page(trains).steps] == ["now", "next", "next", "next"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "not before 2026-03-05 12:00 UTC, in 4 days"),
        ({"now": NOON + 9 * DAY}, "as soon as monitoring sees cause"),
        ({"story": PAUSED}, "not while automatic promotion is paused"),
        ({"healing": HealingUnderWay("v1-0", "TrainShadow", None, None)}, "one is under way"),
    ],
)
def test_now_says_when_the_next_healing_may_start(fields, said: str):
    """The cooldown of seven days after the promotion of three days ago, a pause, or the healing that runs."""
    facts = {fact.name: fact.value for fact in now_page(situation(**fields)).facts}
    assert facts["Next healing"] == said
    assert facts["Answers"] == "v1"


def test_acts_are_offered_where_they_make_sense():
    """Heal or not, pause or resume, roll back only where a version was replaced, answer only what is asked."""
    first = decided("bootstrap", "d0", version="v0", previous_version=None)
    two = story_of(first, done("d0"), decided(replaces="d0"), done())
    assert [offer.name for offer in offers(situation(story=two))] == ["heal", "rollback", "pause"]
    assert [offer.name for offer in offers(situation())] == ["heal", "pause"]
    assert [offer.name for offer in offers(situation(story=PAUSED))] == ["resume"]
    asks = situation(healing=HealingUnderWay("v1-0", "AskForApproval", "v2", None))
    assert [offer.name for offer in offers(asks)] == ["approve", "refuse", "pause"]
    assert offers(situation(production=None)) == ()


def test_an_act_says_before_it_is_done_what_it_will_do_or_why_it_can_not_be():
    """Names of both versions, the cooldown that begins, and the refusal."""
    page = act_page("promote", "Promote", "v2", situation())
    assert page.effects[0].startswith("v2 answers instead of v1")
    assert "A cooldown of 7 days begins" in page.effects[1]
    assert (page.refusal, page.is_grave) == ("", True)
    assert "in production already" in act_page("promote", "Promote", "v1", situation()).refusal
    assert "replaced none" in act_page("rollback", "Roll back", "", situation()).refusal
    assert "resume it first" in act_page("heal", "Heal", "", situation(story=PAUSED)).refusal
    assert "No healing waits" in act_page("approve", "Approve", "v1-0", situation()).refusal


def gate(name: str = "metric_gain", value: float | None = 0.02, threshold: float | None = 0.01, **fields) -> GateResult:
    known = {"gate": name, "passed": True, "value": value, "threshold": threshold, "n": 1_200, "reason": "r"}
    return GateResult(**{**known, **fields})


def test_a_gate_is_drawn_against_its_threshold():
    """On one scale; below zero there is no bar; where there is no value, nothing is drawn."""
    drawn = gate_of(gate())
    assert (drawn.bar, drawn.mark) == (pytest.approx(0.9), pytest.approx(0.45))
    assert drawn.figures == "0.02, needed at least 0.01, on 1,200 rows"
    assert gate_of(gate("brier_limit", -0.1)).bar == 0.0
    assert "at most" in gate_of(gate("paired_evidence")).figures
    assert gate_of(gate(value=None)).bar is None
    assert drawing.gate_bar(gate_of(gate(value=None))) == ""
    assert "namely: a &lt;b&gt;" not in drawing.gate_bar(gate_of(gate(groups=("a <b>",))))


def test_the_ledger_is_told_newest_first_in_pages():
    """Pauses stand between decisions, an outcome in its decision's line; the second page holds what is left."""
    decisions = [decided(decision_id=f"d{i}") for i in range(60)]
    page = decisions_page(story_of(*decisions, done("d59", "conflict")), 0)
    assert (len(page.lines), page.older, page.newer, page.total) == (50, 1, None, 60)
    assert "did NOT replace" in page.lines[0].sentence
    assert page.lines[1].sentence.startswith("(not confirmed yet)")
    rest = decisions_page(story_of(*decisions), 1)
    assert (len(rest.lines), rest.older, rest.newer) == (10, None, 0)
    assert decisions_page(PAUSED, 0).lines[0].kind == "pause"


def test_a_decision_tells_who_answered_and_on_what_rows():
    """Approval, healing and outcome stand in its record."""
    story = story_of(decided(gates=(gate(),)), done())
    page = decision_page(story.decisions[0], story)
    assert ("Healing", "v0-0") in page.facts
    assert page.outcome.startswith("done, ")
    assert len(page.gates) == 1


def run(hours: int, *, alarmed: bool = False, brier: float | None = 0.1) -> Run:
    metrics = {} if brier is None else {"brier": Estimate(value=brier, low=brier - 0.01, high=brier + 0.01)}
    moment = NOON + hours * HOUR
    return Run(
        name=f"{moment:%Y-%m-%d/%H%M%S}", timestamp=moment, version="v1", verdict="no_drift", sentence="fine",
        alarmed=alarmed, metrics=metrics, predictions=10 * hours, positive_rate=0.5, coverage=0.3, features={},
        faults={},
    )  # fmt: skip


def test_time_puts_curves_alarms_and_moves_on_one_axis():
    """Alarms that follow each other are one; a promotion within the time is a move; gaps stay gaps."""
    runs = [run(0), run(1, alarmed=True), run(2, alarmed=True, brier=None), run(3), run(4, alarmed=True), run(5)]
    story = story_of(decided(decided_at=NOON + 2 * HOUR), done(), decided("reject", "d2", decided_at=NOON + 3 * HOUR))
    axis = time_page(runs, story, NOON + 5 * HOUR, 1).axis
    assert axis.alarms == ((NOON + HOUR, NOON + 3 * HOUR), (NOON + 4 * HOUR, NOON + 5 * HOUR))
    assert [move.what for move in axis.moves] == ["promote: v1"]
    assert {curve.name: len(curve.points) for curve in axis.curves} == {
        "Brier score": 5, "Predictions": 6, "Positive rate": 6, "Label coverage": 6,
    }  # fmt: skip
    drawn = drawing.shared_axis(axis)
    assert drawn.count("/runs/2026-03-01/") == 12
    assert "NaN" not in drawn


@pytest.mark.parametrize("runs", [[], [run(0)], [run(0, brier=None), run(0, brier=None)]])
def test_little_to_draw_is_no_error(runs):
    """No run, one, or two of one moment."""
    drawing.shared_axis(time_page(runs, story_of(), NOON + HOUR, 7).axis)
    drawing.shared_axis(time_page(runs, story_of(), NOON, 7).axis)


def test_a_feature_is_drawn_over_time_with_the_runs_that_found_a_fault():
    """Its effect and, where values were ever missing, their share; one mark a faulty run, none for another feature."""
    found = example_of(FeatureDrift).model_copy(update={"feature": "x", "reference_missing_share": 0.0})
    looks = [FeatureLook(0.1 * hour, 0.5 if hour == 1 else 0.0, drifted=False) for hour in range(3)]
    runs = [
        replace(run(hour), features={"x": look}, faults={"x": "x is missing"} if hour == 1 else {"y": "y froze"})
        for hour, look in enumerate(looks)
    ]
    page = data_page(SUMMARY.model_copy(update={"features": (found,)}), runs)
    card = page.cards[0]
    assert [value for _, value in card.effects] == [0.0, 0.1, 0.2]
    assert [value for _, value in card.missing] == [0.0, 0.5, 0.0]
    assert (card.faulty, card.findings) == ((runs[1].timestamp.timestamp(),), ())
    assert drawing.spark("x", card.effects, 0.1, page.span, card.faulty).count('class="fault"') == 1
    never = data_page(SUMMARY.model_copy(update={"features": (found,)}), runs[:1]).cards[0]
    assert never.missing == ()


def evidence(gains: list[float], groups: list[str]) -> EvidenceRows:
    n = len(gains)
    production = np.sqrt(np.maximum(gains, 0.0) + 0.25)
    shadow = np.sqrt(np.maximum(-np.array(gains), 0.0) + 0.25)
    ones = np.zeros(n, dtype=np.int8)
    moments = np.datetime64("2026-03-01T00:00", "us") + np.arange(n) * np.timedelta64(60, "s")
    ids = np.array([str(i) for i in range(n)], dtype=object)
    frame = pd.DataFrame({"group": pd.Series(groups, dtype=object), "age": np.arange(n, dtype=float)})
    return EvidenceRows(ids, moments, ones, production, shadow, ones, ones, np.ones(n), frame)


def test_evidence_is_seen_by_block_and_by_group():
    """Fifty rows in 25 blocks; each value and each bin with its rows and its mean gain."""
    rows = evidence([0.1] * 25 + [-0.1] * 25, ["a"] * 25 + ["b"] * 24 + ["NA"])
    view = evidence_view(rows, [Segment(feature="group"), Segment(feature="age", edges=(25.0,))])
    assert view.gain == pytest.approx(0.0)
    assert [block.n for block in view.blocks] == [2] * 25
    found = {f"{group.feature} {group.value}": (group.n, round(group.gain, 6)) for group in view.groups}
    assert found == {
        "group a": (25, 0.1), "group b": (24, -0.1), "group NA": (1, -0.1),
        "age below 25": (25, 0.1), "age from 25": (25, -0.1),
    }  # fmt: skip
    assert drawing.gains_by_block(view.blocks).count("<rect") == 25
    assert evidence_view(evidence([], []), []) is None


def test_missing_labels_are_counted_by_the_day_of_their_prediction():
    """Two of three of today are labelled, none of yesterday; a day without predictions is left out."""
    moments = np.array(["2026-03-01T01", "2026-03-01T02", "2026-03-01T03", "2026-02-28T03"], dtype="datetime64[us]")
    ids = np.array(["a", "b", "c", "d"], dtype=object)
    days = missing_by_age(ids, moments, {date(2026, 3, 1): {"a", "b", "z"}}, NOON)
    assert [(day.age, day.predictions, day.labelled, day.missing) for day in days] == [
        ("today", 3, 2, 1),
        ("yesterday", 1, 0, 1),
    ]


def test_uploads_are_summed_and_reasons_counted():
    """Over all files, the newest first; a file that was refused as a whole counts by its reason."""
    known = {"uploaded_at": NOON, "accepted": 5, "rejected": 2, "reasons": {"bad": 2}, "repeated": False}
    older = IngestionReport(**{**known, "upload": "a", "uploaded_at": NOON - DAY})
    whole = IngestionReport(upload="b", uploaded_at=NOON, accepted=0, rejected=1, repeated=False, reason="no table")
    page = labels_page([older, whole])
    assert (page.received, page.accepted, page.rejected) == (2, 5, 3)
    assert page.reasons == (("bad", 2), ("no table", 1))
    assert [upload.name for upload in page.uploads] == ["b", "a"]


class Linear:
    """0.1 * x + 0.2 * z."""

    threshold = 0.5
    feature_names = ("x", "z", "unused")
    category_features = frozenset[str]()

    def probabilities(self, rows):
        return [0.1 * row["x"] + 0.2 * row["z"] for row in rows]

    def probabilities_of(self, columns):
        return 0.1 * columns["x"] + 0.2 * columns["z"]


def test_an_answer_is_shown_in_the_labels_own_words_with_its_reasons():
    """The positive value, the strongest reason with the contract's words; an answer without reasons is one too."""
    reasons = [{"feature": "x", "value": 1.5, "contribution": 0.4, "reason": "many of them"}]
    content = {"probability": 0.7, "prediction": 1, "model_version": "v1", "prediction_id": "p"}
    answer = answer_of(200, "{}", content | {"explanation": {"reasons": reasons}}, MANIFEST)
    assert (answer.headline, answer.note) == ("70.0 %", f"probability, predicted {MANIFEST.positive_value}")
    assert [(reason.value, reason.added, reason.words) for reason in answer.reasons] == [("1.5", 0.4, "many of them")]
    assert answer_of(200, "{}", content, MANIFEST).reasons == ()


@pytest.mark.parametrize(
    ("kind", "content", "headline", "note"),
    [
        ("multiclass", {"prediction": "high", "probability": 0.6}, "high", "predicted, with probability 60.0%"),
        ("regression", {"prediction": 51.2, "interval": [40.0, 60.0]}, "51.2", "90 % lie between 40 and 60"),
        ("regression", {"prediction": 51.2}, "51.2", "predicted"),
    ],
)
def test_an_answer_of_another_kind(kind: str, content, headline: str, note: str):
    """A class by its name with all probabilities, the likeliest first; a number with its interval, if it has one."""
    model = MANIFEST.contract.model.model_copy(update={"task": kind})
    manifest = MANIFEST.model_copy(update={"contract": MANIFEST.contract.model_copy(update={"model": model})})
    answer = answer_of(200, "{}", {**content, "probabilities": {"low": 0.4, "high": 0.6}}, manifest)
    assert (answer.headline, answer.note) == (headline, note)
    assert answer.classes == (("high", 0.6), ("low", 0.4))


def test_a_feature_that_a_model_does_not_read_changes_nothing():
    """Values of others that change places change the answers."""
    rng = np.random.default_rng(0)
    columns = {name: rng.normal(size=200) for name in ("x", "z", "unused")}
    answers = Linear().probabilities_of(columns)
    assert shuffled_change(Linear(), answers, columns, "unused") == 0.0
    assert shuffled_change(Linear(), answers, columns, "z") > shuffled_change(Linear(), answers, columns, "x") > 0.0


TYPED = parse_contract("""
[model]
name = "typed"
target = "y"
[features.x]
type = "number"
minimum = 0
[features.n]
type = "integer"
nullable = true
[features.flag]
type = "boolean"
[features.kind]
type = "category"
categories = ["a", "b"]
""")


def test_a_form_is_made_of_the_contract_and_read_by_it():
    """Types, limits and choices; what isn't what the contract wants is sent as it is, so that the API says so."""
    manifest = MANIFEST.model_copy(
        update={"contract": TYPED, "examples": ({"x": 1.5, "n": None, "flag": True, "kind": "b"},)}
    )
    fields = fields_of(manifest)
    assert [field.value for field in fields] == ["1.5", "", "true", "b"]
    assert [field.choices for field in fields] == [(), (), ("true", "false"), ("a", "b")]
    assert (fields[0].hint, fields[1].hint) == ("number, from 0", "integer, may be missing")
    sent = row_of(TYPED, {"x": "2.5", "n": "", "flag": "false", "kind": "c"})
    assert sent == {"x": 2.5, "n": None, "flag": False, "kind": "c"}
    assert row_of(TYPED, {"x": "much"})["x"] == "much"


def test_what_became_of_a_version():
    """In production, replaced, rejected, not promoted after all, or never decided about."""
    story = story_of(
        decided(),
        done(),
        decided("reject", "d2", version="v2"),
        decided(decision_id="d3", version="v3"),
        done("d3", "conflict"),
    )
    found = [state_of_version(version, story, POINTER) for version in ("v1", "v2", "v3", "v4")]
    assert found == ["production", "rejected", "not promoted", "shadow"]


def test_words():
    """Spans in the largest unit that has two, figures with three digits that count."""
    assert [words.span(span) for span in (timedelta(seconds=9), timedelta(minutes=1), 36 * HOUR, 9 * DAY)] == [
        "less than a minute", "1 minute", "36 hours", "9 days",
    ]  # fmt: skip
    assert [words.number(value) for value in (None, 0.01234, 12_345.6)] == ["unknown", "0.0123", "12,346"]
    assert words.interval(Estimate(value=0.5, low=0.4, high=0.6)) == "0.500 (0.400 to 0.600)"
