"""Idempotency keys: the first request under a key fixes the prediction ids of every retry."""

import hashlib

from selfheal.errors import ObjectExists
from selfheal.prefixes import IDEMPOTENCY
from selfheal.records.claims import Claim
from selfheal.stores.bucket import Bucket


class IdempotencyStore:
    """`idempotency/<sha256 of caller and key>` of the data bucket; kept for two days."""

    def __init__(self, data: Bucket) -> None:
        self._data = data

    def claim(self, caller: str, key: str, claim: Claim) -> Claim:
        """The claim that stands for a caller's key: this one where it is the first. Raises StoreUnavailable."""
        name = f"{IDEMPOTENCY}{hashlib.sha256(f'{caller}\n{key}'.encode()).hexdigest()}"
        try:
            self._data.create(name, claim.to_json())
        except ObjectExists:
            return Claim.model_validate_json(self._data.get(name).body)
        return claim
