"""The manifest of a trained version: what it is, where it comes from, and the hash of each of its artefacts."""

from datetime import datetime
from typing import Any

from selfheal.contract import Contract
from selfheal.records.base import Record, UtcTime

# What the name of a modest version adds to that of the same model as it was fitted.
MODEST = "-modest"


class Artefact(Record):
    """One file of a version; `sha256` in lower-case hex, `size` in bytes."""

    sha256: str
    size: int


class DataWindow(Record):
    """The rows behind a version; `fingerprint` is the SHA-256 of the training set in canonical form.

    The newest `fitted` rows are those that the model was fitted on: after an abrupt change the older ones are let go.
    `repeated` rows were in its parent's training set and came again; `relabelled` ones came again with the other label,
    which they carry now.
    """

    rows: int
    positives: int
    oldest: UtcTime
    newest: UtcTime
    fingerprint: str
    fitted: int | None = None
    repeated: int = 0
    relabelled: int = 0


class Lineage(Record):
    """Why a version exists: the version it would replace and the healing that trained it (None for a bootstrap)."""

    parent_version: str | None
    execution: str | None
    trigger: str


class Candidate(Record):
    """One contestant of a training run; metrics are of the tuning rows."""

    name: str
    window: str
    parameters: dict[str, Any]
    metrics: dict[str, float]
    chosen: bool


class Confidence(Record):
    """How far a version's scores are drawn towards the base rate: centre + slope * (score - centre), in log-odds.

    So many `answers` of the versions before it, whose labels had come, say that these were too sure of themselves.
    """

    slope: float
    centre: float
    answers: int


class Manifest(Record):
    """Content of `models/<version>/manifest.json`, written last: a version without one doesn't exist.

    `evaluation_from` is the moment from which rows are kept back for the gates: no row that fitted or tuned this
    version is of that moment or newer. `threshold` is the operating point; `positive_value` and `negative_value` are
    the label's values in the user's own terms, as text. `modest` names the version that is the same model, less sure of
    itself, if there is one; `confidence` says how much less, in the manifest of that one.
    """

    version: str
    created_at: UtcTime
    contract: Contract
    data: DataWindow
    evaluation_from: UtcTime | None
    lineage: Lineage
    seed: int
    candidates: tuple[Candidate, ...]
    metrics: dict[str, float]
    threshold: float
    modest: str | None = None
    confidence: Confidence | None = None
    positive_value: str
    negative_value: str
    libraries: dict[str, str]
    artefacts: dict[str, Artefact]

    @property
    def taught_until(self) -> datetime:
        """What is newer taught this version nothing.

        Times of users' files don't decide that alone: a row of the year 9999 would be newer than all that ever comes.
        """
        return min(self.data.newest, self.created_at)


def as_fitted(version: str) -> str:
    """The name of the model as it was fitted, whether a version is that one or its modest version."""
    return version.removesuffix(MODEST)
