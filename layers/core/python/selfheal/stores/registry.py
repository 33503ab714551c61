"""The model registry: versions, written once, each artefact verified against its manifest on every read."""

import hashlib
from collections.abc import Iterator, Mapping

from selfheal.errors import ObjectExists, ObjectMissing, ReferenceTampered, VersionUnknown
from selfheal.records.manifest import Manifest
from selfheal.stores.bucket import Bucket

PREFIX = "models/"
MANIFEST = "manifest.json"

# The artefacts of a version. `model.joblib` is kept for people; nothing in the system loads it.
SERVING = "model.json"
ESTIMATOR = "model.joblib"
TRAINING = "training.parquet"
REFERENCE = "reference.parquet"
TUNING = "tuning.parquet"
CURVES = "curves.json"
CARD = "card.html"


class ModelRegistry:
    """`models/<version>/…` of the registry."""

    def __init__(self, registry: Bucket) -> None:
        self._registry = registry

    def write(self, manifest: Manifest, artefacts: Mapping[str, bytes]) -> Manifest:
        """Write a version: artefacts first, the manifest last, so that a version is whole or absent.

        A crash in between leaves artefacts without a manifest; training again with the same bytes then completes it.
        A version that is there already is returned as it stands.
        """
        for name, body in artefacts.items():
            self._create_same(_key(manifest.version, name), body)
        try:
            self._registry.create(_key(manifest.version, MANIFEST), manifest.to_json())
        except ObjectExists:
            return self.manifest(manifest.version)
        return manifest

    def manifest(self, version: str) -> Manifest:
        """The manifest of a version. Raises VersionUnknown, StoreUnavailable."""
        return Manifest.model_validate_json(self._manifest_body(version))

    def manifest_sha256(self, version: str) -> str:
        """The hash of a version's manifest as it is stored. Raises VersionUnknown, StoreUnavailable."""
        return hashlib.sha256(self._manifest_body(version)).hexdigest()

    def artefact(self, manifest: Manifest, name: str) -> bytes:
        """One artefact of a version.

        Raises ReferenceTampered where its bytes aren't those that were written, or the manifest doesn't list it.
        """
        listed = manifest.artefacts.get(name)
        if listed is None:
            raise ReferenceTampered(f"the manifest of version {manifest.version} lists no {name}: restore it")
        body = self._registry.get(_key(manifest.version, name)).body
        if hashlib.sha256(body).hexdigest() != listed.sha256:
            raise ReferenceTampered(f"{name} of version {manifest.version} is not what was written: restore it")
        return body

    def versions(self) -> Iterator[str]:
        """Names of all whole versions, oldest first."""
        for key in self._registry.keys(PREFIX):
            if key.endswith(f"/{MANIFEST}"):
                yield key.removeprefix(PREFIX).removesuffix(f"/{MANIFEST}")

    def _manifest_body(self, version: str) -> bytes:
        try:
            return self._registry.get(_key(version, MANIFEST)).body
        except ObjectMissing as error:
            raise VersionUnknown(f"no version is called {version!r}: see `selfheal history`") from error

    def _create_same(self, key: str, body: bytes) -> None:
        try:
            self._registry.create(key, body)
        except ObjectExists:
            if self._registry.get(key).body != body:
                raise


def _key(version: str, name: str) -> str:
    return f"{PREFIX}{version}/{name}"
