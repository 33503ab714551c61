"""What every stored record shares."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, field_validator

from selfheal.errors import RecordIncompatible


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


# An aware moment, always held in UTC, so that records compare and sort.
UtcTime = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class Record(BaseModel):
    """A frozen record. Releases come and go back, so that each reads what earlier and later ones wrote.

    A new field has a default, and readers that don't know it ignore it. A change that they would misread (another
    meaning or unit, a new value of a `kind`) takes the next `schema_version`, which they refuse by name.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", ser_json_inf_nan="constants")

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
