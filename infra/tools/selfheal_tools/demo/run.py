"""The demo from its options to its outcome: world, local cloud, story, summary."""

import fcntl
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from rich.console import Console
from rich.text import Text

from infra.local import FunctionFailed, LocalCloud, synthesised
from selfheal.contract import default_contract
from selfheal_tools.contract_file import read_contract
from selfheal_tools.demo.display import Display
from selfheal_tools.demo.outcome import Outcome, outcome_of
from selfheal_tools.demo.story import Story
from selfheal_tools.demo.traffic import DemoFailed
from selfheal_tools.demo.watching import watched
from selfheal_tools.demo.world import World, made_up_world, read_history, world_of_history
from selfheal_tools.terminal import terminal

START = datetime(2026, 1, 5, tzinfo=UTC)
FOLDER = Path("build/demo")
# Twice a day instead of every hour: the demo's days are short.
SCHEDULE_MINUTES = 12 * 60


def run_demo(
    *,
    contract_path: Path | None,
    data_path: Path | None,
    json_path: Path | None,
    seed: int,
    keep: bool,
    now: datetime,
) -> Outcome:
    """Run the demo, tell it on the terminal, and write its JSON where asked for; no row of a file is later than now."""
    began = time.monotonic()
    console = terminal()
    with Display(console, START) as display, _only_demo_here():
        display.doing("preparing the world and synthesising the local cloud")
        world, assembly = _prepared(contract_path, data_path, seed, now)
        reports = _fresh_folder(FOLDER) / "reports"
        reports.mkdir()
        title = Text.assemble(("selfheal demo", "bold"), f" on {world.name}: everything runs on this machine, in ")
        console.print(title + Text("simulated time"))
        for sentence in world.told:
            console.print(sentence)
        display.doing("deploying the local cloud")
        with LocalCloud.deploy(assembly, start=START, work_dir=FOLDER / "cloud") as cloud:
            story = Story(world, cloud, display, reports, seed)
            with closing(story.client), watched(cloud) as address:
                console.print(f"watch it: {address}", soft_wrap=True)
                story.run()
                outcome = outcome_of(
                    story.client.answered,
                    story.labels.uploaded,
                    cloud.stores,
                    world.contract,
                    met_by=story.met_by,
                    serving=story.client.serving_version(),
                    now=cloud.clock.now,
                    seconds=time.monotonic() - began,
                )
                _finish(display, console, outcome, story, json_path)
                if keep:
                    _keep(console, display, cloud, reports, address)
    return outcome


def _prepared(contract_path: Path | None, data_path: Path | None, seed: int, now: datetime) -> tuple[World, Path]:
    """The world and the cloud's assembly, which is another process's work, so both at once.

    Raises:
        DataInvalid: the file can't be shown; nothing is synthesised for it.
    """
    contract = default_contract() if contract_path is None else read_contract(contract_path)
    history = None if data_path is None else read_history(data_path, contract, now)
    with ThreadPoolExecutor(1) as beside:
        assembly = beside.submit(synthesised, schedule_minutes=SCHEDULE_MINUTES)
        world = made_up_world(START, seed) if history is None else world_of_history(history, START, seed)
        return world, assembly.result()


@contextmanager
def _only_demo_here() -> Iterator[None]:
    """Refuse to run beside another demo, whose folder this one would clear. Raises DemoFailed."""
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    with FOLDER.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoFailed("another demo is running or kept in this folder: end it first (Ctrl-C)") from None
        yield


def _fresh_folder(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _finish(display: Display, console: Console, outcome: Outcome, story: Story, json_path: Path | None) -> None:
    display.summary(outcome)
    if json_path is not None:
        json_path.write_text(outcome.model_dump_json(indent=2), encoding="utf-8")
    for report in story.narrator.report_files:
        console.print(f"report: {report}")
    verdict = ("healed", "bold green") if outcome.healed else ("not healed", "bold red")
    console.print(Text.assemble(verdict, f": {outcome.reason}"))
    console.print(f"{outcome.seconds:.0f} seconds; logs of the functions: {FOLDER / 'cloud'}")


def _keep(console: Console, display: Display, cloud: LocalCloud, reports: Path, address: str) -> None:
    """Serve the API and the reports until Ctrl-C, simulated time going on as real time does."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(reports))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        console.print(f"console: {address}", soft_wrap=True)
        console.print(f"API:     {cloud.url}/docs")
        console.print(f"reports: http://127.0.0.1:{server.server_port}/")
        console.print("every command works beside it, such as `selfheal status --stage local`")
        display.doing("serving until Ctrl-C")
        with suppress(KeyboardInterrupt):
            while True:
                time.sleep(1.0)
                _pass_a_second(console, cloud)
        server.shutdown()


def _pass_a_second(console: Console, cloud: LocalCloud) -> None:
    """What somebody tries out may make a function fail; the others go on."""
    try:
        cloud.run_until(cloud.clock.now + timedelta(seconds=1))
    except FunctionFailed as failure:
        console.print(f"{failure.function} failed; its log is in {FOLDER / 'cloud'}")
