"""HTTP API events to ASGI and back."""

import asyncio
from functools import cache

from fastapi import FastAPI
from mangum import Mangum
from mangum.adapter import DEFAULT_TEXT_MIME_TYPES

from predictor.problems import MEDIA_TYPE


def gateway(app: FastAPI) -> Mangum:
    """The function that answers events. Lifespan is off, as it would run with every event; problems travel as text."""
    asyncio.set_event_loop(_loop())
    return Mangum(app, lifespan="off", text_mime_types=[*DEFAULT_TEXT_MIME_TYPES, MEDIA_TYPE])


@cache
def _loop() -> asyncio.AbstractEventLoop:
    # Mangum asks for the thread's loop, which Python no longer makes unasked.
    return asyncio.new_event_loop()
