"""From pydantic's findings to ours: every field named, no value repeated."""

from pydantic_core import ErrorDetails, ValidationError

from selfheal.errors import FieldFault, RequestInvalid

# Faults told in one answer; a client mends the first hundred before it needs the next.
MAXIMUM_FAULTS = 100
# Names that a client made up are repeated to it, but not at any length.
MAXIMUM_NAME = 100

MESSAGES = {
    "missing": "is required (a nullable field takes null)",
    "extra_forbidden": "is not a field that is known here; check its spelling",
}


def request_invalid(error: ValidationError) -> RequestInvalid:
    """The error that names every field at fault."""
    details = error.errors(include_url=False, include_context=False, include_input=False)[:MAXIMUM_FAULTS]
    faults = [FieldFault(_path(detail), MESSAGES.get(detail["type"], detail["msg"])) for detail in details]
    return RequestInvalid(faults, error.error_count())


def _path(detail: ErrorDetails) -> str:
    return ".".join(str(part)[:MAXIMUM_NAME] for part in detail["loc"])
