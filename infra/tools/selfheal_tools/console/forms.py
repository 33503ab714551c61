"""What a form sends: names and texts."""

from http import HTTPStatus
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

LARGEST_FORM = 1_000_000


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form; of a name that comes twice the last one. Raises HTTPException."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "that is more than a form of this console sends")
    return dict(parse_qsl(body.decode("utf-8", errors="replace"), keep_blank_values=True))
