"""Has enough truth arrived for the gates to judge?"""

from datetime import datetime, timedelta

from selfheal.contract.model import Policy
from selfheal.errors import HealingIncomplete
from selfheal.gates.evaluation_rows import settled_coverage
from selfheal.records.healing import Healing, LabelProgress, Training
from selfheal.stores.collection import Stores
from selfheal.tables.predictions import LabelledWindow
from selfheal.tasks import BINARY, Task, task_of
from selfheal.tasks.port import support_of
from selfheal.usecases.labels.labelled_rows import labelled_window

SHORTEST_WAIT = timedelta(minutes=15)
# So that the longest wait stays far below the 25,000 events that an execution may record.
LOOKS = 200


def await_labels(stores: Stores, healing: Healing, training: Training, now: datetime) -> LabelProgress:
    """Count what the gates need. Ready once it is there, or once the wait is over: the gates then fail closed.

    Raises:
        HealingIncomplete: no version was trained.
        VersionUnknown, StoreUnavailable: the registry doesn't know the production version, or doesn't answer.
    """
    if training.evaluation_from is None:
        raise HealingIncomplete(f"healing {healing.execution} has no evaluation rows to wait for: {training.reason}")
    production = stores.models.manifest(healing.production_version)
    contract = production.contract
    window = labelled_window(stores, contract, training.evaluation_from, now)
    return progress(window, contract.policy, healing.started_at, now, task_of(production))


def progress(
    window: LabelledWindow, policy: Policy, started_at: datetime, now: datetime, task: Task = BINARY
) -> LabelProgress:
    """What a look at the evaluation window says about going on."""
    coverage = coverage_of(window, now)
    deadline = started_at + timedelta(hours=policy.retraining.label_wait_hours)
    labelled, needed = len(window.labelled), policy.gates
    is_enough = (
        labelled >= needed.minimum_samples and coverage is not None and coverage >= needed.minimum_coverage
    ) and support_of(task, window.labelled.labels) > 0
    counted = f"{labelled} of {len(window.predictions)} predictions labelled, coverage {coverage or 0.0:.1%}"
    counted += f"; {window.unmatched} labels belong to no known prediction" if window.unmatched else ""
    counted += f"; {window.faulty} predictions left out: the data pipeline was broken" if window.faulty else ""
    counted += f"; counted in a sample of {window.sampled_from} predictions" if window.sampled_from else ""
    is_over = now >= deadline
    return LabelProgress(
        ready=bool(is_enough or is_over),
        reason=f"{counted}: {'enough' if is_enough else 'the wait is over' if is_over else 'waiting for more'}",
        labelled=labelled,
        predictions=len(window.predictions),
        coverage=coverage or 0.0,
        deadline=deadline,
        wait_seconds=_wait(deadline - now, timedelta(hours=policy.retraining.label_wait_hours)),
    )


def coverage_of(window: LabelledWindow, now: datetime) -> float | None:
    """The labelled share of those predictions that are old enough to be labelled; None where none is."""
    return settled_coverage(window.predictions.timestamps, window.is_labelled, window.joined.delays, now=now)


def _wait(left: timedelta, whole: timedelta) -> int:
    wait = max(SHORTEST_WAIT, whole / LOOKS)
    return max(1, round(min(wait, left).total_seconds()))
