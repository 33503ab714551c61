"""Train the shadow model of a healing, if there is anything to train it on and anything left to judge it by."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache, partial
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from selfheal.contract.model import MOST_CLASSES, Contract
from selfheal.data.labels import TargetValues
from selfheal.data.merging import Merged, merged
from selfheal.data.moments import as_datetime64
from selfheal.data.parquet import from_parquet
from selfheal.errors import (
    AccessRefused,
    ExportInexact,
    StoreUnavailable,
    TrainerFailed,
    TrainingBudgetExceeded,
    TrainingImpossible,
)
from selfheal.healing.evaluation_rows import evaluation_rows_of
from selfheal.models.trainer import Begin, Trainer
from selfheal.models.trainers import BUILT_IN
from selfheal.prefixes import KEPT
from selfheal.records.artefacts import TRAINING
from selfheal.records.healing import Healing, Training
from selfheal.records.manifest import Lineage, Manifest
from selfheal.records.story import Story
from selfheal.stores.collection import Stores
from selfheal.tables.dataset import Dataset
from selfheal.tables.thinning import Reading, thinned, was_left_out
from selfheal.usecases.heal.members import trained_versions
from selfheal.usecases.labels.labelled_rows import labelled_rows
from selfheal.usecases.registry.train import train_version, version_name


def train_shadow(
    stores: Stores,
    healing: Healing,
    now: datetime,
    *,
    check_budget: Callable[[], None] = lambda: None,
    fit: Trainer = BUILT_IN,
) -> Training:
    """Train on production's training set and every labelled row since, the newest kept back to judge by.

    Asked again for one healing it returns the version that it has written. Where training makes no sense the outcome
    is `skip`, where it ran and came to nothing `failed`; both say why. `check_budget` may raise TrainingBudgetExceeded.

    Raises:
        VersionUnknown, ReferenceTampered, StoreUnavailable: the registry lacks the production version, holds another
            one than was written, or doesn't answer.
    """
    production = stores.models.manifest(healing.production_version)
    versions = trained_versions(stores, production.contract)
    done = next((one for one in versions if one.lineage.execution == healing.execution), None)
    if done is not None:
        return _training(done)
    story = stores.ledger.story()
    ends = story.cooldown_ends(production.contract.policy)
    if ends is not None and now < ends:
        return Training(outcome="skip", reason=f"the cooldown ends at {ends:%Y-%m-%d %H:%M} UTC: no promotion before")
    try:
        return _training(
            _trained(stores, story, healing, production, versions, now, _told(stores, healing, check_budget), fit)
        )
    except TrainingImpossible as error:
        return Training(outcome="skip", reason=str(error))
    except (ExportInexact, TrainerFailed, TrainingBudgetExceeded) as error:
        return Training(outcome="failed", reason=str(error))


def _trained(
    stores: Stores,
    story: Story,
    healing: Healing,
    production: Manifest,
    versions: Sequence[Manifest],
    now: datetime,
    begin: Begin,
    fit: Trainer,
) -> Manifest:
    begin("reading labelled rows")
    contract = _with_new_classes(stores, story, production, now)
    base = cache(partial(_base, stores, production, contract))
    start, reading = _start(story, production, now), Reading(contract)
    labelled = labelled_rows(stores, contract, start, now, kept=reading.kept)
    unhurried = healing.trigger.kind == "growth"
    newest = versions[0] if versions else None
    rows = evaluation_rows_of(story, production, newest, labelled, unhurried=unhurried)
    if rows is None:
        raise TrainingImpossible(_no_evaluation_rows(labelled, production))
    older = labelled.take(labelled.timestamps < as_datetime64(rows.held_out_from))
    if reading.left_out:
        # Read again without the rows that are kept back, which took the place of others.
        reading = Reading(contract, _not_among(base))
        older = labelled_rows(stores, contract, start, rows.held_out_from, kept=reading.kept)
    training = _training_rows(production, base(), labelled, older)
    taken = thinned(training.rows, contract, reading)
    return train_version(
        stores.models,
        taken.rows,
        contract,
        version=version_name(healing.started_at, taken.rows),
        now=now,
        lineage=Lineage(parent_version=production.version, execution=healing.execution, trigger=healing.trigger.reason),
        evaluation_from=rows.held_out_from,
        # Versions that don't know all classes can't answer older rows in its blend.
        evidence_from=rows.evidence_from if contract == production.contract else rows.held_out_from,
        label_values=TargetValues(production.positive_value, production.negative_value, contract.model.classes or ()),
        takes_new_classes=production.takes_new_classes,
        repeated_rows=training.repeated,
        relabelled_rows=training.relabelled,
        sampling=taken.sampling,
        seed=production.seed,
        begin=begin,
        fit=fit,
    )


def _told(stores: Stores, healing: Healing, check_budget: Callable[[], None]) -> Begin:
    # Fits beside each other tell of their steps: written one at a time, the last one to begin is what stays.
    in_turn = Lock()

    def begin(step: str) -> None:
        check_budget()
        with in_turn:
            try:
                stores.progress.write(healing.execution, step)
            except AccessRefused:
                raise
            except StoreUnavailable:
                # Whoever watches sees an older step; the training is worth more.
                return

    return begin


def _training(manifest: Manifest) -> Training:
    drawn = f" of {manifest.data.sampling.held}" if manifest.data.sampling else ""
    return Training(
        outcome="trained",
        reason=f"trained on {manifest.data.rows}{drawn} rows up to {manifest.data.newest:%Y-%m-%d %H:%M} UTC",
        version=manifest.version,
        evaluation_from=manifest.evidence_from,
    )


def _with_new_classes(stores: Stores, story: Story, production: Manifest, now: datetime) -> Contract:
    """Production's contract, with the classes after its own that labels have named since."""
    contract = production.contract
    if not production.takes_new_classes:
        return contract
    known = contract.model.classes or ()
    named = stores.labels.values_between(_start(story, production, now), now)
    new = sorted(set(map(str, named)) - set(known))
    return contract.with_classes((*known, *new)[:MOST_CLASSES]) if new else contract


def _start(story: Story, production: Manifest, now: datetime) -> datetime:
    served_since = min((decision.decided_at for decision in story.decisions), default=now)
    # Rows that had no label yet when production was trained are looked for as far back as the log is kept.
    return max(production.taught_until - KEPT, served_since)


def _base(stores: Stores, production: Manifest, contract: Contract) -> Dataset:
    """Production's training set."""
    base = from_parquet(stores.models.artefact(production, TRAINING), contract)
    # Rows of the future would tune the next version, and be newer than all that could judge it.
    return base.take(base.timestamps <= as_datetime64(production.taught_until))


def _not_among(base: Callable[[], Dataset]) -> Callable[[NDArray[np.object_]], NDArray[np.bool_]]:
    # NumPy compares texts each with each.
    known = cache(lambda: frozenset(base().row_ids))
    return lambda ids: np.array([each not in known() for each in ids], dtype=bool)


def _training_rows(production: Manifest, base: Dataset, labelled: Dataset, older: Dataset) -> Merged:
    """Production's training set and the older of the labelled rows that it doesn't hold yet, in time order."""
    # Rows that the sample before didn't take are no news.
    news = labelled.take(~was_left_out(labelled, production.data.sampling))
    new, needed = merged(base, news).added, production.contract.policy.retraining.minimum_labels
    if new < needed:
        raise TrainingImpossible(f"only {new} rows are newly labelled; at least {needed} are needed")
    return merged(base, older)


def _no_evaluation_rows(labelled: Dataset, production: Manifest) -> str:
    unseen = int((labelled.timestamps > as_datetime64(production.taught_until)).sum())
    needed = production.contract.policy.gates.minimum_samples
    return (
        f"{unseen} labelled rows are newer than what production has seen; {needed} that neither taught nor judged any "
        "version must be there: more labels are needed"
    )
