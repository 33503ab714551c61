"""The predictor's entry point: HTTP API events through Mangum."""

import gc
from functools import cache
from typing import TYPE_CHECKING, Any

from selfheal.composition import in_runtime

if TYPE_CHECKING:
    from mangum import Mangum


# A large request makes some ten thousands of objects, and none of them is garbage.
ALLOCATIONS = 100_000


@cache
def application() -> "Mangum":
    """The application, made once a process."""
    # Nearly everything that a start makes stays: looking for garbage meanwhile costs a tenth of it.
    gc.disable()
    try:
        from predictor.start import start

        return start()
    finally:
        gc.freeze()
        gc.set_threshold(ALLOCATIONS)
        gc.enable()


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one HTTP API event."""
    return application()(event, context)


# Lambda gives its start more processor time than it gives requests, so everything is loaded there.
if in_runtime():
    application()
