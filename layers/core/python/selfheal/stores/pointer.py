"""The production pointer: read with its ETag, swapped only by whoever read the version that is still there."""

from dataclasses import dataclass

from pydantic import ValidationError

from selfheal.errors import (
    NoProductionModel,
    ObjectChanged,
    ObjectExists,
    ObjectMissing,
    PromotionConflict,
    ReferenceTampered,
    StoreUnavailable,
)
from selfheal.prefixes import POINTERS
from selfheal.records.pointer import Pointer
from selfheal.stores.bucket import Bucket, StoredObject

KEY = f"{POINTERS}production.json"


@dataclass(frozen=True, slots=True)
class PointerRead:
    """The pointer as it was read, and the ETag that a swap has to present."""

    pointer: Pointer
    etag: str


class ProductionPointer:
    """`pointers/production.json` of the registry."""

    def __init__(self, registry: Bucket) -> None:
        self._registry = registry

    def read(self) -> PointerRead:
        """The pointer now. Raises NoProductionModel, ReferenceTampered, StoreUnavailable."""
        try:
            stored = self._registry.get(KEY)
        except ObjectMissing as error:
            raise NoProductionModel("no model is in production yet: run `selfheal bootstrap`") from error
        return _parsed(stored)

    def read_if_changed(self, etag: str) -> PointerRead | None:
        """The pointer unless its ETag is still `etag` (then None). Raises NoProductionModel, StoreUnavailable."""
        try:
            stored = self._registry.get_if_changed(KEY, etag)
        except ObjectMissing as error:
            raise NoProductionModel("no model is in production yet: run `selfheal bootstrap`") from error
        return None if stored is None else _parsed(stored)

    def write_first(self, pointer: Pointer) -> None:
        """Write the first pointer of an environment. Raises PromotionConflict where one is there already."""
        try:
            self._registry.create(KEY, pointer.to_json())
        except ObjectExists as error:
            raise PromotionConflict("there is a production model already") from error
        except StoreUnavailable:
            if not self._holds(pointer):
                raise

    def swap(self, pointer: Pointer, etag: str) -> None:
        """Compare and swap.

        Raises PromotionConflict where the pointer isn't the one with that ETag any more: read it again. It may be that
        the swap itself made it so, since a retry inside the SDK turns a success into a refusal.
        """
        try:
            self._registry.replace(KEY, pointer.to_json(), etag)
        except ObjectChanged as error:
            raise PromotionConflict("production was moved by another writer meanwhile") from error
        except StoreUnavailable:
            if not self._holds(pointer):
                raise

    def _holds(self, pointer: Pointer) -> bool:
        """Whether it was written all the same: a timeout says nothing about that."""
        try:
            return self.read().pointer == pointer
        except NoProductionModel:
            return False


def _parsed(stored: StoredObject) -> PointerRead:
    try:
        return PointerRead(Pointer.model_validate_json(stored.body), stored.etag)
    except ValidationError as error:
        raise ReferenceTampered(f"{KEY} isn't a pointer that can be read: restore it") from error
