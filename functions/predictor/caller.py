"""Who calls, as API Gateway has authenticated them."""

from collections.abc import Mapping
from typing import Any

from starlette.types import Scope

from selfheal.errors import CallerUnknown

# Where the API asks nobody who they are: locally.
ANONYMOUS = "anonymous"
# Tokens of people have a subject; those that a machine got for itself have one too, or name their client instead.
CLAIMS = ("sub", "client_id", "azp")


def caller_of(scope: Scope) -> str:
    """The caller's ARN, or the issuer and the subject of their token.

    Raises:
        CallerUnknown: a token that tells its bearer from no other.
    """
    authorizer = scope.get("aws.event", {}).get("requestContext", {}).get("authorizer") or {}
    if "jwt" in authorizer:
        return _bearer(authorizer["jwt"].get("claims") or {})
    return _signer((authorizer.get("iam") or {}).get("userArn"))


def _bearer(claims: Mapping[str, Any]) -> str:
    for name in CLAIMS:
        if claims.get(name):
            return f"{claims.get('iss')} {name} {claims[name]}"
    raise CallerUnknown(
        f"an Idempotency-Key needs to know whose it is, and your token has none of the claims {', '.join(CLAIMS)}: "
        "send the request without the key, or have your issuer add one of them"
    )


def _signer(arn: str | None) -> str:
    """Of an assumed role without its session, which changes from one process to the next."""
    if not arn:
        return ANONYMOUS
    return arn.rpartition("/")[0] if ":assumed-role/" in arn else arn
