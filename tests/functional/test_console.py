"""The console over stores in memory: every page of a small life, and every act a person may do."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from selfheal.contract import parse_contract
from selfheal.records.labels import IngestionReport, RejectedRow, Upload
from selfheal.stores.executions import Progress
from tests.functional.test_life_of_tasks import CLASSES, NUMBERS, Life
from tests.support.console import Browser, FakeApprovals, WatchedFakes, environment_of
from tests.support.healing import DAY, START, FakeNotifications, healed_environment
from tests.support.small_life import SmallLife

SCRIPT = "<script>alert(1)</script>"
LARGEST_PAGE = 300_000


@pytest.fixture(scope="module")
def life():
    """Two days with a healing, a rollback and a pause; nothing here changes it."""
    lived = SmallLife()
    lived.live()
    return lived


@pytest.fixture
def browser(life):
    """A console over that life."""
    return Browser(environment_of(life.stores, life.now))


@pytest.fixture
def stores():
    """v1 in production, v2 trained."""
    return healed_environment()[0]


def environment(stores, **parts):
    return environment_of(stores, START + 10 * DAY, **parts)


# Pages


def paths_of(life) -> list[str]:
    decisions = [decision.decision_id for decision in life.stores.ledger.decisions()]
    first, second, *_ = life.stores.models.versions()
    fixed = [
        "/",
        "/time?days=1",
        "/time?days=90",
        "/versions",
        "/decisions",
        "/labels",
        "/labels/missing",
        "/data",
        "/try",
    ]
    pages = [f"/versions/{first}", f"/versions/{first}/card", f"/compare?first={first}&second={second}"]
    pages += [f"/acts/{name}" for name in ("heal", "approve", "refuse", "pause", "resume", "rollback", "promote")]
    return [*fixed, *pages, *(f"/decisions/{key}" for key in decisions), f"/decisions/{decisions[1]}/recomputed"]


def test_every_page_answers_and_is_small(browser, life):
    """All under 300 KB, each with one headline."""
    for path in paths_of(life):
        page = browser.page(path)
        assert len(page.encode()) < LARGEST_PAGE, path
        assert page.count("<h1") == 1, path


def test_no_page_asks_for_what_the_policy_forbids(browser, life):
    """No inline script, style or handler: a strict policy stays strict."""
    for path in paths_of(life):
        if path.endswith("/card"):
            continue
        page = browser.page(path)
        assert re.findall(r"<script(?! src=\"/static/console.js\" defer>)", page) == [], path
        assert re.findall(r"<style|\sstyle=|\son[a-z]+=|https?://(?!www.w3.org)", page) == [], path


def test_every_link_of_a_page_leads_to_a_page(browser, life):
    """What is written as a link answers, reports and downloads included."""
    found = set()
    for path in paths_of(life):
        found |= {link.replace("&amp;", "&") for link in re.findall(r'href="(/[^"]*)"', browser.page(path))}
    assert len(found) > 20
    for link in found:
        browser.page(link)


def test_a_stored_page_can_run_nothing(browser, life):
    """Reports and cards were written into a bucket: they are shown in a sandbox."""
    run = life.summaries[0].removeprefix("monitoring/dt=").removesuffix("/summary.json")
    answer = browser.client.get(f"/runs/{run}")
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert "<h1>" in answer.text


def test_a_page_can_be_asked_for_without_its_frame(browser):
    """What keeps a page fresh gets what changes, and nothing around it."""
    part = browser.client.get("/", headers={"x-part": "1"}).text
    assert "<html" not in part
    assert "Decided last" in part


def test_now_says_which_version_answers_and_how_it_does(browser, life):
    """The version, its age, coverage and the last decisions."""
    page = browser.page("/")
    assert life.stores.pointer.read().pointer.version in page
    for fact in ("Answers", "Traffic", "Coverage", "Brier score", "Next healing"):
        assert f"<dt>{fact}</dt>" in page
    assert "is back in production instead of" in page


def test_before_the_first_model_the_console_says_what_to_do():
    """An empty environment is no error."""
    from tests.support.healing import memory_stores

    empty = Browser(environment_of(memory_stores(), START))
    assert "selfheal bootstrap" in empty.page("/")
    for path in ("/time", "/versions", "/decisions", "/labels", "/labels/missing", "/data", "/try"):
        empty.page(path)


def test_what_is_not_there_is_said(browser):
    """A version, a decision, a run or an act of no such name: a page that says so."""
    for path in (
        "/versions/none",
        "/decisions/none",
        "/runs/2026-01-01/000000",
        "/acts/none",
        "/static/none",
        "/nowhere",
    ):
        assert "selfheal" in browser.page(path, status=404)


def test_a_decision_is_recomputed_before_ones_eyes(browser, life):
    """The gates as written and as found; and what is off, where evidence isn't what it was."""
    decision = next(decision for decision in life.stores.ledger.decisions() if decision.gates)
    page = browser.page(f"/decisions/{decision.decision_id}/recomputed")
    assert "follows from its evidence" in page
    assert page.count("<tr>") == 8
    kept = life.stores.registry_bucket.get(decision.evidence.key).body
    life.stores.registry_bucket.put(decision.evidence.key, kept[:-1])
    try:
        page = browser.page(f"/decisions/{decision.decision_id}/recomputed")
    finally:
        life.stores.registry_bucket.put(decision.evidence.key, kept)
    assert "not as it was written" in page
    assert decision.evidence.key in page


def test_two_versions_are_compared_on_the_same_rows(browser, life):
    """Both were asked about the newest predictions; labelled ones score them."""
    first, second, *_ = life.stores.models.versions()
    page = browser.page(f"/compare?first={first}&second={second}")
    assert "Positive on 500 recent rows" in page
    assert "labelled of them" in page
    assert page.count("<details") == 12


def test_refused_labels_are_shown_and_can_be_saved(stores):
    """The reason, and the rows as a file; nothing else of the bucket can be had that way."""
    upload = Upload(key="labels/incoming/truth.csv", size=9, uploaded_at=START)
    key = stores.labels.reject(upload, [RejectedRow(line=2, prediction_id="p", label="perhaps", reason="no label")])
    report = IngestionReport(
        upload="truth.csv",
        uploaded_at=START,
        accepted=1,
        rejected=1,
        reasons={"no label": 1},
        repeated=False,
        refusals=key,
    )
    stores.labels.write_outcome(report)
    shown = Browser(environment(stores))
    page = shown.page("/labels")
    assert re.search(r"<li>1 . no label", page)
    (link,) = re.findall(r'href="(/labels/refused[^"]*)"', page)
    assert "perhaps" in shown.page(link)
    shown.page("/labels/refused?key=labels/outcomes/truth.csv", status=404)


def test_names_and_reasons_are_shown_as_text():
    """Whatever somebody called a feature, or gave as a reason, no browser runs it."""
    features = f'[features.x]\ntype = "number"\n[features."{SCRIPT}"]\ntype = "category"\n'
    contract = parse_contract(f'[model]\nname = "small"\ntarget = "y"\n{features}')
    stores, _ = healed_environment(contract=contract)
    shown = Browser(environment(stores))
    shown.do("pause", SCRIPT)
    for path in ("/", "/decisions", "/try"):
        page = shown.page(path)
        assert SCRIPT not in page
        assert "&lt;script&gt;" in page


@pytest.mark.parametrize(("contract", "score"), [(CLASSES, "Brier score"), (NUMBERS, "Relative squared error")])
def test_pages_of_other_targets(contract, score: str):
    """Several classes and numbers: their own metrics and answers, two versions compared on the same rows."""
    life = Life(contract)
    life.hours(14)
    life.monitor()
    life.slope = -2.0
    for _ in range(3):
        life.hours(8)
        if life.monitor().healing.started:
            life.heal()
            break
    shown = Browser(environment_of(life.stores, life.now))
    assert f"<dt>{score}</dt>" in shown.page("/")
    for path in ("/time?days=7", "/versions", "/data?days=7", "/labels/missing", "/try"):
        shown.page(path)
    first, second, *_ = life.stores.models.versions()
    shown.page(f"/versions/{second}")
    page = shown.page(f"/compare?first={first}&second={second}")
    assert f"{score} on the " in page
    assert page.count("<details") == 12
    for decision in life.stores.ledger.decisions():
        shown.page(f"/decisions/{decision.decision_id}")


# Acts


def test_a_pause_is_recorded_with_name_and_reason_and_ends(stores):
    """pause, Now, resume: who, why, and that it is over."""
    console = Browser(environment(stores))
    assert "paused since" in console.do("pause", "an incident")
    pause = stores.ledger.story().pause
    assert (pause.switch.actor, pause.switch.reason) == ("console:ann", "an incident")
    assert "an incident" in console.page("/")
    assert "is on" in console.do("resume", "mended")
    assert stores.ledger.story().pause is None


def test_production_is_moved_and_people_are_told(stores):
    """promote and rollback: the ledger, the pointer, the message, and whoever mirrors the registry."""
    people, moved = FakeNotifications(), []
    console = Browser(environment(stores, notifications=people), moved=lambda: moved.append(1))
    page = console.do("promote", "I know better", "v2")
    assert "V2 replaced v1 in production: forced, without gates: I know better" in page
    assert stores.pointer.read().pointer.version == "v2"
    assert "V1 is back in production instead of v2" in console.do("rollback", "I did not")
    assert stores.pointer.read().pointer.version == "v1"
    assert [decision.actor for decision in stores.ledger.decisions()[1:]] == ["console:ann"] * 2
    assert len(people.sent) == len(moved) == 2


def test_a_form_that_is_sent_twice_acts_once(stores):
    """A second click or a reload shows what came of the first: a rollback done twice goes back one further."""
    console = Browser(environment(stores))
    fields = {"token": console.keys.token, "once": "a", "target": "v2", "reason": "I know better"}
    first, second = (console.send("/acts/promote", fields).text for _ in range(2))
    assert "V2 replaced v1" in first
    assert "V2 replaced v1" in second
    assert len(stores.ledger.decisions()) == 2


def test_a_healing_starts_once_and_its_steps_are_seen(stores):
    """heal: started by name; while it runs, Now shows the step, and another one is refused."""
    executions = WatchedFakes()
    console = Browser(environment(stores, executions=executions))
    assert "Healing v1-0 has started" in console.do("heal", "spring cleaning")
    assert executions.started[0].trigger.reason == "spring cleaning"
    labels = {
        "ready": False, "reason": "12 of 40 predictions labelled", "labelled": 12, "predictions": 40, "coverage": 0.3,
        "deadline": START.isoformat(), "wait_seconds": 900,
    }  # fmt: skip
    executions.states["v1-0"] = Progress("WaitForLabels", {"labels": labels})
    page = console.page("/")
    assert "A healing is under way: waiting for labels." in page
    assert "12 of 40 predictions labelled" in page
    assert 'aria-current="step">waiting for labels' in page
    assert "is under way" in console.page("/acts/heal")


@pytest.mark.parametrize(("act", "approved"), [("approve", True), ("refuse", False)])
def test_a_question_is_answered(stores, act: str, approved: bool):  # noqa: FBT001
    """approve and refuse: the answer goes to the healing that waits, with name and reason."""
    executions, approvals = WatchedFakes(statuses={"v1-0": "RUNNING"}), FakeApprovals(waiting="v1-0")
    executions.states["v1-0"] = Progress("AskForApproval", {"training": {"version": "v2"}})
    console = Browser(environment(stores, executions=executions, approvals=approvals))
    page = console.page("/")
    assert "V2 has passed every gate and waits for your approval." in page
    assert f"/acts/{act}?target=v1-0" in page
    assert "Healing v1-0 goes on" in console.do(act, "I looked", "v1-0")
    assert [(answer.approved, answer.by) for answer in approvals.answers] == [(approved, "console:ann")]


def test_what_is_refused_says_why(stores):
    """No reason, nothing to roll back to, no right in AWS: said on the page, and nothing happened."""
    console = Browser(environment(stores))
    fields = {"token": console.keys.token, "once": "a", "target": ""}
    assert "Say why" in console.send("/acts/rollback", {**fields, "reason": " "}).text
    again = {**fields, "once": "b", "reason": "worse"}
    assert "it replaced none" in console.send("/acts/rollback", again).text

    console = Browser(environment(stores, notifications=FakeNotifications(down=True)))
    said = console.send("/acts/promote", {**fields, "token": console.keys.token, "target": "v2", "reason": "x"}).text
    assert "not done" in said


def test_a_form_that_this_console_did_not_make_is_refused(stores):
    """Without its token nothing is done, whatever else is right."""
    console = Browser(environment(stores))
    for token in ({}, {"token": "guess"}):
        assert console.send("/acts/pause", {**token, "once": "a", "reason": "x"}).status_code == 403
        assert console.send("/try", token).status_code == 403
    assert stores.ledger.story().pause is None


def test_a_console_that_only_shows_lets_nobody_act(stores):
    """--read-only: no act is offered, and one that is sent all the same is refused."""
    console = Browser(environment(stores), read_only=True)
    assert "/acts/" not in console.page("/")
    assert "/acts/" not in console.page("/versions/v2")
    console.page("/acts/pause", status=403)
    fields = {"token": console.keys.token, "once": "a", "reason": "x"}
    assert console.send("/acts/pause", fields).status_code == 403
    assert console.send("/try", {"token": console.keys.token}).status_code == 403
    assert len(stores.ledger.story().entries) == 2


# Reading


def test_what_was_read_once_is_not_read_again(life):
    """A ledger of hundreds of entries, and runs that are over: a page reads what is new of them."""

    class Counting:
        def __init__(self, bucket) -> None:
            self.bucket, self.read = bucket, []

        def __getattr__(self, name: str):
            return getattr(self.bucket, name)

        def get_many(self, keys):
            keys = list(keys)
            self.read += keys
            return self.bucket.get_many(keys)

    data, registry = Counting(life.stores.data), Counting(life.stores.registry_bucket)
    console = Browser(environment_of(type(life.stores)(data, registry), life.now))
    console.page("/time?days=7")
    data.read.clear()
    registry.read.clear()
    console.page("/time?days=7")
    assert [key for key in registry.read if key.startswith("ledger/")] == []
    assert data.read == [life.summaries[-1]]


def test_a_run_that_cannot_be_read_is_left_out(life):
    """A summary of a later release is no reason to show nothing."""
    key = life.summaries[-1]
    kept = life.stores.data.get(key).body
    life.stores.data.put(key, b"{}")
    try:
        shown = Browser(environment_of(life.stores, life.now + timedelta(minutes=1)))
        assert "no monitoring run has judged it yet" in shown.page("/")
        shown.page("/time?days=7")
        shown.page("/data")
    finally:
        life.stores.data.put(key, kept)


def test_trying_needs_an_answer_of_the_api(stores):
    """Where the API can't be reached the page says so."""
    from botocore.session import Session

    session = Session()
    session.set_credentials("operator", "local")
    session.set_config_variable("region", "us-east-1")
    console = Browser(replace(environment(stores), session=session))
    fields = {"token": console.keys.token, "field.x": "1", "field.group": "a"}
    answer = console.send("/try", fields)
    assert answer.status_code == 409
    assert "didn&#39;t answer" in answer.text
