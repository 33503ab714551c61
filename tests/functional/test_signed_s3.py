"""What the signed bucket sends, beside what boto3 sends for the same operation; and how it fails."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError
from botocore.session import Session

from selfheal.errors import AccessRefused, ObjectExists, ObjectMissing, StoreUnavailable
from selfheal.stores import signed_http, signed_s3
from selfheal.stores.s3 import S3Bucket
from selfheal.stores.signed_s3 import SignedBucket
from tests.functional.test_s3_buckets import KEYS
from tests.support.recorder import recording

REGION = "eu-central-1"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


@pytest.fixture
def recorder():
    with recording() as server:
        yield server


@pytest.fixture(autouse=True)
def credentials(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session-token")


@pytest.fixture
def pair(recorder):
    config = Config(s3={"addressing_style": "path"}, request_checksum_calculation="when_required")
    client = boto3.Session().client("s3", region_name=REGION, endpoint_url=recorder.endpoint, config=config)
    yield S3Bucket(client, "bucket"), SignedBucket("bucket", region=REGION, endpoint=recorder.endpoint)
    client.close()


def signature_of(request: dict[str, Any]) -> tuple[str, str]:
    """The signature that a request carries, and the one that AWS's specification of Signature Version 4 asks for.

    Written from https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, for a sorted query.
    """
    headers = request["headers"]
    parts = dict(part.strip().split("=", 1) for part in headers["authorization"].split(" ", 1)[1].split(","))
    _, *scope = parts["Credential"].split("/")
    path, _, query = request["path"].partition("?")
    names = parts["SignedHeaders"].split(";")
    canonical = "\n".join(
        [
            request["method"],
            path,
            query,
            *(f"{name}:{headers[name]}" for name in names),
            "",
            ";".join(names),
            hashlib.sha256(request["body"]).hexdigest(),
        ]
    )
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], "/".join(scope), hashed])
    key = f"AWS4{SECRET}".encode()
    for part in scope:
        key = hmac.digest(key, part.encode(), "sha256")
    return parts["Signature"], hmac.digest(key, text.encode(), "sha256").hex()


OPERATIONS = {
    "get": lambda bucket, key: bucket.get(key),
    "get if changed": lambda bucket, key: bucket.get_if_changed(key, '"other"'),
    "put": lambda bucket, key: bucket.put(key, b"body"),
    "create": lambda bucket, key: bucket.create(key, b"body"),
    "replace": lambda bucket, key: bucket.replace(key, b"body", '"e"'),
}
COMPARED = ("host", "if-none-match", "if-match", "x-amz-content-sha256", "x-amz-security-token")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_both_clients_ask_for_the_same_and_both_signatures_hold(recorder, pair, operation: str):
    """Method, path, conditions and body are equal; a verifier made from the specification accepts both signatures."""
    for key in KEYS:
        for bucket in pair:
            OPERATIONS[operation](bucket, key)
        theirs, ours = recorder.requests[-2:]
        assert asked_for(ours) == asked_for(theirs)
        for request in (theirs, ours):
            carried, demanded = signature_of(request)
            assert carried == demanded, key


def asked_for(request: dict[str, Any]) -> dict[str, Any]:
    told = {name: request["headers"].get(name) for name in COMPARED}
    return {**told, "method": request["method"], "path": request["path"], "body": request["body"]}


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1"])
@pytest.mark.parametrize("bucket", ["bucket", "with.dots"])
def test_addresses_are_those_of_the_sdk(region: str, bucket: str):
    """The host that boto3 would connect to, in every partition."""
    config = Config(s3={"us_east_1_regional_endpoint": "regional"})
    client = boto3.Session().client("s3", region_name=region, config=config)
    sent = []

    def intercepted(request, **_):
        sent.append(request.url)
        raise ConnectionClosedError(endpoint_url=request.url)

    client.meta.events.register("before-send.s3", intercepted)
    with pytest.raises(ConnectionClosedError):
        client.get_object(Bucket=bucket, Key="k")
    client.close()
    address, path = signed_s3._address_of(bucket, region, None)
    assert f"{address}{path}/k" == sent[0]


def error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>secret</Message></Error>".encode()


def test_a_store_that_fails_for_a_moment_is_asked_again(recorder, pair):
    """Two refusals for overload, then the answer."""
    recorder.answers = [(503, error("SlowDown")), (500, error("InternalError")), (200, b"body")]
    assert pair[1].get("k").body == b"body"


@pytest.mark.parametrize(("status", "code"), [(403, "AccessDenied"), (301, "PermanentRedirect"), (400, "ExpiredToken")])
def test_a_refusal_is_a_store_that_is_unavailable(recorder, pair, status: int, code: str):
    """The code is told, the message is not; nor does a key that may not be looked for seem to be missing."""
    recorder.answers = [(status, error(code))] * 2
    with pytest.raises(StoreUnavailable, match=rf"^S3 refused k: {code}$"):
        pair[1].get("k")


@pytest.mark.parametrize("read", ["get", "get_if_changed"])
def test_a_key_that_isn_t_listed_is_missing_whatever_s3_says_of_it(recorder, pair, read: str):
    """Who may list below a prefix only is refused a missing key like a secret one; the list tells them apart."""
    listed = "<ListBucketResult><IsTruncated>false</IsTruncated>{}</ListBucketResult>"
    ask = {"get": lambda: pair[1].get("k"), "get_if_changed": lambda: pair[1].get_if_changed("k", "etag")}[read]
    others = listed.format("<Contents><Key>k2</Key></Contents>").encode()
    recorder.answers = [(403, error("AccessDenied")), (200, others)]
    with pytest.raises(ObjectMissing):
        ask()
    there = listed.format("<Contents><Key>k</Key></Contents>").encode()
    recorder.answers = [(403, error("AccessDenied")), (200, there)]
    with pytest.raises(AccessRefused):
        ask()


def test_a_store_that_stays_overloaded_is_unavailable(recorder, pair):
    """After three attempts."""
    recorder.answers = [(503, error("SlowDown"))] * 3
    with pytest.raises(StoreUnavailable, match="SlowDown"):
        pair[1].put("k", b"")


def test_a_conflict_between_conditional_writes_is_one_of_ours(recorder, pair):
    """409, where another conditional write of the key is under way."""
    recorder.answers = [(409, error("ConditionalRequestConflict"))]
    with pytest.raises(ObjectExists):
        pair[1].create("k", b"")


def test_an_address_where_nobody_listens_is_a_store_that_is_unavailable(monkeypatch):
    """And soon: the caller is still waiting."""
    monkeypatch.setattr(signed_http, "RETRIES", signed_http.RETRIES.new(backoff_factor=0))
    bucket = SignedBucket("bucket", region=REGION, endpoint="http://127.0.0.1:9")
    with pytest.raises(StoreUnavailable, match="didn't answer"):
        bucket.get("k")


def test_credentials_come_from_the_container_and_refresh_themselves(recorder, monkeypatch):
    """After a restored snapshot the environment has none: they come from an endpoint, and again when they run out."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{recorder.endpoint}/credentials")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "container-token")
    now = datetime.now(UTC)
    lives = [timedelta(minutes=1), timedelta(hours=6)]
    for number, life in enumerate(lives):
        issued = {"AccessKeyId": f"KEY{number}", "SecretAccessKey": SECRET, "Token": "t"}
        recorder.answers.append((200, json.dumps({**issued, "Expiration": (now + life).isoformat()}).encode()))
    bucket = SignedBucket("bucket", region=REGION, endpoint=recorder.endpoint)
    bucket.get("one")
    bucket.get("two")
    asked = [request["path"] for request in recorder.requests]
    assert asked == ["/credentials", "/credentials", "/bucket/one", "/bucket/two"]
    assert recorder.requests[0]["headers"]["authorization"] == "container-token"
    assert all("Credential=KEY1/" in request["headers"]["authorization"] for request in recorder.requests[2:])
    bucket.renew()
    recorder.answers = [
        (200, json.dumps({**issued, "AccessKeyId": "KEY2", "Expiration": (now + lives[1]).isoformat()}).encode())
    ]
    bucket.get("three")
    assert "Credential=KEY2/" in recorder.requests[-1]["headers"]["authorization"]


def test_the_environments_credentials_are_those_of_botocores_own_chain():
    """The two providers find what the whole chain finds."""
    ours, theirs = signed_http.resolve_credentials(), Session().get_credentials()
    assert ours.get_frozen_credentials() == theirs.get_frozen_credentials()


def test_a_listing_is_read_to_its_end(recorder, pair):
    """Page after page, each from the last key of the one before; keys arrive encoded."""
    page = "<R xmlns='x'><IsTruncated>{}</IsTruncated><Contents><Key>{}</Key></Contents></R>"
    recorder.answers = [(200, page.format("true", "a%2Bb+c").encode()), (200, page.format("false", "d").encode())]
    assert list(pair[1].keys("", "0")) == ["a+b c", "d"]
    queries = [parse_qs(urlsplit(request["path"]).query) for request in recorder.requests]
    assert [query["start-after"] for query in queries] == [["0"], ["a+b c"]]


def test_connections_are_kept(recorder, pair):
    """One connection serves many requests, so that a prediction doesn't pay for a handshake."""
    for _ in range(3):
        pair[1].put("k", b"")
    assert pair[1]._http._pool.num_connections == 1
    assert all(first["headers"]["host"] == second["headers"]["host"] for first, second in pairwise(recorder.requests))
