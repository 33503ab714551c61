"""Who calls, as API Gateway has authenticated them."""

from starlette.types import Scope

ANONYMOUS = "anonymous"


def caller_of(scope: Scope) -> str:
    """The caller's ARN; of an assumed role without its session, which changes from one process to the next."""
    context = scope.get("aws.event", {}).get("requestContext", {})
    identity = (context.get("authorizer") or {}).get("iam") or {}
    arn = str(identity.get("userArn") or ANONYMOUS)
    return arn.rpartition("/")[0] if ":assumed-role/" in arn else arn
