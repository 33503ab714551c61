"""The first version of an environment: trained from a user's file and promoted without gates, as the ledger says."""

from datetime import datetime

from selfheal.contract import Contract
from selfheal.data.labels import TargetValues
from selfheal.errors import NoProductionModel, PromotionConflict
from selfheal.models.trainer import Trainer
from selfheal.models.trainers import BUILT_IN
from selfheal.records.ledger import Decision
from selfheal.records.manifest import Lineage
from selfheal.stores.collection import Stores
from selfheal.tables.dataset import Dataset
from selfheal.tables.thinning import thinned
from selfheal.usecases.heal.conclude import promote_first
from selfheal.usecases.registry.moves import Tell
from selfheal.usecases.registry.train import train_version, version_name


def bootstrap(
    stores: Stores,
    dataset: Dataset,
    contract: Contract,
    label_values: TargetValues,
    *,
    now: datetime,
    actor: str,
    fit: Trainer = BUILT_IN,
    tell: Tell = lambda _: None,
) -> Decision:
    """Train the first version and put it into production; `tell` gets the sentence that says so.

    Of more rows than memory holds, or the policy says, a sample trains.

    Raises:
        PromotionConflict: the environment has a production model already; nothing is trained.
        TrainingImpossible: the rows can't train a model.
        StoreUnavailable: the registry doesn't answer; calling again finishes it.
    """
    _refuse_second(stores)
    taken = thinned(dataset, contract)
    manifest = train_version(
        stores.models,
        taken.rows,
        contract,
        version=version_name(now, taken.rows),
        now=now,
        lineage=Lineage(parent_version=None, execution=None, trigger="bootstrap"),
        evaluation_from=None,
        label_values=label_values,
        takes_new_classes=contract.model.classes is None,
        sampling=taken.sampling,
        fit=fit,
    )
    return promote_first(stores, manifest, now=now, actor=actor, tell=tell)


def _refuse_second(stores: Stores) -> None:
    # Training takes a while; who asks in vain should hear so at once.
    try:
        current = stores.pointer.read().pointer
    except NoProductionModel:
        return
    raise PromotionConflict(f"{current.version} is in production already; `selfheal heal` replaces it")
