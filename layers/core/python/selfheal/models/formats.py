"""The formats in which models are kept: a fitted model becomes a file of its version, and the file a model again.

Another format is a class of this shape in a folder beside `native`, and one line in `FORMATS`. What faces the internet
imports this module, so that a format imports what only training needs where it is used.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from selfheal.errors import ArtefactRefused, BlendImpossible
from selfheal.models.native.format import NativeFormat
from selfheal.models.ports import Model
from selfheal.records.manifest import Manifest

if TYPE_CHECKING:
    import pandas as pd

    from selfheal.contract import Contract
    from selfheal.models.fitted import FittedModel

# The bytes of one of a version's files, found to be those that were written.
type ReadFile = Callable[[Manifest, str], bytes]


class Format(Protocol):
    """One way to keep a model as data."""

    @property
    def file(self) -> str:
        """The name of its file among those of a version."""
        ...

    def exported(
        self, fitted: "FittedModel", features: "pd.DataFrame", contract: "Contract", *, seed: int = 0
    ) -> bytes:
        """The file of a fitted model; `features` are rows like those that it was trained on.

        Raises ExportInexact where what the file answers isn't what the fitted model does.
        """
        ...

    def loaded(self, payload: bytes) -> Model:
        """The model in a file. Raises ArtefactRefused; nothing of an unsound file is evaluated."""
        ...

    def blended(self, members: Sequence[tuple[bytes, float]], threshold: float) -> bytes:
        """The file of a weighted mean of models: each its file and its weight; the weights add up to 1.

        Raises BlendImpossible, ArtefactRefused, ExportInexact.
        """
        ...


# By file; the first is what training writes.
FORMATS: Mapping[str, Format] = {known.file: known for known in (NativeFormat(),)}
WRITTEN: Format = next(iter(FORMATS.values()))


def format_of(manifest: Manifest) -> Format:
    """The format in which a version is kept.

    Raises:
        ArtefactRefused: in none that this release reads.
    """
    for file, known in FORMATS.items():
        if file in manifest.artefacts:
            return known
    raise ArtefactRefused(
        f"version {manifest.version} has none of the files {sorted(FORMATS)} that this release serves: "
        "roll back, or deploy the release that wrote it"
    )


def model_of(manifest: Manifest, read: ReadFile) -> Model:
    """A version, ready to answer; `read` gives the bytes of its files.

    Raises ArtefactRefused where it isn't sound, and what `read` does.
    """
    kept = format_of(manifest)
    return kept.loaded(read(manifest, kept.file))


def blend_of(members: Sequence[tuple[Manifest, float]], threshold: float, read: ReadFile) -> tuple[str, bytes]:
    """The name and the bytes of the file that answers as the weighted mean of these versions.

    Raises:
        BlendImpossible: the members' formats or features differ, or together they are larger than a predictor reads.
        ArtefactRefused: a member is not sound.
        ExportInexact: the blend doesn't answer as its members do.
    """
    kept, *others = (format_of(manifest) for manifest, _ in members)
    if any(other.file != kept.file for other in others):
        raise BlendImpossible("the members are kept in different formats: blend versions of one format only")
    payloads = [(read(manifest, kept.file), weight) for manifest, weight in members]
    return kept.file, kept.blended(payloads, threshold)
