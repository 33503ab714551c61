"""`selfheal call`: ask the deployed API, signed as its IAM authorisation wants it."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from infra.cli.environment import StageOption, connect
from selfheal.errors import SelfhealError


class CallFailed(SelfhealError):
    """The API couldn't be reached, or no credentials are at hand to sign the request."""


def call(
    path: Annotated[str, typer.Argument(help="Path of the API, such as /model or /predict.")] = "/health",
    body: Annotated[Path | None, typer.Option(help="JSON file to post; `-` reads standard input.")] = None,
    stage: StageOption = "dev",
) -> None:
    """Ask the deployed API: GET, or POST where a body is given. The exit code is 1 where the answer is an error."""
    payload = None if body is None else (sys.stdin.buffer.read() if str(body) == "-" else body.read_bytes())
    status, text = signed_request(f"{connect(stage).url.rstrip('/')}{path}", payload)
    typer.echo(text)
    raise typer.Exit(0 if status < 400 else 1)  # noqa: PLR2004 - HTTP's own border between answers and errors


def signed_request(url: str, payload: bytes | None) -> tuple[int, str]:
    """Send one request signed with Signature Version 4; returns status and text. Raises CallFailed."""
    import httpx
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.session import Session

    session = Session()
    credentials = session.get_credentials()
    region = session.get_config_variable("region")
    if credentials is None or region is None:
        raise CallFailed("no AWS credentials or no region are configured: `aws configure` sets both")
    method = "GET" if payload is None else "POST"
    request = AWSRequest(method, url, {"content-type": "application/json"}, payload)
    SigV4Auth(credentials, "execute-api", region).add_auth(request)
    try:
        answer = httpx.request(method, url, headers=dict(request.headers), content=payload, timeout=30)
    except httpx.HTTPError as error:
        raise CallFailed(f"{url} didn't answer: {error}") from error
    return answer.status_code, answer.text
