"""How a new production model fares in its probation."""

from selfheal.records.base import Record, UtcTime


class Probation(Record):
    """One look at a probation.

    labels: rows labelled since the promotion, `own_labels` of which the new version answered. difference: mean Brier
    loss of the new minus the previous version, None without labels. e_value: the highest that the bet against the new
    version has stood; at `threshold` and above the previous version comes back. is_judged: False where a version or the
    evidence of the promotion can't be read, which says nothing of the version.
    """

    version: str
    previous_version: str
    ends_at: UtcTime
    labels: int
    own_labels: int = 0
    difference: float | None
    e_value: float
    threshold: float
    rolled_back: bool
    is_judged: bool = True
    sentence: str
