"""Train the shadow model of a healing, if there is anything to train it on and anything left to judge it by."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from selfheal.composition import Stores
from selfheal.data.dataset import Dataset
from selfheal.data.files import TargetValues
from selfheal.data.moments import as_datetime64
from selfheal.data.parquet import from_parquet
from selfheal.errors import ExportInexact, RefitRefused, TrainingBudgetExceeded, TrainingImpossible
from selfheal.gates.resampling import paired_p_value
from selfheal.performance.realised import brier_losses
from selfheal.records.healing import Healing, Training
from selfheal.records.manifest import Lineage, Manifest, VersionKind
from selfheal.stores.registry import TRAINING
from selfheal.training import train
from selfheal.training.merging import Merged, merged
from selfheal.training.model import FittedModel
from selfheal.usecases.evaluation import evaluation_rows_of
from selfheal.usecases.heal import cooldown_ends
from selfheal.usecases.labelled_rows import labelled_rows
from selfheal.usecases.members import trained_versions
from selfheal.usecases.scoring import model_of
from selfheal.usecases.train import Fit, train_version, version_name

# Rows that had no label yet when production was trained are looked for this far back from its newest row: as long as
# the hours of the log are kept.
LATE_LABELS = timedelta(days=400)
# A model does better on rows that taught it than one that never saw them. One that does worse with this error
# probability was fitted wrongly.
REFIT_SIGNIFICANCE = 0.05


def train_shadow(
    stores: Stores,
    healing: Healing,
    now: datetime,
    *,
    check_budget: Callable[[], None] = lambda: None,
    fit: Fit = train,
) -> Training:
    """Train on production's training set and every labelled row since: once without the evaluation rows, once on all.

    The first version is the one that is judged; the second one takes its place in what is promoted, and judges itself
    at the next healing. Where the second one can't be had, or does worse on rows that taught it than the first one,
    which never saw them, the first one stands for both.

    Asked again for one healing it returns the versions that it has written. Where training makes no sense the outcome
    is `skip`, where it ran and came to nothing `failed`; both say why. `check_budget` may raise TrainingBudgetExceeded.

    Raises:
        VersionUnknown, ReferenceTampered, StoreUnavailable: the registry lacks the production version, holds another
            one than was written, or doesn't answer.
    """
    production = stores.models.manifest(healing.production_version)
    ends = cooldown_ends(list(stores.ledger.entries()), production.contract.policy)
    if ends is not None and now < ends:
        return Training(outcome="skip", reason=f"the cooldown ends at {ends:%Y-%m-%d %H:%M} UTC: no promotion before")
    try:
        return _Run(stores, healing, production, now, check_budget, fit).training()
    except TrainingImpossible as error:
        return Training(outcome="skip", reason=str(error))
    except (ExportInexact, TrainingBudgetExceeded) as error:
        return Training(outcome="failed", reason=str(error))


@dataclass(frozen=True)
class _Run:
    stores: Stores
    healing: Healing
    production: Manifest
    now: datetime
    check_budget: Callable[[], None]
    fit: Fit

    def training(self) -> Training:
        labelled, versions = self._labelled_rows(), trained_versions(self.stores, self.production.contract)
        earlier = [manifest for manifest in versions if manifest.lineage.execution != self.healing.execution]
        newest = earlier[0] if earlier else None
        unhurried = self.healing.trigger.kind == "growth"
        rows = evaluation_rows_of(self.stores, self.production, newest, labelled, unhurried=unhurried)
        if rows is None:
            return Training(outcome="skip", reason=self._no_evaluation_rows(labelled))
        base = from_parquet(self.stores.models.artefact(self.production, TRAINING), self.production.contract)
        everything = merged(base, labelled)
        self._check_enough(everything)
        is_held_out = labelled.timestamps >= as_datetime64(rows.held_out_from)
        rest = merged(base, labelled.take(~is_held_out))
        held_out = self._own("held_out") or self._version(rest, "held_out", rows.held_out_from)
        version, refitted = self._refitted(everything, labelled.take(is_held_out), held_out)
        return Training(
            outcome="trained",
            reason=f"trained on {held_out.data.rows} rows up to {held_out.data.newest:%Y-%m-%d %H:%M} UTC, to be "
            f"judged on newer ones; {refitted}",
            version=version.version,
            held_out=held_out.version,
            evaluation_from=rows.evidence_from,
        )

    def _own(self, kind: VersionKind) -> Manifest | None:
        """What an earlier call for this healing has written."""
        begun = f"{self.healing.started_at:%Y%m%dT%H%M%SZ}-"
        names = (name for name in self.stores.models.versions() if name.startswith(begun))
        manifests = (self.stores.models.manifest(name) for name in names)
        own = (manifest for manifest in manifests if manifest.lineage.execution == self.healing.execution)
        return next((manifest for manifest in own if manifest.kind == kind), None)

    def _labelled_rows(self) -> Dataset:
        served_since = min((decision.decided_at for decision in self.stores.ledger.decisions()), default=self.now)
        start = max(self.production.data.newest - LATE_LABELS, served_since)
        return labelled_rows(self.stores, self.production.contract, start, self.now).rows

    def _refitted(self, everything: Merged, held_out_rows: Dataset, held_out: Manifest) -> tuple[Manifest, str]:
        """The version trained on all rows, or the one that is judged where that can't stand in for it; and why."""
        judged = model_of(self.stores, held_out)
        columns = {str(name): held_out_rows.features[name].to_numpy() for name in held_out_rows.features}
        losses = brier_losses(judged.probabilities_of(columns), held_out_rows.labels)

        def check(fitted: FittedModel) -> None:
            rise = brier_losses(fitted.probabilities(held_out_rows.features), held_out_rows.labels) - losses
            if paired_p_value(rise) <= REFIT_SIGNIFICANCE:
                raise RefitRefused(
                    f"its own fit on all rows is worse on the newest, by {rise.mean():.4f} of Brier score"
                )

        try:
            version = self._own("trained") or self._version(everything, "trained", None, check)
        except (RefitRefused, ExportInexact, TrainingBudgetExceeded) as error:
            return held_out, f"it is promoted itself if it passes: {error}"
        return version, f"{version.version}, trained on all {version.data.rows}, then takes its place"

    def _version(
        self,
        training: Merged,
        kind: VersionKind,
        held_out_from: datetime | None,
        check: Callable[[FittedModel], None] = lambda _: None,
    ) -> Manifest:
        production, healing = self.production, self.healing
        return train_version(
            self.stores.models,
            training.rows,
            production.contract,
            version=version_name(healing.started_at, training.rows),
            kind=kind,
            now=self.now,
            lineage=Lineage(
                parent_version=production.version, execution=healing.execution, trigger=healing.trigger.reason
            ),
            evaluation_from=held_out_from,
            label_values=TargetValues(production.positive_value, production.negative_value),
            repeated_rows=training.repeated,
            relabelled_rows=training.relabelled,
            seed=production.seed,
            check_budget=self.check_budget,
            check=check,
            fit=self.fit,
        )

    def _check_enough(self, everything: Merged) -> None:
        needed = self.production.contract.policy.retraining.minimum_labels
        if everything.added < needed:
            raise TrainingImpossible(f"only {everything.added} rows are newly labelled; at least {needed} are needed")

    def _no_evaluation_rows(self, labelled: Dataset) -> str:
        unseen = int((labelled.timestamps > as_datetime64(self.production.data.newest)).sum())
        needed = self.production.contract.policy.gates.minimum_samples
        return (
            f"{unseen} labelled rows are newer than what production has seen; {needed} that neither taught nor judged "
            "any version must be there: more labels are needed"
        )
