"""Find the predictions of labels that name them by users' ids: once the hour of their upload is closed, then daily.

Until that hour is in the index, the newest prediction under an id isn't known.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from selfheal.contract.model import ModelSection
from selfheal.labels.matching import Match, match
from selfheal.prefixes import KEPT, LABELS_INCOMING
from selfheal.records.labels import LabelById, MatchReport, RejectedRow, Upload
from selfheal.stores.collection import Stores
from selfheal.stores.labels_by_id import uploaded_at
from selfheal.stores.rollups import GRACE, HOUR, hour_of

# So long a label waits for a prediction under its id; whoever uploaded it is then told, also where no run came by for
# as long again.
WAIT = timedelta(days=30)
UNFOUND = f"no prediction under this id was found up to {WAIT.days} days after the upload"
# An hour that holds what can't be read stays open; labels wait for it no longer than this.
OPEN_TOO_LONG = timedelta(days=1)
# Labels that are looked up at once: each look reads the index of the whole window.
AT_ONCE = 100_000

type Read = Callable[[str], list[LabelById]]
type Named = tuple[str, list[LabelById]]


def match_labels(stores: Stores, now: datetime) -> MatchReport:
    """Match what was uploaded in hours that are closed now and, once a day, what waits since it had no prediction.

    Doing it again changes nothing: a label is the same statement each time.

    Raises:
        NoProductionModel: there is no contract yet to say what an id means.
        StoreUnavailable: a store doesn't answer; doing it again completes it.
    """
    new, waiting = stores.labels_by_id.open_since(now - 2 * WAIT)
    report = _matched(stores, _due(stores, new, now), stores.labels_by_id.uploaded, now)
    if waiting and not stores.labels_by_id.is_retried(now):
        report += _matched(stores, waiting, stores.labels_by_id.waiting, now)
        stores.labels_by_id.set_retried(now)
    return report


def _due(stores: Stores, uploads: Sequence[str], now: datetime) -> list[str]:
    """The uploads whose hour is rolled up, or never will be: nothing was logged up to it, or it can't be read."""
    new = [name for name in uploads if _hour(name) + HOUR + GRACE <= now]
    if not new:
        return []
    done = stores.rollups.hours_between(_hour(new[0]), now)
    first_logged = stores.rollups.oldest_logged_hour() or now
    # Hours are rolled up oldest first: one that is passed over by a day of them holds what can't be read.
    passed_over = max(done, default=first_logged) - OPEN_TOO_LONG
    return [name for name in new if _hour(name) in done or _hour(name) < max(first_logged, passed_over)]


def _hour(name: str) -> datetime:
    return hour_of(uploaded_at(name))


def _matched(stores: Stores, names: Sequence[str], read: Read, now: datetime) -> MatchReport:
    report = MatchReport()
    if not names:
        return report
    model = stores.models.manifest(stores.pointer.read().pointer.version).contract.model
    for uploads in _some_at_a_time((name, read(name)) for name in names):
        found = _predictions_of([label for _, labels in uploads for label in labels], stores, model, now)
        for name, labels in uploads:
            is_over = uploaded_at(name) <= now - WAIT
            matches = [(label, _match(label, found, model, is_over=is_over)) for label in labels]
            report += _settled(stores, name, matches)
    return report


def _some_at_a_time(uploads: Iterator[Named]) -> Iterator[list[Named]]:
    batch: list[Named] = []
    for name, labels in uploads:
        batch.append((name, labels))
        if sum(len(labels) for _, labels in batch) >= AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _predictions_of(
    labels: Sequence[LabelById], stores: Stores, model: ModelSection, now: datetime
) -> dict[str, list[str]]:
    moments = [label.label_timestamp for label in labels]
    oldest, window = now - KEPT, timedelta(days=model.id_window_days)
    since = max(min(moments, default=oldest), oldest) - window
    return stores.id_index.find({label.id for label in labels}, since, now)


def _match(label: LabelById, found: dict[str, list[str]], model: ModelSection, *, is_over: bool) -> Match:
    matched = match(label, found.get(label.id, ()), timedelta(days=model.id_window_days), model.repeated_ids)
    waits = not (matched.labels or matched.refusal)
    return Match([], UNFOUND) if waits and is_over else matched


def _settled(stores: Stores, name: str, matches: Sequence[tuple[LabelById, Match]]) -> MatchReport:
    refused = [(label, matched.refusal) for label, matched in matches if matched.refusal]
    waiting = [label for label, matched in matches if not (matched.labels or matched.refusal)]
    stores.labels.accept(found for _, matched in matches for found in matched.labels)
    if refused:
        rows = [_rejected(*pair) for pair in refused]
        stores.labels.reject(_as_upload(refused[0][0], rows), rows)
    stores.labels_by_id.leave_waiting(name, waiting)
    return MatchReport(matched=len(matches) - len(refused) - len(waiting), refused=len(refused), waiting=len(waiting))


def _as_upload(label: LabelById, rows: Sequence[RejectedRow]) -> Upload:
    """What was refused of an upload once its predictions were looked for lies beside what was refused at once.

    Each look refuses rows of its own, which overwrite none of an earlier one's.
    """
    digest = hashlib.sha256(b"".join(row.to_json() for row in rows)).hexdigest()
    return Upload(key=f"{LABELS_INCOMING}{label.upload}/by-id", size=0, uploaded_at=label.received_at, etag=digest)


def _rejected(label: LabelById, reason: str) -> RejectedRow:
    return RejectedRow(line=label.line, id=label.id, label=str(label.label), reason=reason)
