"""The production model as the predictor holds it: loaded whole or not at all, and looked at again now and then."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from selfheal.contract.request import RowModel
from selfheal.errors import ArtefactRefused, SelfhealError
from selfheal.models.formats import model_of
from selfheal.models.ports import Model
from selfheal.records.manifest import Manifest
from selfheal.stores.pointer import PointerRead, ProductionPointer
from selfheal.stores.registry import ModelRegistry


@dataclass(frozen=True, slots=True)
class ServedModel:
    """Everything that answering takes, all of one version."""

    read: PointerRead
    manifest: Manifest
    evaluator: Model
    rows: RowModel
    models: ModelRegistry

    def threshold_of(self, version: str) -> float:
        """The operating point of this or another version. Raises VersionUnknown, StoreUnavailable."""
        if version == self.version:
            return self.evaluator.threshold
        return self.models.manifest(version).operating_point

    @property
    def version(self) -> str:
        """The version's name."""
        return self.manifest.version


class ProductionModel:
    """Keeps the model that the production pointer names; a version that can't be loaded leaves the last good one.

    `problem` is why the last look failed, None where it didn't.
    """

    def __init__(self, pointer: ProductionPointer, models: ModelRegistry, check_seconds: float) -> None:
        self._pointer = pointer
        self._models = models
        self._check_after = timedelta(seconds=check_seconds)
        self._model: ServedModel | None = None
        self._looked_at: datetime | None = None
        self.problem: str | None = None

    def current(self, now: datetime) -> ServedModel:
        """The model that answers now.

        Raises:
            NoProductionModel, StoreUnavailable, ArtefactRefused and others: no model could be loaded yet.
        """
        if self._model is None:
            with _corruption_refused():
                self._model = self._load(self._pointer.read())
            self._looked_at = now
        elif self._looked_at is None or abs(now - self._looked_at) >= self._check_after:
            self._model = self._looked_again(self._model)
            self._looked_at = now
        return self._model

    def look_again(self) -> None:
        """Let the next request look at the pointer, however fresh the last look is (after a restored snapshot)."""
        self._looked_at = None

    def _looked_again(self, model: ServedModel) -> ServedModel:
        try:
            with _corruption_refused():
                read = self._pointer.read_if_changed(model.read.etag)
                fresh = model if read is None else self._load(read)
        except SelfhealError as error:
            self.problem = type(error).__name__
            return model
        self.problem = None
        return fresh

    def _load(self, read: PointerRead) -> ServedModel:
        manifest = self._models.manifest(read.pointer.version, read.pointer.manifest_sha256)
        evaluator = model_of(manifest, self._models.artefact)
        return ServedModel(read, manifest, evaluator, RowModel(manifest.contract), self._models)


@contextmanager
def _corruption_refused() -> Iterator[None]:
    """A corrupt pointer or manifest is a ValueError of pydantic's."""
    try:
        yield
    except ValueError as error:
        raise ArtefactRefused("the production pointer or manifest is corrupt: restore it or roll back") from error
