"""Versions broken on purpose: every fourth comes out wrong, the same way for whoever has it trained."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import override

import numpy as np

from selfheal.contract import Contract
from selfheal.models.fitted import Calibration, FittedModel
from selfheal.models.trainer import Begin, TrainedModel, unwatched
from selfheal.tables.dataset import Dataset
from selfheal_tools.backtest.model_cache import ModelCache
from selfheal_tools.backtest.stream import Stream

EVERY = 4
SHIFT = 1.0
SCRAMBLED = "scrambled"


def _inverted(calibration: Calibration) -> Calibration:
    return Calibration(-calibration.slope, -calibration.intercept)


def _shifted(calibration: Calibration) -> Calibration:
    return Calibration(calibration.slope, calibration.intercept + SHIFT)


KINDS: Mapping[str, Callable[[Calibration], Calibration]] = {"inverted": _inverted, "shifted": _shifted}
BROKEN = (*KINDS, SCRAMBLED)


@dataclass
class BrokenShelf(ModelCache):
    """Whatever is trained on rows that end in every fourth period of traffic is broken.

    kind: answers turned round, shifted by 1 in log-odds, or scrambled: the model was taught each number under the name
    of another one.
    """

    kind: str = SCRAMBLED
    stream: Stream | None = field(default=None, repr=False)

    @override
    def fit(self, dataset: Dataset, contract: Contract, *, seed: int = 0, begin: Begin = unwatched) -> TrainedModel:
        """As usual, or broken. Raises TrainingImpossible."""
        if not self._is_broken(dataset):
            return super().fit(dataset, contract, seed=seed, begin=begin)
        taught = _rotated(dataset) if self.kind == SCRAMBLED else dataset
        trained = super().fit(taught, contract, seed=seed, begin=begin)
        fitted = trained.fitted
        calibration = KINDS.get(self.kind, lambda same: same)(fitted.calibration)
        return replace(trained, fitted=FittedModel(fitted.members, calibration, fitted.threshold))

    def _is_broken(self, dataset: Dataset) -> bool:
        if self.stream is None:
            return False
        traffic = self.stream.traffic.timestamps
        last = int(np.searchsorted(traffic, dataset.timestamps.max(), side="right")) - 1
        return last >= 0 and int(self.stream.period_of[last]) % EVERY == 0


def _rotated(dataset: Dataset) -> Dataset:
    """Each number under the name of the next one."""
    features = dataset.features
    numbers = [name for name in features if features[name].dtype == np.float64]
    moved = {name: features[other] for name, other in zip(numbers, numbers[1:] + numbers[:1], strict=True)}
    return replace(dataset, features=features.assign(**moved))
