"""The demo's two acts: a drift that is healed; then, after the cooldown, a shadow model that is no better stays out."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np

from infra.demo.display import Display
from infra.demo.narrator import Narrator
from infra.demo.postbox import LabelPostbox
from infra.demo.traffic import Client, Rows
from infra.demo.world import ROWS_PER_DAY, World
from infra.local import LocalCloud
from infra.simulation.injection import shift_of_scale
from selfheal.artefact import Artefact, load_artefact
from selfheal.stores.registry import SERVING
from selfheal.usecases.bootstrap import bootstrap

STEP = timedelta(hours=6)
STEP_ROWS = ROWS_PER_DAY * STEP // timedelta(days=1)
REQUEST_ROWS = 100
ROWS_AFTER_HEALING = ROWS_PER_DAY
LONGEST_ACT = 20
MOVED_FEATURES = 3
IMPORTANCE_ROWS = 1_000


class Story:
    """One run of the demo on a local cloud; afterwards `client` and `labels` hold what was asked and sent."""

    def __init__(self, world: World, cloud: LocalCloud, display: Display, reports: Path, seed: int) -> None:
        self._world = world
        self._cloud = cloud
        self._display = display
        self._rest = world.changed
        self._seed = seed
        self.client = Client(cloud.url, world.contract)
        self.labels = LabelPostbox(cloud.stores.data, np.random.default_rng(seed))
        self.narrator = Narrator(cloud.stores, display, reports)

    def run(self) -> None:
        """Both acts, one after the other. Raises DemoFailed where the service doesn't answer."""
        self._train_first_model()
        self._live(self._world.calm, "calm", "calm traffic")
        self._heal()
        self._wait_out_the_cooldown()
        self._try_again_without_need()

    def _train_first_model(self) -> None:
        self._display.doing("training the first model")
        world, now = self._world, self._cloud.clock.now
        bootstrap(self._cloud.stores, world.training, world.contract, world.label_values, now=now, actor="demo")
        self.narrator.tell()

    def _heal(self) -> None:
        first = self._production()
        self._tell(f"[bold]the world changes[/bold]: {self._world.change}")
        self._live_until(lambda: self._production() != first, "changed", "changed world, the first model answers")
        self._live(self._next(ROWS_AFTER_HEALING), "changed", "changed world, the new model answers")

    def _wait_out_the_cooldown(self) -> None:
        days = self._world.contract.policy.gates.cooldown_days
        self._tell(f"{days:g} quiet days pass: no promotion is allowed while the cooldown lasts")
        self._cloud.run_until(self._cloud.clock.now + timedelta(days=days))

    def _try_again_without_need(self) -> None:
        began, base = self._cloud.clock.now, self._world.training.features
        names = least_important(self._production_model(), self._rest.part(0, IMPORTANCE_ROWS), self._world)
        self._tell(f"[bold]inputs move[/bold] that hardly matter to the model: {', '.join(names)}")
        moved = shift_of_scale(self._rest.features, base, names, self._world.contract)
        self._rest = Rows(moved, self._rest.labels)
        self._live_until(lambda: bool(self.narrator.decided_since(began)), "aftermath", "inputs moved")

    def _live(self, rows: Rows, act: str, what: str) -> None:
        steps = len(rows) // STEP_ROWS
        for step in range(steps):
            self._display.doing(what, step / steps)
            self._step(rows.part(step * STEP_ROWS, (step + 1) * STEP_ROWS), act)

    def _live_until(self, is_over: Callable[[], bool], act: str, what: str) -> None:
        for step in range(LONGEST_ACT):
            if is_over() or len(self._rest) < STEP_ROWS:
                return
            self._display.doing(what, step / LONGEST_ACT)
            self._step(self._next(STEP_ROWS), act)

    def _step(self, rows: Rows, act: str) -> None:
        """Six hours: traffic, the labels that are due, and the monitoring runs that are."""
        starts = range(0, len(rows), REQUEST_ROWS)
        for start in starts:
            self._cloud.run_until(self._cloud.clock.now + STEP / len(starts))
            self.labels.add(self.client.ask(rows.part(start, start + REQUEST_ROWS), self._cloud.clock.now, act))
        self.labels.deliver(self._cloud.clock.now)
        self._cloud.settle()
        self.narrator.tell()

    def _next(self, n: int) -> Rows:
        taken, self._rest = self._rest.part(0, n), self._rest.part(n, len(self._rest))
        return taken

    def _production(self) -> str:
        return self._cloud.stores.pointer.read().pointer.version

    def _production_model(self) -> Artefact:
        models = self._cloud.stores.models
        return load_artefact(models.artefact(models.manifest(self._production()), SERVING))

    def _tell(self, what: str) -> None:
        self._display.happened(self._cloud.clock.now, what)


def least_important(model: Artefact, rows: Rows, world: World) -> list[str]:
    """The numeric features whose shuffling moves the model's probabilities least (permutation importance)."""
    rng = np.random.default_rng(0)
    columns = {name: rows.features[name].to_numpy() for name in world.contract.feature_names}
    usual = model.probabilities_of(columns)
    importance = {
        name: float(np.abs(model.probabilities_of({**columns, name: rng.permutation(columns[name])}) - usual).mean())
        for name in world.contract.numeric_features
        if world.contract.features[name].type != "boolean"
    }
    return sorted(importance, key=lambda name: importance[name])[:MOVED_FEATURES]
