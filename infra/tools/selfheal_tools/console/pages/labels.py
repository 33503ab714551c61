"""Labels: what was received, what was refused and why, and what is still missing by age."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from selfheal.records.labels import IngestionReport
from selfheal_tools.console.words import moment

SHOWN, REFUSED_SHOWN = 50, 20
DAYS = 7


@dataclass(frozen=True, slots=True)
class UploadRow:
    """One upload: when it came and what became of its rows; refusals: where its refused rows lie.

    parts: how many uploads a large file was cut into, which stand beside it; 0 where it wasn't.
    """

    name: str
    when: str
    accepted: int
    rejected: int
    pending: int
    reasons: tuple[tuple[str, int], ...]
    refusals: str
    parts: int


@dataclass(frozen=True, slots=True)
class LabelsPage:
    """Uploads of the last 30 days, newest first; totals over all of them."""

    uploads: tuple[UploadRow, ...]
    received: int
    accepted: int
    rejected: int
    pending: int
    reasons: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class DayOfLabels:
    """Predictions of a day and how many of them have a label."""

    day: date
    age: str
    predictions: int
    labelled: int

    @property
    def missing(self) -> int:
        """Predictions that still wait for their label."""
        return self.predictions - self.labelled


def labels_page(reports: Sequence[IngestionReport]) -> LabelsPage:
    """The page of what became of uploads."""
    newest = sorted(reports, key=lambda report: report.uploaded_at, reverse=True)
    reasons: dict[str, int] = {}
    for report in newest:
        for reason, count in _reasons(report):
            reasons[reason] = reasons.get(reason, 0) + count
    return LabelsPage(
        uploads=tuple(_row(report) for report in newest[:SHOWN]),
        received=len(newest),
        accepted=sum(report.accepted for report in newest),
        rejected=sum(report.rejected for report in newest),
        pending=sum(report.pending for report in newest),
        reasons=tuple(sorted(reasons.items(), key=lambda item: -item[1])),
    )


def missing_by_age(
    ids: NDArray[np.object_], timestamps: NDArray[np.datetime64], labelled: Mapping[date, set[str]], now: datetime
) -> tuple[DayOfLabels, ...]:
    """Days of predictions, newest first; `labelled`: the ids that have a label, by the day of their prediction."""
    days = timestamps.astype("datetime64[D]")
    found = []
    for back in range(DAYS + 1):
        day = (now - timedelta(days=back)).date()
        made = ids[days == np.datetime64(day)]
        known = labelled.get(day, set())
        age = "today" if back == 0 else "yesterday" if back == 1 else f"{back} days ago"
        found.append(DayOfLabels(day, age, len(made), sum(str(key) in known for key in made)))
    return tuple(row for row in found if row.predictions)


def _row(report: IngestionReport) -> UploadRow:
    return UploadRow(
        name=report.upload,
        when=moment(report.uploaded_at),
        accepted=report.accepted,
        rejected=report.rejected,
        pending=report.pending,
        reasons=tuple(_reasons(report)),
        refusals=report.refusals,
        parts=len(report.parts),
    )


def _reasons(report: IngestionReport) -> list[tuple[str, int]]:
    return [(report.reason, max(report.rejected, 1))] if report.reason else list(report.reasons.items())
