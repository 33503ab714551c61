"""The model registry: versions, written once, each artefact verified against its manifest on every read."""

import hashlib
from collections.abc import Iterator, Mapping

from pydantic import ValidationError

from selfheal.errors import ObjectExists, ObjectMissing, ReferenceTampered, VersionUnknown
from selfheal.prefixes import MODELS
from selfheal.records.manifest import Manifest
from selfheal.stores.bucket import Bucket

MANIFEST = "manifest.json"
# The manifest's hash, so that a change of it is seen before any decision has been made about the version.
SEAL = "manifest.sha256"


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
            manifest = self.manifest(manifest.version)
        self._create_same(_key(manifest.version, SEAL), self.manifest_sha256(manifest.version).encode())
        return manifest

    def manifest(self, version: str, sha256: str | None = None) -> Manifest:
        """The manifest of a version; with `sha256` the one that has this hash.

        Raises:
            VersionUnknown: there is none.
            ReferenceTampered: it can't be read, is another version's, or has another hash.
            StoreUnavailable: the registry doesn't answer.
        """
        key = _key(version, MANIFEST)
        body = self._manifest_body(version)
        if sha256 is not None and hashlib.sha256(body).hexdigest() != sha256:
            raise ReferenceTampered(f"{key} isn't the manifest that was promoted: restore it, or roll back")
        try:
            manifest = Manifest.model_validate_json(body)
        except ValidationError as error:
            raise ReferenceTampered(f"{key} isn't a manifest that can be read: restore it") from error
        if manifest.version != version:
            raise ReferenceTampered(f"{key} is the manifest of {manifest.version!r}: restore it")
        return manifest

    def check_manifests(self) -> None:
        """Compare every manifest with its seal. Raises VersionUnknown, ReferenceTampered, StoreUnavailable."""
        seals = [key for key in self._registry.keys(MODELS) if key.endswith(f"/{SEAL}")]
        for key, sealed in self._registry.get_many(seals):
            version = key.removeprefix(MODELS).removesuffix(f"/{SEAL}")
            if self.manifest_sha256(version) != sealed.decode():
                raise ReferenceTampered(f"{_key(version, MANIFEST)} doesn't have the hash in {key}: it was changed")

    def manifest_sha256(self, version: str) -> str:
        """The hash of a version's manifest as it is stored. Raises VersionUnknown, StoreUnavailable."""
        return hashlib.sha256(self._manifest_body(version)).hexdigest()

    def artefact(self, manifest: Manifest, name: str) -> bytes:
        """One artefact of a version.

        Raises ReferenceTampered where its bytes aren't those that were written, or the manifest doesn't list it.
        """
        listed = manifest.artefacts.get(name)
        if listed is None:
            raise ReferenceTampered(f"{_key(manifest.version, MANIFEST)} lists no {name}: restore it")
        body = self._registry.get(_key(manifest.version, name)).body
        if hashlib.sha256(body).hexdigest() != listed.sha256:
            raise ReferenceTampered(f"{_key(manifest.version, name)} is not what was written: restore it")
        return body

    def versions(self) -> Iterator[str]:
        """Names of all whole versions, oldest first."""
        for key in self._registry.keys(MODELS):
            if key.endswith(f"/{MANIFEST}"):
                yield key.removeprefix(MODELS).removesuffix(f"/{MANIFEST}")

    def _manifest_body(self, version: str) -> bytes:
        try:
            return self._registry.get(_key(version, MANIFEST)).body
        except ObjectMissing as error:
            raise VersionUnknown(
                f"no version is called {version!r}, {_key(version, MANIFEST)} is missing: see `selfheal history`"
            ) from error

    def _create_same(self, key: str, body: bytes) -> None:
        try:
            self._registry.create(key, body)
        except ObjectExists:
            if self._registry.get(key).body != body:
                raise


def _key(version: str, name: str) -> str:
    return f"{MODELS}{version}/{name}"
