"""The page of a backtest: one file that loads nothing, says everything in words too, and counts rightly."""

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest

from selfheal_tools.backtest.page import blocked_by_gate, lines_of, render_page
from selfheal_tools.backtest.records import Backtest, Move, Period, PeriodResult, PolicyResult, Refusal, Settings

START = datetime(2025, 1, 1, tzinfo=UTC)
STEP = timedelta(days=10)
NAMES = ("healed", "frozen", "always", "always_held_out", "periodic-5", "drift-naive", "seed-gates", "random", "oracle")


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.titles: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._open.append(tag)

    def handle_endtag(self, tag):
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data):
        if "svg" in self._open and self._open[-1] == "title":
            self.titles.append(data)


def read(body: str) -> Page:
    page = Page()
    page.feed(body)
    return page


def periods_of(number: int) -> tuple[Period, ...]:
    return tuple(
        Period(number=i + 1, start=START + i * STEP, end=START + (i + 1) * STEP, rows=100, positives=30, delivered=40)
        for i in range(number)
    )


def policy(brier: float, periods: int, **fields) -> PolicyResult:
    each = tuple(
        PeriodResult(rows=100, auc=0.8, f1=0.5, brier=brier + i / 1000, logloss=0.4, period=i + 1, versions=("v1",))
        for i in range(periods)
    )
    counts = {"retrainings": 3, "promotions": 1, "rejections": 0, "rollbacks": 0, "harmful_promotions": 0}
    scores = {
        "auc": 0.8,
        "f1": 0.5,
        "brier": brier,
        "logloss": 0.4,
        "intervals": {"brier": (brier - 0.01, brier + 0.01)},
    }
    return PolicyResult(**{**scores, **counts, "regained": 0.9, "training_seconds": 1.0, "per_period": each, **fields})


def move(period: int, *, kind="promote", harmful=False) -> Move:
    at = START + (period - 0.5) * STEP
    return Move(
        period=period,
        at=at,
        kind=kind,
        version="v2",
        previous_version="v1",
        reason="<b>why</b>",
        gain=0.01,
        harmful=harmful,
    )


def refusal(period: int, *gates: str, gain: float | None = None) -> Refusal:
    at = START + (period - 0.5) * STEP
    return Refusal(period=period, at=at, kind="reject", version="v3", reason="no", gates=gates, gain=gain)


def result(periods: int = 6, policies: dict[str, PolicyResult] | None = None) -> Backtest:
    moves = (move(2), move(3, harmful=True), move(4, kind="rollback"))
    refusals = (refusal(5, "metric_gain", "cooldown", gain=0.02), refusal(6, "metric_gain", gain=-0.01))
    made = {name: policy(0.2 - i / 1000, periods) for i, name in enumerate(NAMES)}
    made["healed"] = policy(0.15, periods, moves=moves, refusals=refusals, harmful_promotions=1)
    return Backtest(
        dataset="<i>mine</i>.csv",
        contract="mine",
        rows=1000,
        settings=Settings(periods=periods, initial=0.2, label_delay=1, label_rate=0.4, seed=0, runs_per_period=4),
        periods=periods_of(periods),
        policies=policies or made,
        verdict="Healing regained 90% of what could be had & more.",
        seconds=10.0,
    )


def test_the_page_is_one_small_file_that_loads_nothing_and_escapes_what_it_is_given():
    """Two hundred periods of nine policies stay below 500 KB; no address, no script; texts are escaped."""
    body = render_page(result(200))
    page = read(body)
    assert len(body.encode()) < 500_000
    assert not re.search(r"https?://|@import|url\(|<script|<link|<img", body)
    assert "<b>why</b>" not in body
    assert "<i>mine</i>" not in body
    assert dict(page.tags)["html"] == {"lang": "en"}


def test_the_verdict_is_title_and_first_heading():
    """Who reads one sentence reads the verdict."""
    body = render_page(result())
    assert "<title>Healing regained 90% of what could be had &amp; more.</title>" in body
    assert body.index("<h1>Healing regained 90%") < body.index("<h2>")


def test_curves_come_with_words_and_healing_is_drawn_last():
    """Brier, F1 and AUC are pictures with a description; each policy has one line in each, ours on top."""
    body = render_page(result())
    pictures = [attributes for tag, attributes in read(body).tags if tag == "svg" and "role" in attributes]
    assert [attributes["aria-label"].split(" in each")[0] for attributes in pictures] == [
        "Brier score",
        "F1",
        "ROC AUC",
    ]
    assert "healed from 0.150 to 0.155" in pictures[0]["aria-label"]
    assert len(re.findall(r'class="line line-', body)) == 3 * len(NAMES)
    first = body[body.index('role="img"') :]
    assert re.findall(r'class="line line-([\w-]+)"', first)[len(NAMES) - 1] == "healed"


def test_every_decision_is_marked_once_in_each_picture_and_says_what_it_was():
    """Promotion, harmful promotion, rollback and rejection are told apart by shape and by words."""
    titles = read(render_page(result())).titles
    assert len(titles) == 3 * 5
    assert [title.split(".")[0] for title in titles[:3]] == [
        "Period 2: promoted v2, gain +0",
        "Period 3: promoted v2, gain +0",
        "Period 4: rolled back to v2, gain +0",
    ]
    assert ", harmful" in titles[1]
    assert titles[3] == "Period 5: rejected by metric gain, cooldown, would have gained +0.0200"


def test_what_each_gate_blocked_is_counted_alone_and_together_and_rightly_or_not():
    """Of three rejections one gate had two, one of them alone, and one would have been a gain."""
    found = blocked_by_gate(
        [refusal(1, "a", "b", gain=0.02), refusal(2, "a", gain=-0.01), refusal(3, "b"), refusal(4, "a", gain=0.0)]
    )
    assert [(blocked.gate, blocked.times, blocked.alone) for blocked in found] == [("a", 3, 2), ("b", 2, 1)]
    assert (found[0].measured, found[0].right, found[0].gain) == (3, 2, pytest.approx(0.01 / 3))
    assert (found[1].measured, found[1].right, found[1].gain) == (1, 0, 0.02)


def test_each_policy_has_a_line_of_its_own_and_a_box_that_shows_it():
    """Four are shown at first; styles differ also between two periodic policies."""
    backtest = result(policies={name: policy(0.2, 6) for name in (*NAMES, "periodic-2")})
    lines = lines_of(backtest)
    assert len({line.style for line in lines}) == len(lines)
    boxes = [attributes for tag, attributes in read(render_page(backtest)).tags if tag == "input"]
    assert len(boxes) == len(lines)
    assert sum("checked" in box for box in boxes) == 4


@pytest.mark.parametrize("names", [("frozen",), ("healed",), ("always", "periodic-3")])
def test_any_choice_of_policies_makes_a_page(names: tuple[str, ...]):
    """Nothing on the page needs a policy that wasn't asked for."""
    body = render_page(result(policies={name: policy(0.2, 6, regained=None) for name in names}))
    assert all(name in body for name in names)
    assert "no gap" not in body
    assert "were not both compared here" in body


def test_a_single_period_has_figures_and_no_curves():
    """A line needs two points; the table doesn't."""
    body = render_page(result(1, policies={"frozen": policy(0.2, 1, auc=None)}))
    assert 'role="img"' not in body
    assert "0.2000" in body
