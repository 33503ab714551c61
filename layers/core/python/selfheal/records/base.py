"""What every stored record shares."""

from datetime import UTC, datetime
from functools import partial
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, field_validator

from selfheal.errors import RecordIncompatible
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
    """A frozen record. Releases come and go back, so that each reads what earlier and later ones wrote.

    A new field has a default, and readers that don't know it ignore it. A change that they would misread (another
    meaning or unit, a new value of a `kind`) takes the next `schema_version`, which they refuse by name.
    """

    # A copy with other text in it is checked again where it becomes part of another record.
    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="constants", revalidate_instances="always")

    schema_version: int = 1

    @field_validator("schema_version")
    @classmethod
    def _is_known(cls, version: int) -> int:
        known = cls.model_fields["schema_version"].default
        if version > known:
            raise RecordIncompatible(
                f"this {cls.__name__} has schema version {version} and this release reads up to {known}: "
                "deploy the release that wrote it, or a later one"
            )
        return version

    def to_json(self) -> bytes:
        """The record as it is stored: UTF-8 JSON, readable by a person."""
        return self.model_dump_json(indent=2).encode()
