"""A real browser in front of a console over a local cloud; skipped, with the reason, where none is installed."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from infra.local import LocalCloud, synthesised
from selfheal.usecases.registry.pause import pause
from selfheal_tools.demo.watching import watched
from selfheal_tools.simulation.credit import Phase
from tests.browser.installed import MISSING, chromium_path
from tests.support.small_loop import START, SmallLoop, quick_contract

SCRIPT = "<script>alert(1)</script>"
# Days of a world that is upside down: by then labels have come that a healing can learn from.
STEPS = 7


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser of this machine, without a window."""
    path = chromium_path()
    if path is None:
        pytest.skip(MISSING)
    with sync_playwright() as playwright:
        # Containers have no right to make the sandbox; only our own pages are opened.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Console:
    """A console that runs: its address with the key, and the loop behind it."""

    address: str
    loop: SmallLoop

    @property
    def origin(self) -> str:
        return self.address.split("/?", maxsplit=1)[0]


@pytest.fixture(scope="session")
def console(tmp_path_factory, chromium) -> Iterator[Console]:
    """Production is wrong by now, promotions are paused, people are asked; somebody uploads odd names."""
    folder, here = tmp_path_factory.mktemp("cloud"), pytest.MonkeyPatch()
    here.chdir(tmp_path_factory.mktemp("folder"))
    Path("build/demo").mkdir(parents=True)
    deployed = LocalCloud.deploy(synthesised(schedule_minutes=360), start=START, work_dir=folder)
    with deployed as cloud, closing(SmallLoop(cloud, asking_contract())) as loop:
        loop.bootstrap()
        pause(cloud.stores, reason=SCRIPT, actor="ann", now=cloud.clock.now)
        loop.live(STEPS, Phase.CHANGED_RISK, invert=True)
        cloud.stores.labels.receive(f"{SCRIPT}.csv", f"prediction_id,label\n{SCRIPT},1\n".encode())
        cloud.settle()
        with watched(cloud) as address:
            yield Console(address, loop)
    here.undo()


def asking_contract():
    """The quick contract, under which a person is asked before a promotion."""
    contract = quick_contract()
    promotion = contract.policy.promotion.model_copy(update={"approval_hours": 24.0})
    return contract.with_policy(contract.policy.model_copy(update={"promotion": promotion}))


@dataclass
class Watched:
    """A page, and what the browser complained about."""

    page: Page
    complaints: list[str] = field(default_factory=list)


@pytest.fixture
def open_page(chromium, console) -> Iterator:
    """A function that opens the console at a width and in a colour scheme."""
    contexts = []

    def opened(width: int, scheme: str = "light") -> Watched:
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        watched_page = Watched(context.new_page())
        page, complaints = watched_page.page, watched_page.complaints
        page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.goto(console.address)
        return watched_page

    yield opened
    for context in contexts:
        context.close()
