"""The rows behind each verdict, written once: anyone can recompute it from them."""

import hashlib

from selfheal.errors import ObjectExists, ReferenceTampered
from selfheal.prefixes import EVIDENCE
from selfheal.stores.bucket import Bucket


class EvidenceStore:
    """`evidence/<name>.parquet` of the registry."""

    def __init__(self, registry: Bucket) -> None:
        self._registry = registry

    def write(self, name: str, body: bytes) -> tuple[str, str]:
        """Write a verdict's rows; returns their key and SHA-256. The same bytes may be written again."""
        key, digest = f"{EVIDENCE}{name}.parquet", hashlib.sha256(body).hexdigest()
        try:
            self._registry.create(key, body)
        except ObjectExists:
            self.read(key, digest)
        return key, digest

    def read(self, key: str, sha256: str) -> bytes:
        """The rows of a verdict. Raises ReferenceTampered where they aren't those that were written."""
        body = self._registry.get(key).body
        if hashlib.sha256(body).hexdigest() != sha256:
            raise ReferenceTampered(f"{key} is not the evidence that the decision was made on")
        return body
