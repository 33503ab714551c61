"""Training that is done once for the same rows, for tests that are about what comes after it."""

from selfheal.contract import Contract
from selfheal.data.parquet import fingerprint
from selfheal.models.trainer import Begin, TrainedModel, unwatched
from selfheal.tables.dataset import Dataset
from selfheal.training import train

_TRAINED: dict[tuple[str, str, int], TrainedModel] = {}


def remembered_fit(dataset: Dataset, contract: Contract, *, seed: int = 0, begin: Begin = unwatched) -> TrainedModel:
    """What the trainer of selfheal's own makes of these rows."""
    key = fingerprint(dataset), contract.model_dump_json(), seed
    if key not in _TRAINED:
        _TRAINED[key] = train(dataset, contract, seed=seed, begin=begin)
    return _TRAINED[key]
