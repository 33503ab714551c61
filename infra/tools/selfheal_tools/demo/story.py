"""The demo's two acts: a drift that is healed; then labels that are wrong, and the model they teach stays out."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infra.local import LocalCloud
from selfheal.contract import Contract
from selfheal.records.healing import Trigger
from selfheal.usecases.heal.lifecycle import start_healing
from selfheal.usecases.registry.bootstrap import bootstrap
from selfheal_tools.demo.display import Display
from selfheal_tools.demo.label_uploads import LabelUploads
from selfheal_tools.demo.narrator import Narrator
from selfheal_tools.demo.plan import STEPS_A_DAY
from selfheal_tools.demo.traffic import Client, Rows
from selfheal_tools.demo.world import World

STEP = timedelta(days=1) / STEPS_A_DAY
# Requests are spread over the day, and none is larger than this.
REQUESTS_A_STEP, REQUEST_ROWS = 4, 250
STEPS_AFTER_HEALING = STEPS_A_DAY
LONGEST_ACT = 32
# Half a day that teaches what isn't true, and half a day by which what was learnt is judged.
MISLABELLED_STEPS, AFTERMATH_STEPS = 2, 2


class Story:
    """One run of the demo on a local cloud; afterwards `client` and `labels` hold what was asked and sent.

    met_by: the version in production when the world changed.
    """

    def __init__(self, world: World, cloud: LocalCloud, display: Display, reports: Path, seed: int) -> None:
        self._world = world
        self._cloud = cloud
        self._display = display
        self._rest = world.changed
        self._seed = seed
        self.client = Client(cloud.url, world.contract)
        self.labels = LabelUploads(cloud.stores.data, np.random.default_rng(seed))
        self.narrator = Narrator(cloud.stores, display, reports)
        self.met_by = ""

    def run(self) -> None:
        """Both acts, one after the other. Raises DemoFailed where the service doesn't answer."""
        self._train_first_model()
        self._live(self._world.calm, "calm", "calm traffic")
        if self._heal() and self._can_mislabel():
            self._mislabel()
            self._try_once_the_cooldown_is_over()

    def _train_first_model(self) -> None:
        self._display.doing("training the first model")
        world, now = self._world, self._cloud.clock.now
        stores, values = self._cloud.stores, world.label_values
        bootstrap(stores, world.training, world.contract, values, now=now, actor="demo", fit=world.fit)
        self.narrator.tell()

    def _heal(self) -> bool:
        """Whether another version is in production in the end."""
        self.met_by = met_by = self._production()
        self._tell(f"the world changes: {self._world.change}", "bold")
        reserved = STEPS_AFTER_HEALING * self._world.plan.a_step
        what = "changed world, the old model answers"
        self._live_until(lambda: self._production() != met_by, "changed", what, reserved=reserved)
        if self._production() == met_by:
            return False
        self._live(self._next(reserved), "changed", "changed world, the new model answers")
        return True

    def _can_mislabel(self) -> bool:
        is_enough = len(self._rest) >= (MISLABELLED_STEPS + AFTERMATH_STEPS) * self._world.plan.a_step
        if not is_enough:
            self._tell("too few rows are left to show how wrong labels are kept out")
        return is_enough

    def _mislabel(self) -> None:
        """Whoever delivers the truth mixes it up for half a day: a model that believes it is worse."""
        said, wrong = _mixed_up(self._world.contract)
        self._tell(f"labels go wrong: for half a day somebody uploads {said}", "bold")
        rows = self._next(MISLABELLED_STEPS * self._world.plan.a_step)
        self._live(Rows(rows.features, wrong(rows.labels)), "mislabelled", "wrong labels")
        self._live(self._next(AFTERMATH_STEPS * self._world.plan.a_step), "aftermath", "right labels again")

    def _try_once_the_cooldown_is_over(self) -> None:
        """Monitoring asks for a healing by itself where it sees cause; otherwise somebody does."""
        began = self._cloud.clock.now
        self._wait_out_the_cooldown()
        if self._cloud.executions.recent()[0].status != "RUNNING" and not self.narrator.decided_since(began):
            self._tell("somebody asks for a healing, as `selfheal heal` does")
            trigger = Trigger(kind="manual", reason="to see whether a new model would be better")
            cloud, story = self._cloud, self._cloud.stores.ledger.story()
            start_healing(cloud.stores, cloud.executions, story, trigger, cloud.clock.now)
            self._cloud.settle()
            self.narrator.tell()
        self._live_until(lambda: bool(self.narrator.decided_since(began)), "aftermath", "waiting for the decision")

    def _wait_out_the_cooldown(self) -> None:
        days = self._world.contract.policy.gates.cooldown_days
        self._tell(f"{days:g} quiet days pass: no promotion is allowed while the cooldown lasts")
        # Nothing is asked meanwhile, so a single monitoring run at the end stands for those of the days between.
        self._cloud.clock.advance(timedelta(days=days))
        self.labels.deliver(self._cloud.clock.now)
        self._cloud.settle()
        self._cloud.tick()
        self._cloud.settle()
        self.narrator.tell()

    def _live(self, rows: Rows, act: str, what: str) -> None:
        a_step = self._world.plan.a_step
        steps = len(rows) // a_step
        for step in range(steps):
            self._display.doing(what, step / steps)
            self._step(rows.part(step * a_step, (step + 1) * a_step), act)

    def _live_until(self, is_over: Callable[[], bool], act: str, what: str, *, reserved: int = 0) -> None:
        """Until something has happened or it takes too long; time goes on where only reserved rows are left."""
        for step in range(LONGEST_ACT):
            if is_over():
                return
            self._display.doing(what, step / LONGEST_ACT)
            self._step(self._next(min(self._world.plan.a_step, max(len(self._rest) - reserved, 0))), act)

    def _step(self, rows: Rows, act: str) -> None:
        """Six hours: traffic, the labels that are due, and the monitoring runs that are."""
        ends = self._cloud.clock.now + STEP
        size = min(REQUEST_ROWS, max(1, -(-len(rows) // REQUESTS_A_STEP)))
        starts = range(0, len(rows), size)
        for start in starts:
            self._cloud.run_until(self._cloud.clock.now + STEP / len(starts))
            self.labels.add(self.client.ask(rows.part(start, start + size), self._cloud.clock.now, act))
        self._cloud.run_until(max(ends, self._cloud.clock.now))
        self.labels.deliver(self._cloud.clock.now)
        self._cloud.settle()
        self.narrator.tell()

    def _next(self, n: int) -> Rows:
        taken, self._rest = self._rest.part(0, n), self._rest.part(n, len(self._rest))
        return taken

    def _production(self) -> str:
        return self._cloud.stores.pointer.read().pointer.version

    def _tell(self, what: str, style: str = "") -> None:
        self._display.happened(self._cloud.clock.now, what, style)


def _mixed_up(contract: Contract) -> tuple[str, Callable[[NDArray[Any]], NDArray[Any]]]:
    """What goes wrong with labels, in words, and what it makes of them."""
    classes = contract.model.classes
    if contract.model.task == "regression":
        return "the lowest number for the highest, and so on", lambda labels: labels.max() + labels.min() - labels
    if classes is not None:
        return "for each class the next one", lambda labels: ((labels + 1) % len(classes)).astype(labels.dtype)
    return "0 for 1 and 1 for 0", lambda labels: 1 - labels
