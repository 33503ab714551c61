"""What every stored record shares."""

from datetime import UTC, datetime
from functools import partial
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict

from selfheal.text import bounded


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


# An aware moment, always held in UTC, so that records compare and sort.
UtcTime = Annotated[AwareDatetime, AfterValidator(_in_utc)]

# What people or callers wrote, or what was made of it. A healing's state holds some twenty of these, and Step Functions
# ends an execution whose state is larger than 256 KB.
Name = Annotated[str, AfterValidator(partial(bounded, at_most=100))]
Phrase = Annotated[str, AfterValidator(partial(bounded, at_most=300))]
Reason = Annotated[str, AfterValidator(partial(bounded, at_most=1_500))]
Sentence = Annotated[str, AfterValidator(partial(bounded, at_most=3_500))]


class Record(BaseModel):
    """A frozen record; a key that this version doesn't know is refused rather than dropped."""

    # A copy with other text in it is checked again where it becomes part of another record.
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants", revalidate_instances="always")

    schema_version: int = 1

    def to_json(self) -> bytes:
        """The record as it is stored: UTF-8 JSON, readable by a person."""
        return self.model_dump_json(indent=2).encode()
