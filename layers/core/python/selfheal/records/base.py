"""What every stored record shares."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


# An aware moment, always held in UTC, so that records compare and sort.
UtcTime = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class Record(BaseModel):
    """A frozen record; a key that this version doesn't know is refused rather than dropped."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    schema_version: int = 1

    def to_json(self) -> bytes:
        """The record as it is stored: UTF-8 JSON, readable by a person."""
        return self.model_dump_json(indent=2).encode()
