"""A large hour of the log on its way through the state machine that rolls it up."""

from selfheal.records.base import Record, UtcTime


class HourAsked(Record):
    """What the state machine is started with: the beginning of a closed hour."""

    hour: UtcTime


class HourPlan(HourAsked):
    """What of an hour is to be rolled up. `manifest`: key of the list of its parts, none where nothing is left to do.

    version: beside whose reference the parts are summarised.
    """

    version: str
    manifest: str
    parts: int


class PartDone(Record):
    """How many rows a part holds."""

    rows: int


class HourRolledUp(HourAsked):
    """What became of an hour. `whole`: whether no more was logged meanwhile than one function has taken in."""

    whole: bool
