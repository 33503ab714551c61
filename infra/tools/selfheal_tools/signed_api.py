"""The deployed API, asked as its IAM authorisation wants it: signed with Signature Version 4."""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Self

from selfheal.errors import SelfhealError

if TYPE_CHECKING:
    import httpx
    from botocore.auth import SigV4Auth
    from botocore.session import Session

SECONDS = 30.0


class CallFailed(SelfhealError):
    """The API couldn't be reached."""


class CredentialsMissing(SelfhealError):
    """There are no credentials, or no region, to sign a request with."""


class SignedApi:
    """Requests over one connection, which `with` ends."""

    def __init__(self, url: str, session: "Session | None" = None) -> None:
        self._url = url.rstrip("/")
        self._session = session

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def send(self, path: str, payload: bytes | None, headers: Mapping[str, str]) -> tuple[int, str]:
        """Send one request, POST where there is a payload; status and text of the answer.

        Raises:
            CallFailed: there is no answer.
            CredentialsMissing: the request can't be signed.
        """
        import httpx
        from botocore.awsrequest import AWSRequest

        method, url = "GET" if payload is None else "POST", f"{self._url}{path}"
        request = AWSRequest(method, url, {"content-type": "application/json", **headers}, payload)
        self._signer.add_auth(request)
        try:
            answer = self._client.request(method, url, headers=dict(request.headers), content=payload)
        except httpx.HTTPError as error:
            raise CallFailed(f"{url} didn't answer: {error}") from error
        return answer.status_code, answer.text

    @cached_property
    def _client(self) -> "httpx.Client":
        import httpx

        return httpx.Client(timeout=SECONDS)

    @cached_property
    def _signer(self) -> "SigV4Auth":
        from botocore.auth import SigV4Auth
        from botocore.session import Session

        session = self._session or Session()
        credentials = session.get_credentials()
        region = session.get_config_variable("region")
        if credentials is None or region is None:
            raise CredentialsMissing("no AWS credentials or no region are configured: `aws configure` sets both")
        return SigV4Auth(credentials, "execute-api", region)
