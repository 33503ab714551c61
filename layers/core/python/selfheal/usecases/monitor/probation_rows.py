"""The rows that judge a version in probation: each hour of them is read and answered once, and kept as differences."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Self

from selfheal.contract import Contract
from selfheal.data.moments import as_datetime64
from selfheal.gates.evidence import EvidenceRows
from selfheal.healing.judged_rows import (
    NOTHING,
    Judged,
    JudgedHour,
    JudgedRows,
    in_order_of_arrival,
    packed,
    unpacked,
)
from selfheal.models.formats import model_of
from selfheal.models.ports import Model
from selfheal.records.ledger import Decision
from selfheal.records.manifest import Manifest
from selfheal.stores.collection import Stores
from selfheal.tables.predictions import LabelledRows
from selfheal.tables.smallest import MOST_JUDGED
from selfheal.tasks import Task, task_of
from selfheal.usecases.heal.scoring import answers_of, evidence_rows
from selfheal.usecases.monitor.fresh_labels import FreshHour, FreshLabels


@dataclass(frozen=True, eq=False)
class Rivals:
    """A version and the one before it."""

    contract: Contract
    task: Task
    version: Model
    previous: Model

    @classmethod
    def read(cls, stores: Stores, manifest: Manifest, previous_version: str) -> Self:
        """Both, each artefact verified. Raises one of `UNREADABLE` where a version is damaged."""
        previous = stores.models.manifest(previous_version)
        version, before = (model_of(each, stores.models.artefact) for each in (manifest, previous))
        return cls(manifest.contract, task_of(manifest), version, before)

    def evidence(self, labelled: LabelledRows) -> EvidenceRows:
        """Both versions' answers to rows, in the order given."""
        answers = (answers_of(model, labelled.rows, self.task) for model in (self.version, self.previous))
        return evidence_rows(labelled.rows, self.contract, *answers, task=self.task)


def judged_rows(
    stores: Stores, promotion: Decision, fresh: FreshLabels, rivals: Rivals, *, most: int = MOST_JUDGED
) -> JudgedRows:
    """All of them, in order of arrival; what an hour came to is kept until anything it follows from changes.

    Once `most` of them are answers of the version's own, made since its promotion, what is kept stays what judges, and
    no more is read: how many they are says nothing of how the bet stands, so that to end it there costs no error.
    """
    body = stores.probations.read(promotion.decision_id)
    known = unpacked(body) if body is not None else NOTHING
    kept = JudgedRows.concatenate([JudgedRows.none(), *(each.rows for each in known.hours.values())])
    if (kept.timestamps >= as_datetime64(promotion.decided_at)).sum() >= most:
        return _in_order_of_arrival(kept)
    days, hours, open_hours = dict[date, str](), dict[datetime, JudgedHour](), [JudgedRows.none()]
    for day in fresh.days():
        if day.fingerprint is not None:
            days[day.day] = day.fingerprint
            if known.days.get(day.day) == day.fingerprint:
                hours |= known.of(day.day)
                continue
        for hour in day.hours():
            before = known.hours.get(hour.logged.hour)
            if before is not None and before.fingerprint == hour.fingerprint:
                hours[hour.logged.hour] = before
            elif hour.fingerprint is not None:
                hours[hour.logged.hour] = JudgedHour(hour.fingerprint, _judged_anew(hour, rivals))
            else:
                open_hours.append(_judged_anew(hour, rivals))
    judged = Judged(days, hours)
    if not judged.says_as_much_as(known):
        stores.probations.write(promotion.decision_id, packed(judged))
    return _in_order_of_arrival(JudgedRows.concatenate([*open_hours, *(hour.rows for hour in hours.values())]))


def whole_evidence(fresh: FreshLabels, rivals: Rivals) -> tuple[EvidenceRows, JudgedRows]:
    """The same, all read and answered anew: with labels and answers, and as differences. There must be a row."""
    labelled = LabelledRows.concatenate([hour.rows() for hour in fresh.hours()])
    ordered = labelled.take(in_order_of_arrival(labelled.rows.row_ids, labelled.arrivals))
    evidence = rivals.evidence(ordered)
    return evidence, _judged(evidence, ordered)


def _in_order_of_arrival(rows: JudgedRows) -> JudgedRows:
    return rows.take(in_order_of_arrival(rows.row_ids, rows.arrivals))


def _judged(evidence: EvidenceRows, labelled: LabelledRows) -> JudgedRows:
    return JudgedRows(evidence.row_ids, evidence.timestamps, labelled.arrivals, evidence.gains)


def _judged_anew(hour: FreshHour, rivals: Rivals) -> JudgedRows:
    labelled = hour.rows()
    return _judged(rivals.evidence(labelled), labelled)
