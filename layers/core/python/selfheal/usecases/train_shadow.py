"""Train the shadow model of a healing, if there is anything to train it on and anything left to judge it by."""

from collections.abc import Callable
from datetime import datetime, timedelta

from selfheal.composition import Stores
from selfheal.data.dataset import Dataset
from selfheal.data.labels import TargetValues
from selfheal.data.moments import as_datetime64
from selfheal.data.parquet import from_parquet
from selfheal.errors import ExportInexact, TrainingBudgetExceeded, TrainingImpossible
from selfheal.records.healing import Healing, Training
from selfheal.records.manifest import Lineage, Manifest
from selfheal.stores.registry import TRAINING
from selfheal.training import train
from selfheal.training.confidence import confidence_of
from selfheal.training.merging import Merged, merged
from selfheal.usecases.evaluation import evaluation_start_of
from selfheal.usecases.heal import cooldown_ends
from selfheal.usecases.labelled_rows import labelled_rows
from selfheal.usecases.track_record import track_record
from selfheal.usecases.train import Fit, train_version, version_name

# Rows that had no label yet when production was trained are looked for this far back from its newest row: as long as
# the hours of the log are kept.
LATE_LABELS = timedelta(days=400)


def train_shadow(
    stores: Stores,
    healing: Healing,
    now: datetime,
    *,
    check_budget: Callable[[], None] = lambda: None,
    fit: Fit = train,
) -> Training:
    """Train on production's training set and every labelled row since, evaluation rows kept back.

    Where earlier versions were too sure of themselves, the shadow model is written once more, less sure of itself.
    Asked again for one healing it returns the version it has written. Where training makes no sense the outcome is
    `skip`, where it ran and came to nothing `failed`; both say why. `check_budget` may raise TrainingBudgetExceeded.

    Raises:
        VersionUnknown, ReferenceTampered, StoreUnavailable: the registry lacks the production version, holds another
            one than was written, or doesn't answer.
    """
    done = _trained_before(stores, healing)
    if done is not None:
        return _training(done)
    production = stores.models.manifest(healing.production_version)
    ends = cooldown_ends(list(stores.ledger.entries()), production.contract.policy)
    if ends is not None and now < ends:
        return Training(outcome="skip", reason=f"the cooldown ends at {ends:%Y-%m-%d %H:%M} UTC: no promotion before")
    try:
        return _trained(stores, healing, production, now, check_budget, fit)
    except TrainingImpossible as error:
        return Training(outcome="skip", reason=str(error))
    except (ExportInexact, TrainingBudgetExceeded) as error:
        return Training(outcome="failed", reason=str(error))


def _trained(
    stores: Stores,
    healing: Healing,
    production: Manifest,
    now: datetime,
    check_budget: Callable[[], None],
    fit: Fit,
) -> Training:
    labelled = _labelled_rows(stores, production, now)
    is_unseen = labelled.timestamps > as_datetime64(production.taught_until)
    unhurried = healing.trigger.kind == "growth"
    evaluation_from = evaluation_start_of(stores, production, labelled.take(is_unseen), unhurried=unhurried)
    if evaluation_from is None:
        return Training(outcome="skip", reason=_no_evaluation_rows(int(is_unseen.sum()), production))
    older = labelled.take(labelled.timestamps < as_datetime64(evaluation_from))
    training = _training_rows(stores, production, older)
    record = track_record(stores, older)
    manifest = train_version(
        stores.models,
        training.rows,
        production.contract,
        version=version_name(healing.started_at, training.rows),
        now=now,
        lineage=Lineage(parent_version=production.version, execution=healing.execution, trigger=healing.trigger.reason),
        evaluation_from=evaluation_from,
        label_values=TargetValues(production.positive_value, production.negative_value),
        repeated_rows=training.repeated,
        relabelled_rows=training.relabelled,
        confidence=confidence_of(record.scores, record.labels, record.versions),
        seed=production.seed,
        check_budget=check_budget,
        fit=fit,
    )
    return _training(manifest)


def _labelled_rows(stores: Stores, production: Manifest, now: datetime) -> Dataset:
    served_since = min((decision.decided_at for decision in stores.ledger.decisions()), default=now)
    start = max(production.taught_until - LATE_LABELS, served_since)
    return labelled_rows(stores, production.contract, start, now).rows


def _training_rows(stores: Stores, production: Manifest, labelled: Dataset) -> Merged:
    """Production's training set and the rows that it doesn't hold yet, in time order."""
    base = from_parquet(stores.models.artefact(production, TRAINING), production.contract)
    # Rows of the future would tune the next version, and be newer than all that could judge it.
    base = base.take(base.timestamps <= as_datetime64(production.taught_until))
    result = merged(base, labelled)
    needed = production.contract.policy.retraining.minimum_labels
    if result.added < needed:
        raise TrainingImpossible(f"only {result.added} rows are newly labelled; at least {needed} are needed")
    return result


def _trained_before(stores: Stores, healing: Healing) -> Manifest | None:
    begun = f"{healing.started_at:%Y%m%dT%H%M%SZ}-"
    names = (name for name in stores.models.versions() if name.startswith(begun))
    manifests = (stores.models.manifest(name) for name in names)
    own = (manifest for manifest in manifests if manifest.lineage.execution == healing.execution)
    # A modest version alone is half of what a run had begun to write.
    return next((manifest for manifest in own if manifest.confidence is None), None)


def _training(manifest: Manifest) -> Training:
    return Training(
        outcome="trained",
        reason=f"trained on {manifest.data.rows} rows up to {manifest.data.newest:%Y-%m-%d %H:%M} UTC",
        version=manifest.version,
        evaluation_from=manifest.evaluation_from,
    )


def _no_evaluation_rows(unseen: int, production: Manifest) -> str:
    needed = production.contract.policy.gates.minimum_samples
    return (
        f"{unseen} labelled rows are newer than what production has seen; {needed} that no earlier attempt has used "
        "must be kept back to judge the shadow model, and as many be left to teach it: more labels are needed"
    )
