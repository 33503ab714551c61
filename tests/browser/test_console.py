"""The console in a real browser: each page at two widths and in both themes, and a healing by clicks alone."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import SCRIPT

FIXED = (
    "/",
    "/time?days=7",
    "/versions",
    "/decisions",
    "/labels",
    "/data?days=7",
    "/try",
    "/acts/resume",
    "/acts/rollback",
)


def paths_of(console) -> list[str]:
    """Every kind of page; those of the newest decision and version too."""
    stores = console.loop.cloud.stores
    decision = stores.ledger.decisions()[-1].decision_id
    versions = list(stores.models.versions())
    about = [
        f"/decisions/{decision}",
        f"/versions/{versions[-1]}",
        f"/compare?first={versions[0]}&second={versions[-1]}",
    ]
    return [*FIXED, *about]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_a_page_fits_and_shuts_nobody_out(open_page, console, width: int, scheme: str):
    """No complaint of the browser, nothing wider than the screen, no violation that axe-core knows."""
    opened = open_page(width, scheme)
    for path in paths_of(console):
        opened.page.goto(f"{console.origin}{path}", wait_until="networkidle")
        assert opened.complaints == [], path
        assert opened.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert violations(opened.page) == [], path


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]


def test_names_of_others_are_shown_as_text(open_page, console):
    """A reason and a file's name with a script in them: read, not run."""
    opened = open_page(1280)
    opened.page.goto(f"{console.origin}/decisions")
    expect(opened.page.get_by_text(f"Automatic promotion was paused: {SCRIPT}")).to_be_visible()
    opened.page.goto(f"{console.origin}/labels")
    expect(opened.page.get_by_role("cell", name=f"{SCRIPT}.csv")).to_be_visible()
    assert opened.complaints == []


def test_the_keyboard_alone_is_enough(open_page, console):
    """The first stop leads past the pages' list; every stop after it is to be seen."""
    page = open_page(1280).page
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the page")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    focused = page.evaluate("document.activeElement.closest('main') !== null")
    assert focused
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"


def test_a_row_is_tried(open_page, console):
    """The form of the contract, sent to the API: a probability, and what moved it; what is wrong is said."""
    page = open_page(390).page
    page.goto(f"{console.origin}/try")
    page.get_by_role("textbox", name="age", exact=True).fill("22")
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_text("probability, predicted")).to_be_visible()
    expect(page.get_by_role("rowheader", name="age")).to_be_visible()
    page.get_by_role("textbox", name="age", exact=True).fill("very old")
    page.get_by_role("button", name="Ask").click()
    expect(page.get_by_text("The API answered 422")).to_be_visible()


def test_another_site_can_not_show_or_use_the_console(open_page, console):
    """A page elsewhere that frames the console, or sends its forms, gets nothing."""
    page = open_page(1280).page
    entries = len(console.loop.cloud.stores.ledger.story().entries)
    page.route(
        "http://evil.example/**",
        lambda route: route.fulfill(body=EVIL.format(console.origin), content_type="text/html"),
    )
    page.goto("http://evil.example/")
    page.wait_for_timeout(500)
    framed = next(frame for frame in page.frames if frame != page.main_frame)
    assert "Answers" not in framed.content()
    page.get_by_role("button").click()
    expect(page.get_by_text("takes what its own pages send")).to_be_visible()
    assert len(console.loop.cloud.stores.ledger.story().entries) == entries


EVIL = """<iframe src="{0}/"></iframe><form method="post" action="{0}/acts/resume">
<input name="reason" value="because"><button>a prize</button></form>"""


def test_a_healing_by_clicks_alone(open_page, console):
    """Resume, heal, approve: each with its reason; Now follows without being loaded again."""
    cloud, opened = console.loop.cloud, open_page(390)
    page, first = opened.page, cloud.stores.pointer.read().pointer.version
    act(page, "Resume automatic promotion", "the incident is over")
    act(page, "Start a healing", "production is wrong")
    page.evaluate("document.body.dataset.same = 'yes'")
    cloud.settle()
    expect(page.get_by_role("heading", level=1)).to_contain_text("waits for your approval", timeout=90_000)
    assert page.evaluate("document.body.dataset.same") == "yes"
    act(page, "Approve the promotion", "I looked at the gates")
    cloud.settle()
    now = cloud.stores.pointer.read().pointer.version
    assert now != first
    expect(page.get_by_role("link", name=now, exact=True).first).to_be_visible(timeout=90_000)
    decision = cloud.stores.ledger.decisions()[-1]
    assert (decision.kind, decision.trigger) == ("promote", "manual")
    assert decision.approval is not None
    assert decision.approval.by.startswith("console:")
    page.goto(f"{console.origin}/decisions/{decision.decision_id}")
    page.get_by_role("link", name="Recompute it from its evidence").click()
    expect(page.get_by_text("The verdict follows from its evidence.")).to_be_visible(timeout=60_000)
    assert opened.complaints == []
    assert violations(page) == []


def act(page: Page, title: str, reason: str) -> None:
    """From Now: open the act, give a reason, do it, go back to Now."""
    page.get_by_role("link", name=title).click()
    page.get_by_label("Reason").fill(reason)
    page.get_by_role("button", name=title).click()
    expect(page.get_by_text(f"{title}: done")).to_be_visible(timeout=90_000)
    page.get_by_role("link", name="Now").first.click()
