"""Permissions as deployed: every call of a function is checked against its role in the template, and recorded."""

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.local.aws_calls import (
    TRANSPORT,
    Environ,
    Signature,
    UnknownRequest,
    bucket_and_key,
    calls_of,
    list_any,
    signature_of,
)
from infra.local.deployment import Deployment
from infra.local.iam import Call, Statement, is_allowed, statement_of

type StartResponse = Callable[..., Any]
type Application = Callable[[Environ, StartResponse], Iterable[bytes]]

MISSING, DENIED = "404", "403 Forbidden"


@dataclass(frozen=True, slots=True)
class Request:
    """A signed request and the calls that it needs to be allowed."""

    signature: Signature
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A call, who made it, and whether it was allowed."""

    caller: str
    call: Call
    allowed: bool


@dataclass
class Guard:
    """Roles by the access keys that stand for them; a key without a role, such as the operator's, is an administrator.

    `roles` holds each caller's statements, `buckets` those of each bucket's own policy, which bind everybody, `keys`
    the KMS key of each bucket that has one, which whoever reads or writes there has to be allowed to use. `names` are
    those of the callers by the ARNs of their roles.
    """

    roles: dict[str, list[Statement]] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    buckets: dict[str, list[Statement]] = field(default_factory=dict)
    calls: list[RecordedCall] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._recording = threading.Lock()

    def protect(self, deployment: Deployment, roles: Mapping[str, Any]) -> None:
        """Take on a deployment's policies; `roles` are references to the callers' roles, by their access keys."""
        self.buckets = bucket_statements(deployment)
        self.keys = bucket_keys(deployment)
        self.roles = {caller: role_statements(deployment, role) for caller, role in roles.items()}
        self.names = {deployment.resolve(role): caller for caller, role in roles.items()}

    def name_of(self, role_arn: str) -> str:
        """Who has a role; its last part where nobody is known to."""
        return self.names.get(role_arn, role_arn.rpartition("/")[2])

    def allows(self, caller: str, call: Call) -> bool:
        """Decide on one call, and record it where its caller has a role."""
        allowed = self._is_allowed(caller, call)
        if caller in self.roles:
            with self._recording:
                self.calls.append(RecordedCall(caller, call, allowed))
        return allowed

    def allows_object(self, caller: str, action: str, bucket: str, key: str) -> bool:
        """The same for what a service does with an object by itself, and with its bucket's key."""
        call = Call(action, f"arn:aws:s3:::{bucket}/{key}", TRANSPORT)
        return all(self.allows(caller, needed) for needed in (call, self._key_call(call)) if needed)

    def around(self, application: Application) -> Application:
        """The WSGI application, behind this guard."""

        def guarded(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            request = self._request(environ)
            if request is None:
                return application(environ, start_response)
            for call in request.calls:
                if not self.allows(request.signature.access_key, call):
                    return refusal(request, call, start_response)
            return self._without_hints(request, environ, application, start_response)

        return guarded

    def _request(self, environ: Environ) -> Request | None:
        signature = signature_of(environ)
        if signature is None:
            return None
        try:
            calls = calls_of(environ, signature.service)
            return Request(signature, (*calls, *filter(None, map(self._key_call, calls))))
        except UnknownRequest as unknown:
            # An administrator may do more than is known here; a function may not.
            allowed = signature.access_key not in self.roles
            return None if allowed else Request(signature, (Call(f"{signature.service}:Unknown", str(unknown)),))

    def _without_hints(
        self, request: Request, environ: Environ, application: Application, start_response: StartResponse
    ) -> Iterable[bytes]:
        """The answer; who may not list a bucket doesn't get to know either that a key is missing."""
        answer: list[Any] = []

        def remember(*arguments: Any) -> Callable[[bytes], object]:
            answer.extend(arguments)
            return lambda _: None

        body = application(environ, remember)
        if request.signature.service == "s3" and answer[0].startswith(MISSING):
            # S3's own question, no call of anybody's: whoever gets no hint looks whether the key is listed.
            hint = list_any(bucket_and_key(environ)[0])
            if not self._is_allowed(request.signature.access_key, hint):
                return refusal(request, hint, start_response)
        start_response(*answer)
        return body

    def _is_allowed(self, caller: str, call: Call) -> bool:
        return is_allowed(call, self.roles.get(caller, [_EVERYTHING]), self._bucket_policy(call))

    def _key_call(self, call: Call) -> Call | None:
        """What S3 asks of the bucket's key for a call, with the rights of whoever makes it."""
        use = {"s3:GetObject": "kms:Decrypt", "s3:PutObject": "kms:GenerateDataKey"}.get(call.action)
        key = self.keys.get(call.resource.split(":::")[-1].split("/")[0])
        return Call(use, key) if use and key else None

    def _bucket_policy(self, call: Call) -> list[Statement]:
        if not call.resource.startswith("arn:aws:s3:::"):
            return []
        return self.buckets.get(call.resource.split(":::")[1].split("/")[0], [])


def role_statements(deployment: Deployment, role: Any) -> list[Statement]:
    """All statements of the policies that the template attaches to a role."""
    reference = {"Ref": role["Fn::GetAtt"][0]}
    return [
        statement_of(deployment.resolve(document))
        for _, policy in deployment.resources("AWS::IAM::Policy")
        if reference in policy["Properties"]["Roles"]
        for document in policy["Properties"]["PolicyDocument"]["Statement"]
    ]


def bucket_statements(deployment: Deployment) -> dict[str, list[Statement]]:
    """The statements of each bucket's own policy, by the bucket's name."""
    return {
        deployment.resolve(policy["Properties"]["Bucket"]): [
            statement_of(deployment.resolve(document))
            for document in policy["Properties"]["PolicyDocument"]["Statement"]
        ]
        for _, policy in deployment.resources("AWS::S3::BucketPolicy")
    }


def bucket_keys(deployment: Deployment) -> dict[str, str]:
    """The KMS key of each bucket that has one, by the bucket's name."""
    found = {}
    for logical_id, bucket in deployment.resources("AWS::S3::Bucket"):
        (rule,) = bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        key = rule["ServerSideEncryptionByDefault"].get("KMSMasterKeyID")
        if key is not None:
            found[deployment.physical_id(logical_id)] = deployment.resolve(key)
    return found


def refusal(request: Request, call: Call, start_response: StartResponse) -> list[bytes]:
    """The answer of a service to a call that isn't allowed, in the form that its SDK reads."""
    message = f"{request.signature.access_key} is not authorized to perform: {call.action} on resource: {call.resource}"
    if request.signature.service in ("states", "lambda", "firehose"):
        body = json.dumps({"__type": "AccessDeniedException", "message": message, "Message": message})
        headers = [("Content-Type", "application/json"), ("x-amzn-ErrorType", "AccessDeniedException")]
    else:
        error = f"<Error><Code>AccessDenied</Code><Message>{message}</Message></Error>"
        body = error if request.signature.service == "s3" else f"<ErrorResponse>{error}</ErrorResponse>"
        headers = [("Content-Type", "text/xml")]
    start_response(DENIED, [*headers, ("Content-Length", str(len(body)))])
    return [body.encode()]


_EVERYTHING = Statement("Allow", ("*",), ("*",), {})
