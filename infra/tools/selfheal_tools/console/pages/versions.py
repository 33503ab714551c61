"""Versions: where each comes from, what became of it, and one version in full."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from selfheal.records.manifest import Manifest
from selfheal.records.pointer import Pointer
from selfheal.records.story import Story
from selfheal_tools.console.pages.decisions import Line, line_of
from selfheal_tools.console.pages.metrics import columns, metric_name
from selfheal_tools.console.words import moment, number

# The newest ones; older ones are found through decisions.
SHOWN = 30
# What became of a version, from what was decided about it last.
BECAME = {"bootstrap": "promoted", "promote": "promoted", "rollback": "brought back", "reject": "rejected"}


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version; state: production, promoted, rejected ... lane: 0 where it has ever answered, 1 where not."""

    version: str
    created: str
    kind: str
    parent: str | None
    members: tuple[str, ...]
    state: str
    lane: int
    metrics: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class VersionsPage:
    """Versions, newest first; total: how many there are."""

    rows: tuple[VersionRow, ...]
    total: int
    metrics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VersionPage:
    """One version: what it is, how it did when it was judged, what was decided about it."""

    manifest: Manifest
    state: str
    facts: tuple[tuple[str, str], ...]
    metrics: tuple[tuple[str, str], ...]
    lines: tuple[Line, ...]
    is_production: bool


def versions_page(manifests: Sequence[Manifest], total: int, story: Story, production: Pointer | None) -> VersionsPage:
    """The page of these versions, newest first."""
    known = columns(name for manifest in manifests for name in manifest.metrics)
    return VersionsPage(
        rows=tuple(_row(manifest, story, production, known) for manifest in manifests),
        total=total,
        metrics=tuple(metric_name(name) for name in known),
    )


def version_page(manifest: Manifest, story: Story, production: Pointer | None) -> VersionPage:
    """The page of one version."""
    return VersionPage(
        manifest=manifest,
        state=state_of_version(manifest.version, story, production),
        facts=tuple(_facts(manifest)),
        metrics=tuple((metric_name(name), f"{value:.4f}") for name, value in manifest.metrics.items()),
        lines=tuple(line_of(known, story) for known in story.decisions_about(manifest.version)[::-1]),
        is_production=production is not None and production.version == manifest.version,
    )


def state_of_version(version: str, story: Story, production: Pointer | None) -> str:
    """What became of a version: in production, what was decided about it last, or shadow where nothing was."""
    if production is not None and production.version == version:
        return "production"
    decided = [known for known in story.decisions if known.version == version]
    if not decided:
        return "shadow"
    outcome = story.outcome_of(decided[-1])
    if outcome is not None and outcome.kind == "conflict":
        return "not promoted"
    return BECAME.get(decided[-1].kind, decided[-1].kind)


def threshold_of(manifest: Manifest) -> list[tuple[str, str]]:
    """The operating point, where the target has one."""
    return [] if manifest.threshold is None else [("Operating threshold", f"{manifest.threshold:.4f}")]


def _row(manifest: Manifest, story: Story, production: Pointer | None, metrics: Sequence[str]) -> VersionRow:
    state = state_of_version(manifest.version, story, production)
    return VersionRow(
        version=manifest.version,
        created=moment(manifest.created_at),
        kind=_kind(manifest),
        parent=manifest.lineage.parent_version,
        members=tuple(member.version for member in manifest.members),
        state=state,
        lane=0 if state in {"production", "promoted", "brought back"} else 1,
        metrics={metric_name(name): number(manifest.metrics.get(name)) for name in metrics},
    )


def _kind(manifest: Manifest) -> str:
    if manifest.members:
        return f"blend of {len(manifest.members)}"
    chosen = [candidate.name for candidate in manifest.candidates if candidate.chosen]
    return ", ".join(chosen) or "unknown"


def _facts(manifest: Manifest) -> list[tuple[str, str]]:
    data, is_binary = manifest.data, manifest.contract.model.task == "binary"
    drawn = f" of {data.sampling.held:,}" if data.sampling else ""
    facts = [
        ("Model", _kind(manifest)),
        ("Trained", moment(manifest.created_at)),
        ("Why", manifest.lineage.trigger),
        ("Would replace", manifest.lineage.parent_version or "nothing"),
        *threshold_of(manifest),
        ("Training rows", f"{data.rows:,}{drawn}{f', {data.positives:,} of them positive' if is_binary else ''}"),
        ("From, to", f"{moment(data.oldest)}, {moment(data.newest)}"),
    ]
    facts += [("Healing", manifest.lineage.execution)] if manifest.lineage.execution else []
    return [*facts, ("Fingerprint of the rows", data.fingerprint[:16])]
