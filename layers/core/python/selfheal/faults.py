"""From pydantic's findings to ours: every field named, no value repeated."""

from pydantic_core import ValidationError

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


def faults_of(error: ValidationError, *place: str | int) -> list[FieldFault]:
    """The fields at fault, each by its path from `place` on."""
    details = error.errors(include_url=False, include_context=False, include_input=False)
    return [
        FieldFault(_path((*place, *detail["loc"])), MESSAGES.get(detail["type"], detail["msg"])) for detail in details
    ]


def _path(location: tuple[str | int, ...]) -> str:
    return ".".join(str(part)[:MAXIMUM_NAME] for part in location)
