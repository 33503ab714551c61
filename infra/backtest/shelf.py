"""Trained models, each trained once: the same rows under the same retraining policy give the same model."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Self

from selfheal.contract import Contract
from selfheal.data.dataset import Dataset
from selfheal.data.parquet import fingerprint
from selfheal.errors import TrainingImpossible
from selfheal.training import TrainedModel, train

type Outcome = tuple[TrainedModel | TrainingImpossible, float]


def _fit(rows: Dataset, contract: Contract, seed: int) -> Outcome:
    began = time.perf_counter()
    try:
        return train(rows, contract, seed=seed), time.perf_counter() - began
    except TrainingImpossible as error:
        return error, time.perf_counter() - began


@dataclass
class Shelf:
    """Fits on demand, or ahead of demand in other processes. seconds: what the fits of the last reader took."""

    pool: ProcessPoolExecutor | None = None
    seconds: float = 0.0
    _kept: dict[str, Outcome] = field(default_factory=dict)
    _ahead: dict[str, "Future[Outcome]"] = field(default_factory=dict)

    @classmethod
    def with_workers(cls, workers: int) -> Self:
        """A shelf with so many processes beside this one that train what is asked for ahead."""
        return cls(ProcessPoolExecutor(workers, mp_context=get_context("forkserver")) if workers else None)

    def close(self) -> None:
        """Let the other processes go."""
        if self.pool is not None:
            self.pool.shutdown(wait=True, cancel_futures=True)

    def order(self, rows: Dataset, contract: Contract, seed: int = 0) -> None:
        """Train these rows in another process, if there is one, as they will be asked for."""
        key = _key(rows, contract, seed)
        if self.pool is not None and key not in self._kept and key not in self._ahead:
            self._ahead[key] = self.pool.submit(_fit, rows, contract, seed)

    def fit(
        self, dataset: Dataset, contract: Contract, *, seed: int = 0, check_budget: Callable[[], None] = lambda: None
    ) -> TrainedModel:
        """As `selfheal.training.train`. Raises TrainingImpossible."""
        check_budget()
        key = _key(dataset, contract, seed)
        if key not in self._kept:
            ahead = self._ahead.pop(key, None)
            # One that no process has begun is quicker done here.
            is_begun = ahead is not None and not ahead.cancel()
            self._kept[key] = ahead.result() if ahead is not None and is_begun else _fit(dataset, contract, seed)
        outcome, seconds = self._kept[key]
        self.seconds += seconds
        if isinstance(outcome, TrainingImpossible):
            raise outcome
        return outcome


def _key(rows: Dataset, contract: Contract, seed: int) -> str:
    return f"{fingerprint(rows)} {contract.policy.retraining.model_dump_json()} {seed}"
