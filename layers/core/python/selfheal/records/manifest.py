"""The manifest of a version: what it is, where it comes from, and the hash of each of its artefacts."""

import math
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from selfheal.contract import Contract
from selfheal.contract.model import left_out_if
from selfheal.records.base import Record, UtcTime

# A blend is a weighted mean of trained versions.
VersionKind = Literal["trained", "blend"]
# The newest versions that answer together; more of them brought nothing (docs/decisions.md).
MOST_MEMBERS = 3
# So many labels of a regression lie within `half_width` of the answer.
INTERVAL_LEVEL = 0.9


class Artefact(Record):
    """One file of a version; `sha256` in lower-case hex, `size` in bytes."""

    sha256: str
    size: int


class Sampling(Record):
    """How a training set was drawn from `held` rows: all from `whole_from` on, of older ones an even sample.

    That are the older rows whose ids' hashes, as a share of all hashes, are less than `older_share`.
    """

    held: int
    whole_from: UtcTime
    older_share: float


class DataWindow(Record):
    """The rows behind a version; `fingerprint` is the SHA-256 of the training set in canonical form.

    The newest `fitted` rows are those that the model was fitted on: after an abrupt change the older ones are let go.
    `repeated` rows were in its parent's training set and came again; `relabelled` ones came again with the other label,
    which they carry now. `sampling` says of which rows these are a sample; None where they are all.
    """

    rows: int
    positives: int
    oldest: UtcTime
    newest: UtcTime
    fingerprint: str
    fitted: int | None = None
    repeated: int = 0
    relabelled: int = 0
    sampling: Annotated[Sampling | None, left_out_if(default=None)] = None


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


class Member(Record):
    """A version that answers in a blend: its weight, and the hash of its manifest as it was then."""

    version: str
    manifest_sha256: str
    weight: float


class Manifest(Record):
    """Content of `models/<version>/manifest.json`, written last: a version without one doesn't exist.

    `evaluation_from` is the moment from which rows are kept back for the gates: no row that fitted or tuned this
    version is of that moment or newer. `evidence_from` is the moment from which labelled rows judge its blend, older
    ones answered by versions before it. `threshold` is the operating point; `positive_value` and `negative_value` are
    the label's values in the user's own terms, as text. `members` are those of a blend; its data are its newest one's,
    its metrics those of the rows that judged it. `spread` is
    how far a regression's target spreads, which its loss is relative to, and `half_width` how far an answer's interval
    reaches. `takes_new_classes`: a class that isn't among the contract's joins at the next training. `importance` is
    how far each feature moves its answers, the mean absolute Shapley value on its tuning rows, the largest first.
    `examples` are rows as the training set usually holds them.
    """

    version: str
    kind: VersionKind = "trained"
    created_at: UtcTime
    contract: Contract
    data: DataWindow
    evaluation_from: UtcTime | None
    evidence_from: UtcTime | None = None
    lineage: Lineage
    seed: int
    candidates: tuple[Candidate, ...]
    metrics: dict[str, float]
    threshold: float | None
    positive_value: str
    negative_value: str
    spread: Annotated[float | None, left_out_if(default=None)] = None
    half_width: Annotated[float | None, left_out_if(default=None)] = None
    takes_new_classes: Annotated[bool, left_out_if(default=False)] = False
    libraries: dict[str, str]
    artefacts: dict[str, Artefact]
    members: tuple[Member, ...] = ()
    importance: Annotated[dict[str, float], left_out_if(default={})] = Field(default_factory=dict)
    examples: tuple[dict[str, int | float | str | bool | None], ...] = ()

    @property
    def operating_point(self) -> float:
        """The threshold, NaN where the task has none."""
        return math.nan if self.threshold is None else self.threshold

    @property
    def taught_until(self) -> datetime:
        """What is newer taught this version nothing.

        Times of users' files don't decide that alone: a row of the year 9999 would be newer than all that ever comes.
        """
        return min(self.data.newest, self.created_at)
