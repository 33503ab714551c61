"""Trained models, each trained once: the same rows under the same retraining policy give the same model."""

import hashlib
import pickle
import time
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version as version_of
from multiprocessing import get_context
from pathlib import Path

import selfheal
from selfheal.contract import Contract
from selfheal.data.parquet import fingerprint
from selfheal.errors import TrainingImpossible
from selfheal.models.trainer import Begin, TrainedModel, unwatched
from selfheal.tables.dataset import Dataset
from selfheal.training import train
from selfheal.training.own import source_of

# What a trained model follows from, besides the rows and the contract.
SOURCES = ("contract", "data", "files", "labels", "models", "records", "tables", "tasks", "training")
LIBRARIES = ("numpy", "scikit-learn")

type Outcome = tuple[TrainedModel | TrainingImpossible, float]


@dataclass
class ModelCache:
    """Fits on demand, or ahead of demand in other processes.

    pool: the other processes. folder: where models are kept for later replays; it holds pickles, so that only what this
    program wrote may lie there. seconds: what the fits that were asked for took, each time that they were.
    """

    pool: ProcessPoolExecutor | None = None
    folder: Path | None = None
    seconds: float = 0.0
    _kept: dict[str, Outcome] = field(default_factory=dict)
    _ahead: dict[str, "Future[Outcome]"] = field(default_factory=dict)

    def order(self, rows: Dataset, contract: Contract) -> None:
        """Train these rows in another process, if there is one, as they will be asked for."""
        key = _key(rows, contract, 0)
        if self.pool is not None and key not in self._kept and key not in self._ahead and self._read(key) is None:
            self._ahead[key] = self.pool.submit(_fit, rows, contract, 0)

    def fit(self, dataset: Dataset, contract: Contract, *, seed: int = 0, begin: Begin = unwatched) -> TrainedModel:
        """As `selfheal.training.train`. Raises TrainingImpossible."""
        begin("looking up the model")
        key = _key(dataset, contract, seed)
        if key not in self._kept:
            self._kept[key] = self._read(key) or self._made(key, dataset, contract, seed)
        outcome, seconds = self._kept[key]
        self.seconds += seconds
        if isinstance(outcome, TrainingImpossible):
            raise outcome
        return outcome

    def _made(self, key: str, dataset: Dataset, contract: Contract, seed: int) -> Outcome:
        ahead = self._ahead.pop(key, None)
        # One that no process has begun is quicker done here.
        is_begun = ahead is not None and not ahead.cancel()
        outcome = ahead.result() if ahead is not None and is_begun else _fit(dataset, contract, seed)
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            # Another replay may be reading.
            part = self.folder / f"{key}.{id(self)}.part"
            part.write_bytes(pickle.dumps(outcome))
            part.replace(self.folder / key)
        return outcome

    def _read(self, key: str) -> Outcome | None:
        if self.folder is None or not (self.folder / key).exists():
            return None
        outcome: Outcome = pickle.loads((self.folder / key).read_bytes())  # noqa: S301 - our own, see above
        return outcome


def workers(count: int) -> ProcessPoolExecutor:
    """Processes that train."""
    return ProcessPoolExecutor(count, mp_context=get_context("forkserver"))


def _fit(rows: Dataset, contract: Contract, seed: int) -> Outcome:
    began = time.perf_counter()
    try:
        return train(rows, contract, seed=seed), time.perf_counter() - began
    except TrainingImpossible as error:
        return error, time.perf_counter() - began


def _key(rows: Dataset, contract: Contract, seed: int) -> str:
    retraining = contract.policy.retraining.model_dump_json()
    described = contract.model_dump_json(include={"model", "features"})
    told = "\n".join([fingerprint(rows), described, retraining, str(seed), _library()])
    own = b"" if contract.model.trainer is None else source_of(contract.model.trainer)
    return hashlib.sha256(told.encode() + own).hexdigest()


@cache
def _library() -> str:
    root = Path(selfheal.__file__).parent
    files = sorted(file for folder in SOURCES for file in (root / folder).rglob("*.py"))
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    return " ".join([digest, *(version_of(name) for name in LIBRARIES)])
