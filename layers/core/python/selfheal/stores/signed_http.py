"""Requests to one AWS service, signed by botocore and sent by urllib3.

For the one function that starts cold in front of a caller: boto3's import and client cost more than half of the web
framework's start.

Waiting is bounded, unlike the SDK's minute and more: the predictor has to answer, also where a service doesn't.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ContainerProvider, CredentialResolver, Credentials, EnvProvider, ReadOnlyCredentials
from botocore.exceptions import BotoCoreError

from selfheal.errors import StoreUnavailable

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

TIMEOUT = urllib3.Timeout(connect=1.0, read=2.0)
# A call that is refused for a moment is tried again at once, and a third time after 2 to 4 ms: a process answers one
# request at a time, so that each wait is one of everybody's. What is then not logged is told in the function's log.
RETRIES = urllib3.Retry(
    total=2,
    backoff_factor=0.001,
    backoff_jitter=0.002,
    status_forcelist=(500, 502, 503, 504),
    allowed_methods=None,
    raise_on_status=False,
    respect_retry_after_header=False,
)
# Partitions whose addresses end otherwise.
SUFFIXES = {"cn-": "amazonaws.com.cn", "eusc-": "amazonaws.eu"}


class SignedHttp:
    """What is asked of one host. `sign` makes the signer for the credentials of a request."""

    def __init__(self, address: str, sign: Callable[[ReadOnlyCredentials], SigV4Auth]) -> None:
        self._address = address
        self._sign = sign
        self.renew()

    def renew(self) -> None:
        """Forget connections and credentials: neither survives in a copy of this process."""
        self._pool = urllib3.connection_from_url(self._address, timeout=TIMEOUT, retries=RETRIES)
        self._credentials: Credentials | None = None

    def send(self, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> "BaseHTTPResponse":
        """The answer to a request, whatever its status.

        Raises:
            StoreUnavailable: there is none, or nothing to sign with.
        """
        try:
            signed = self._signed(method, target, body, headers)
            return self._pool.urlopen(method, target, body=body or None, headers=signed, redirect=False)
        except (BotoCoreError, urllib3.exceptions.HTTPError) as error:
            asked = f"{self._address}{target.partition('?')[0]}"
            raise StoreUnavailable(f"{asked} didn't answer: {type(error).__name__}") from error

    def _signed(self, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> dict[str, str]:
        request = AWSRequest(method, f"{self._address}{target}", dict(headers), body)
        self._sign(self._frozen_credentials()).add_auth(request)
        return dict(request.headers.items())

    def _frozen_credentials(self) -> ReadOnlyCredentials:
        if self._credentials is None:
            self._credentials = resolve_credentials()
        return self._credentials.get_frozen_credentials()


def suffix_of(region: str) -> str:
    """What the addresses of a region's services end with."""
    return next((suffix for prefix, suffix in SUFFIXES.items() if region.startswith(prefix)), "amazonaws.com")


def resolve_credentials() -> Credentials:
    """Credentials that refresh themselves: from the two places where Lambda has them, else from botocore's whole chain.

    Raises:
        NoCredentialsError, BotoCoreError: there are none, or their source doesn't answer.
    """
    found = CredentialResolver([EnvProvider(), ContainerProvider()]).load_credentials()
    if found is None:
        from botocore.exceptions import NoCredentialsError
        from botocore.session import Session  # for a person's profile; costs as much as half the framework

        found = Session().get_credentials()
        if found is None:
            raise NoCredentialsError
    return found
