"""The whole loop on a local cloud in a few seconds: a small stream of credit applications under a quick policy."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from infra.local import LocalCloud
from selfheal.contract import Contract, default_contract
from selfheal.contract.model import GatePolicy, MonitoringPolicy, Policy, ProbationPolicy, RetrainingPolicy
from selfheal.data.labels import TargetValues
from selfheal.usecases.registry.bootstrap import bootstrap
from selfheal_tools.demo.label_uploads import LabelUploads
from selfheal_tools.demo.traffic import Client, Rows
from selfheal_tools.demo.world import _dated
from selfheal_tools.simulation.credit import Phase, credit_rows

START = datetime(2026, 1, 5, tzinfo=UTC)
STEP = timedelta(hours=6)
REQUESTS, REQUEST_ROWS = 4, 125

QUICK = Policy(
    monitoring=MonitoringPolicy(minimum_predictions=200, effect_threshold=0.05),
    retraining=RetrainingPolicy(minimum_labels=200, retry_hours=6.0, label_wait_hours=24.0),
    gates=GatePolicy(minimum_samples=100, cooldown_days=0.0),
    probation=ProbationPolicy(days=3.0),
)


def quick_contract() -> Contract:
    contract = default_contract().with_policy(QUICK)
    return contract.model_copy(update={"model": contract.model.model_copy(update={"repeated_ids": "refuse"})})


@dataclass
class SmallLoop:
    """Traffic, late truth and time for one cloud."""

    cloud: LocalCloud
    contract: Contract = field(default_factory=quick_contract)

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(7)
        self.client = Client(self.cloud.url, self.contract)
        self.labels = LabelUploads(self.cloud.stores.data, self._rng)

    def close(self) -> None:
        self.client.close()

    def bootstrap(self, rows: int = 2_000) -> None:
        training = _dated(Rows(*credit_rows(self._rng, rows)), self.cloud.clock.now)
        values = TargetValues(positive="1", negative="0")
        bootstrap(self.cloud.stores, training, self.contract, values, now=self.cloud.clock.now, actor="test")

    def live(self, steps: int, phase: Phase = Phase.CALM, *, invert: bool = False) -> None:
        """Some steps of six hours: traffic, the truth that is due, everything that is scheduled."""
        for _ in range(steps):
            for _ in range(REQUESTS):
                self.cloud.run_until(self.cloud.clock.now + STEP / REQUESTS)
                self._ask(phase, invert=invert)
            self.labels.deliver(self.cloud.clock.now)
            self.cloud.settle()

    def _ask(self, phase: Phase, *, invert: bool) -> None:
        features, labels = credit_rows(self._rng, REQUEST_ROWS, phase)
        rows = Rows(features, 1 - labels if invert else labels)
        self.labels.add(self.client.ask(rows, self.cloud.clock.now, "test"))

    def decisions(self) -> list[str]:
        return [decision.kind for decision in self.cloud.stores.ledger.decisions()]
