"""What the pages are made from, read from the stores; what never changes is read once and kept."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, time, timedelta

from pydantic import ValidationError

from selfheal.contract import Contract
from selfheal.errors import NoProductionModel, RecordIncompatible
from selfheal.labels.values import LabelValue
from selfheal.models.formats import model_of
from selfheal.models.ports import Model
from selfheal.prefixes import RUNS
from selfheal.records.artefacts import CURVES
from selfheal.records.healing import LabelProgress
from selfheal.records.labels import IngestionReport
from selfheal.records.manifest import Manifest
from selfheal.records.monitoring import DriftSummary
from selfheal.records.pointer import Pointer
from selfheal.records.story import Story
from selfheal.stores.monitoring import SUMMARY
from selfheal.tables.predictions import PredictionWindow
from selfheal_tools.console.pages.comparison import Side
from selfheal_tools.console.pages.labels import DAYS, DayOfLabels, missing_by_age
from selfheal_tools.console.runs import Run, run_of
from selfheal_tools.console.situation import HealingUnderWay, Situation
from selfheal_tools.environment import Environment

# Runs that a page draws: more than there is room for on a screen says nothing more.
MOST_RUNS = 120
MOST_UPLOADS = 2_000
# Enough to see on which rows two versions differ.
RECENT_ROWS, WEEK, MONTH = 500, 7 * 24, 30 * 24
MOMENT = timedelta(seconds=1)


class Reader:
    """Reads one environment, for several requests at once."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self._story: Story | None = None
        self._manifests: dict[str, Manifest] = {}
        self._runs: dict[str, Run] = {}

    @property
    def now(self) -> datetime:
        """What time it is there."""
        return self.environment.clock()

    def story(self) -> Story:
        """The ledger's story; entries that were read and checked once aren't read again. Raises LedgerBroken."""
        story = self.environment.stores.ledger.story(self._story)
        self._story = story
        return story

    def manifest(self, version: str) -> Manifest:
        """A version's manifest, which is written once. Raises VersionUnknown, ReferenceTampered."""
        if version not in self._manifests:
            self._manifests[version] = self.environment.stores.models.manifest(version)
        return self._manifests[version]

    def situation(self) -> Situation:
        """How things stand now. Raises StoreUnavailable, LedgerBroken, ReferenceTampered."""
        # Each takes a call or two over the network: all at once, they take as long as the slowest.
        with ThreadPoolExecutor() as parallel:
            story, summary = parallel.submit(self.story), parallel.submit(self.summary)
            healing = parallel.submit(self.healing)
            production = self.production()
            manifest = self.manifest(production.version) if production else None
        return Situation(
            stage=self.environment.stage,
            now=self.now,
            story=story.result(),
            production=production,
            manifest=manifest,
            summary=summary.result(),
            healing=healing.result(),
        )

    def production(self) -> Pointer | None:
        """The production pointer; None before the first model."""
        with suppress(NoProductionModel):
            return self.environment.stores.pointer.read().pointer
        return None

    def summary(self) -> DriftSummary | None:
        """What the last monitoring run wrote; None where none has, or none that this release can read."""
        written = self.environment.stores.monitoring.latest(SUMMARY, self.now + MOMENT)
        return _parsed(written) if written else None

    def healing(self) -> HealingUnderWay | None:
        """The healing that runs; None where none does."""
        running = [item.name for item in self.environment.executions.recent() if item.status == "RUNNING"]
        if not running:
            return None
        progress = self.environment.executions.progress(running[0])
        if progress is None:
            return HealingUnderWay(running[0], "", None, None)
        training, labels = (progress.gathered.get(key) or {} for key in ("training", "labels"))
        known = None
        with suppress(ValidationError, RecordIncompatible):
            known = LabelProgress.model_validate(labels)
        step = None if training else self.environment.stores.progress.read(running[0])
        return HealingUnderWay(running[0], progress.state, training.get("version"), known, step)

    def runs(self, days: int) -> list[Run]:
        """Monitoring runs of the last days, oldest first, evenly thinned to `MOST_RUNS`."""
        store, since = self.environment.stores.monitoring, self.now - timedelta(days=days)
        keys = [key for key in store.keys(f"{RUNS}{since:%Y-%m-%d}/") if key.endswith(f"/{SUMMARY}")]
        chosen = _thinned(keys, MOST_RUNS)
        # The newest one may be written again.
        missing = [key for key in chosen if key not in self._runs or key == chosen[-1]]
        for key, body in store.read_many(missing):
            summary = _parsed(body)
            if summary is not None:
                self._runs[key] = run_of(key, summary)
        found = [self._runs[key] for key in chosen if key in self._runs]
        return [run for run in found if run.timestamp >= since]

    def uploads(self) -> list[IngestionReport]:
        """What became of uploads of labels in the last 30 days."""
        return self.environment.stores.labels.outcomes(MOST_UPLOADS)

    def missing_labels(self) -> tuple[DayOfLabels, ...]:
        """Predictions of the last days and which of them have a label, day by day."""
        production, now = self.production(), self.now
        if production is None:
            return ()
        contract = self.manifest(production.version).contract
        start = datetime.combine((now - timedelta(days=DAYS)).date(), time(), now.tzinfo)
        window = self.environment.stores.history.window(start, now + MOMENT, contract)
        days = [(now - timedelta(days=back)).date() for back in range(DAYS + 1)]
        labelled = {day: self.environment.stores.labels.labelled_on(day) for day in days}
        return missing_by_age(window.prediction_ids, window.timestamps, labelled, now)

    def model(self, version: str) -> Model:
        """A version, ready to answer. Raises VersionUnknown, ArtefactRefused, ReferenceTampered."""
        return model_of(self.manifest(version), self.environment.stores.models.artefact)

    def side(self, version: str) -> Side:
        """A version as it is compared. Raises VersionUnknown, ArtefactRefused, ReferenceTampered."""
        manifest, reliability = self.manifest(version), []
        if CURVES in manifest.artefacts:
            reliability = json.loads(self.environment.stores.models.artefact(manifest, CURVES))["reliability"]
        return Side(manifest, self.model(version), reliability)

    def recent_rows(self, contract: Contract) -> tuple[PredictionWindow, dict[str, LabelValue]]:
        """The newest predictions, up to `RECENT_ROWS` of them, and the labels that some have."""
        stores, now = self.environment.stores, self.now + MOMENT
        for hours in (1, 6, contract.policy.monitoring.lookback_hours, WEEK, MONTH):
            start = now - timedelta(hours=hours)
            window = stores.history.window(start, now, contract)
            if len(window) >= RECENT_ROWS:
                break
        labels = stores.labels.of_predictions_between(start, now)
        return window.take(slice(-RECENT_ROWS, None)), {key: label.label for key, label in labels.items()}


def _thinned(keys: Sequence[str], at_most: int) -> list[str]:
    """Evenly spread over the keys, the last one included."""
    step = max(1, -(-len(keys) // at_most))
    return list(keys[::-1][::step][::-1])


def _parsed(body: bytes) -> DriftSummary | None:
    try:
        return DriftSummary.model_validate_json(body)
    except (ValidationError, RecordIncompatible):
        return None
