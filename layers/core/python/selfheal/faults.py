"""From pydantic's findings to ours: every field named, no value repeated."""

from pydantic_core import ErrorDetails, ValidationError

from selfheal.errors import FieldFault

# Names that a client made up are repeated to it, but not at any length.
MAXIMUM_NAME = 100

MESSAGES = {
    "missing": "is required (a nullable field takes null)",
    # As they are called in JSON.
    "dict_type": "Input should be an object",
    "list_type": "Input should be a valid array",
    "extra_forbidden": "is not a field that is known here; check its spelling",
}

# Of a null these say more than that it is one.
NOT_OF_A_FIELD = {"dict_type", "list_type", "extra_forbidden"}
NULL = "is null, and this field is not nullable"


def faults_of(error: ValidationError, *place: str | int) -> list[FieldFault]:
    """The fields at fault, each by its path from `place` on."""
    details = error.errors(include_url=False, include_context=False)
    return [FieldFault(_path((*place, *detail["loc"])), _message(detail)) for detail in details]


def _message(detail: ErrorDetails) -> str:
    if detail["input"] is None and detail["type"] not in NOT_OF_A_FIELD:
        return NULL
    return MESSAGES.get(detail["type"], detail["msg"])


def _path(location: tuple[str | int, ...]) -> str:
    return ".".join(str(part)[:MAXIMUM_NAME] for part in location)
