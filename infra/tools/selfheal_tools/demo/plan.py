"""How many rows the demo takes of a file for what, and the policy that so many rows a day allow."""

from dataclasses import dataclass
from typing import Any, Self

from numpy.typing import NDArray

from selfheal.contract import Contract
from selfheal.contract.model import Policy
from selfheal.errors import DataInvalid
from selfheal.tasks import BINARY, Task
from selfheal.tasks.port import support_of

LEAST_ROWS, LEAST_OF_A_CLASS = 2_000, 20
NEEDS = f"the demo needs {LEAST_ROWS:,} labelled rows, and {LEAST_OF_A_CLASS} of either label among the oldest quarter"
# The oldest quarter trains, and what is left is spread over days of at most so many rows.
TRAINING_SHARE, MOST_TRAINING_ROWS = 4, 24_000
DAYS, MOST_ROWS_A_DAY = 9, 4_000
CALM_DAYS, CHANGED_DAYS = 2, 12
STEPS_A_DAY = 4
# A window of one day: a longer one would hold mostly rows from before the change.
LOOKBACK_HOURS = 24


@dataclass(frozen=True, slots=True)
class Plan:
    """training: rows that train the first model. a_day: rows of a day of traffic; days: calm ones and then changed."""

    training: int
    a_day: int

    @classmethod
    def of(cls, name: str, labels: NDArray[Any], task: Task = BINARY) -> Self:
        """The plan for a file's rows in time order, by their labels, shape (n,).

        Raises:
            DataInvalid: the file has too few rows, or too few of a class among those that would train.
        """
        if len(labels) < LEAST_ROWS:
            raise DataInvalid([f"{name} has {len(labels):,} rows; {NEEDS}"])
        training = min(len(labels) // TRAINING_SHARE, MOST_TRAINING_ROWS)
        counted = task.counted(labels[:training])
        if support_of(task, labels[:training]) < LEAST_OF_A_CLASS:
            said = "all have the same label" if counted is None else f"{counted.number:,} are {counted.kind}"
            raise DataInvalid([f"of the oldest {training:,} rows of {name} {said}; {NEEDS}"])
        a_step = min((len(labels) - training) // (DAYS * STEPS_A_DAY), MOST_ROWS_A_DAY // STEPS_A_DAY)
        return cls(training, a_step * STEPS_A_DAY)

    @property
    def a_step(self) -> int:
        """Rows of six hours."""
        return self.a_day // STEPS_A_DAY

    @property
    def calm(self) -> int:
        """Rows of the calm days."""
        return CALM_DAYS * self.a_day

    def sentences(self, rows: int, contract: Contract) -> list[str]:
        """What the demo takes of so many rows, and which limits of the contract are lowered for it."""
        changed = min(rows - self.training - self.calm, CHANGED_DAYS * self.a_day) / self.a_day
        shares = f"of {rows:,} rows the oldest {self.training:,} train the first model"
        days = f"then come {CALM_DAYS} calm days and {changed:.0f} changed ones, of {self.a_day:,} rows each"
        before, after = contract.policy, self.policy(contract.policy)
        limits = (
            ("lookback_hours", before.monitoring.lookback_hours, after.monitoring.lookback_hours),
            ("minimum_predictions", before.monitoring.minimum_predictions, after.monitoring.minimum_predictions),
            ("minimum_labels", before.retraining.minimum_labels, after.retraining.minimum_labels),
            ("minimum_samples", before.gates.minimum_samples, after.gates.minimum_samples),
        )
        lowered = [f"{name} {was} -> {now}" for name, was, now in limits if was != now]
        limits_told = f"limits of the contract, lowered for so short a story: {', '.join(lowered)}"
        return [f"{shares}; {days}", *([limits_told] if lowered else [])]

    def policy(self, policy: Policy) -> Policy:
        """The contract's policy with limits that a few days can reach; never with higher ones."""
        # The first run, after half a day, has something to judge.
        enough, half_a_day, a_step = self.a_day // 3, self.a_day // 2, self.a_step
        monitoring, retraining, gates = policy.monitoring, policy.retraining, policy.gates
        return policy.model_copy(
            update={
                "monitoring": monitoring.model_copy(
                    update={
                        "lookback_hours": min(monitoring.lookback_hours, LOOKBACK_HOURS),
                        "minimum_predictions": min(monitoring.minimum_predictions, enough),
                    }
                ),
                "retraining": retraining.model_copy(
                    update={"minimum_labels": min(retraining.minimum_labels, half_a_day)}
                ),
                "gates": gates.model_copy(update={"minimum_samples": min(gates.minimum_samples, a_step)}),
            }
        )
