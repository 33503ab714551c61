"""How things stand at one moment: what most pages are made from."""

from dataclasses import dataclass
from datetime import datetime

from selfheal.records.healing import LabelProgress
from selfheal.records.manifest import Manifest
from selfheal.records.monitoring import DriftSummary
from selfheal.records.pointer import Pointer
from selfheal.records.story import Story


@dataclass(frozen=True, slots=True)
class HealingUnderWay:
    """A healing that runs: its state, what was trained, how far its labels are; training: the step that it is at."""

    execution: str
    state: str
    version: str | None
    labels: LabelProgress | None
    training: str | None = None


@dataclass(frozen=True, eq=False)
class Situation:
    """How things stand at one moment. production, manifest: None before the first model; summary: of the last run."""

    stage: str
    now: datetime
    story: Story
    production: Pointer | None
    manifest: Manifest | None
    summary: DriftSummary | None
    healing: HealingUnderWay | None
