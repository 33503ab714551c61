"""Which actions on which resources an SDK's HTTP request asks for, as IAM would see it."""

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

from infra.local.deployment import ACCOUNT, REGION
from infra.local.iam import Call

# The local cloud speaks plain HTTP on this machine; what it stands for speaks TLS.
TRANSPORT = {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"}

type Environ = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed a request, and for which service."""

    access_key: str
    service: str


class UnknownRequest(Exception):
    """A request whose permissions aren't known here: add its operation to `infra.local.aws_calls`."""


def signature_of(environ: Environ) -> Signature | None:
    """The signature of a WSGI request; None where it has none."""
    authorisation = environ.get("HTTP_AUTHORIZATION", "")
    if "Credential=" not in authorisation:
        return None
    access_key, _, _, service, _ = authorisation.split("Credential=")[1].split(",")[0].split("/")
    return Signature(access_key, service)


def calls_of(environ: Environ, service: str) -> list[Call]:
    """The calls that a WSGI request to a service amounts to.

    Raises:
        UnknownRequest: the operation isn't known.
    """
    if service not in _SERVICES:
        raise UnknownRequest(f"nothing is known of the service {service}")
    return _SERVICES[service](environ)


def list_any(bucket: str) -> Call:
    """What S3 asks for before it says that a key is missing; without it the answer is that access is denied."""
    return Call("s3:ListBucket", f"arn:aws:s3:::{bucket}", TRANSPORT)


def bucket_and_key(environ: Environ) -> tuple[str, str]:
    """The path of an S3 request."""
    bucket, _, key = str(environ["PATH_INFO"]).encode("latin-1").decode().lstrip("/").partition("/")
    return bucket, key


def _s3(environ: Environ) -> list[Call]:
    bucket, key = bucket_and_key(environ)
    query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    if not key:
        return [_bucket_call(environ["REQUEST_METHOD"], bucket, query)]
    resource = f"arn:aws:s3:::{bucket}/{key}"
    return [Call(action, resource, {**TRANSPORT, **_conditions(environ)}) for action in _object_actions(environ)]


def _bucket_call(method: str, bucket: str, query: Mapping[str, list[str]]) -> Call:
    if method == "GET" and "list-type" in query:
        prefix = {"s3:prefix": unquote(query["prefix"][0])} if "prefix" in query else {}
        return Call("s3:ListBucket", f"arn:aws:s3:::{bucket}", {**TRANSPORT, **prefix})
    raise UnknownRequest(f"{method} of a bucket with {sorted(query)}")


def _object_actions(environ: Environ) -> list[str]:
    method = environ["REQUEST_METHOD"]
    if method in ("GET", "HEAD"):
        return ["s3:GetObject"]
    if method == "PUT":
        # The service has to read what is there before it can compare it; a lock is a right of its own.
        compared = ["s3:GetObject"] if "HTTP_IF_MATCH" in environ else []
        locked = ["s3:PutObjectRetention"] if "HTTP_X_AMZ_OBJECT_LOCK_MODE" in environ else []
        return ["s3:PutObject", *compared, *locked]
    if method == "DELETE":
        return ["s3:DeleteObject"]
    raise UnknownRequest(f"{method} of an object")


def _conditions(environ: Environ) -> dict[str, str]:
    headers = {"s3:if-none-match": "HTTP_IF_NONE_MATCH", "s3:if-match": "HTTP_IF_MATCH"}
    found = {key: environ[header] for key, header in headers.items() if header in environ}
    return {**found, "s3:ObjectCreationOperation": "true"} if environ["REQUEST_METHOD"] == "PUT" else found


def _states(environ: Environ) -> list[Call]:
    operation = environ["HTTP_X_AMZ_TARGET"].split(".")[1]
    body = json.loads(body_of(environ))
    resource = body.get("stateMachineArn") or body.get("executionArn")
    if resource is None:
        raise UnknownRequest(f"states:{operation}")
    return [Call(f"states:{operation}", resource)]


def _firehose(environ: Environ) -> list[Call]:
    operation, body = environ["HTTP_X_AMZ_TARGET"].split(".")[1], json.loads(body_of(environ))
    if "DeliveryStreamName" not in body:
        raise UnknownRequest(f"firehose:{operation}")
    name = f"deliverystream/{body['DeliveryStreamName']}"
    return [Call(f"firehose:{operation}", f"arn:aws:firehose:{REGION}:{ACCOUNT}:{name}")]


def _sns(environ: Environ) -> list[Call]:
    form = parse_qs(body_of(environ).decode())
    if "TopicArn" not in form:
        raise UnknownRequest(f"sns:{form['Action'][0]}")
    return [Call(f"sns:{form['Action'][0]}", form["TopicArn"][0])]


def _lambda(environ: Environ) -> list[Call]:
    path = unquote(environ["PATH_INFO"]).split("/")
    if environ["REQUEST_METHOD"] == "POST" and path[-1] == "invocations":
        return [Call("lambda:InvokeFunction", path[-2])]
    raise UnknownRequest(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} of Lambda")


def body_of(environ: Environ) -> bytes:
    """A request's body, left there for whoever reads it next."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return bytes(body)


_SERVICES: dict[str, Callable[[Environ], list[Call]]] = {
    "s3": _s3,
    "states": _states,
    "sns": _sns,
    "lambda": _lambda,
    "firehose": _firehose,
}
