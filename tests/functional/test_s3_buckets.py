"""Both real buckets, boto3's and the signed one, against moto: the port's promises, and every error as one of ours."""

import io
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.stub import Stubber

from selfheal.errors import AccessRefused, ObjectChanged, ObjectExists, ObjectMissing, StoreUnavailable
from selfheal.prefixes import WRITTEN_ONCE
from selfheal.stores.s3 import Retention, S3Bucket
from selfheal.stores.signed_s3 import SignedBucket

REGION = "us-east-1"
# Spaces, plus and percent signs, text beyond ASCII, and paths that a careless client would tidy up.
KEYS = ["a b", "a+b", "a%20b", "é/ü", "a//b", "a/./b", "a/../b", "q?x=1&y", "h#i", "~-_.!*'()", "dt=2026-03-01/hh=00/x"]


@pytest.fixture
def client(moto_endpoint, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    client = boto3.Session().client("s3", region_name=REGION, endpoint_url=moto_endpoint)
    client.create_bucket(Bucket="bucket")
    yield client
    for item in client.list_objects_v2(Bucket="bucket").get("Contents", []):
        client.delete_object(Bucket="bucket", Key=item["Key"])
    client.delete_bucket(Bucket="bucket")
    client.close()


@pytest.fixture
def sdk(client):
    return S3Bucket(client, "bucket")


@pytest.fixture
def signed(client, moto_endpoint):
    return SignedBucket("bucket", region=REGION, endpoint=moto_endpoint)


@pytest.fixture(params=["sdk", "signed"])
def bucket(request):
    return request.getfixturevalue(request.param)


def test_what_is_written_is_read(bucket):
    """Bytes and ETag come back; listing is in order and starts after a key."""
    etag = bucket.put("a/1", b"one")
    bucket.create("a/2", b"")
    assert (bucket.get("a/1").body, bucket.get("a/1").etag) == (b"one", etag)
    assert bucket.get("a/2").body == b""
    assert list(bucket.keys("a/")) == ["a/1", "a/2"]
    assert list(bucket.keys("a/", "a/1")) == ["a/2"]
    assert list(bucket.sizes("a/")) == [("a/1", 3), ("a/2", 0)]
    assert dict(bucket.get_many(["a/1", "gone"])) == {"a/1": b"one"}
    file = io.BytesIO()
    assert (bucket.download("a/1", file), file.getvalue()) == (etag, b"one")


def test_conditions_that_are_not_met_have_names(bucket):
    """A taken key, a changed object and an unchanged one are told apart."""
    etag = bucket.create("k", b"one")
    with pytest.raises(ObjectExists):
        bucket.create("k", b"two")
    assert bucket.get_if_changed("k", etag) is None
    newer = bucket.replace("k", b"two", etag)
    with pytest.raises(ObjectChanged):
        bucket.replace("k", b"three", etag)
    assert bucket.get_if_changed("k", etag).etag == newer
    with pytest.raises(ObjectMissing):
        bucket.get("gone")
    with pytest.raises(ObjectMissing):
        bucket.get_if_changed("gone", etag)
    with pytest.raises(ObjectMissing):
        bucket.download("gone", io.BytesIO())
    with pytest.raises(ObjectChanged):
        bucket.replace("gone", b"", etag)


def test_both_buckets_mean_the_same_key(sdk, signed):
    """What one writes under an awkward key, the other reads, lists and finds unchanged."""
    for key in KEYS:
        etag = signed.create(key, key.encode())
        assert sdk.get(key).body == key.encode()
        assert sdk.get_if_changed(key, etag) is None
        with pytest.raises(ObjectExists):
            sdk.create(key, b"")
    assert list(signed.keys("")) == list(sdk.keys("")) == sorted(KEYS, key=str.encode)


def test_a_bucket_that_isn_t_there_is_a_store_that_is_unavailable(client, moto_endpoint):
    """Not a missing object: a typing error in the settings must not look like an empty registry."""
    for bucket in (S3Bucket(client, "nowhere"), SignedBucket("nowhere", region=REGION, endpoint=moto_endpoint)):
        with pytest.raises(StoreUnavailable, match="NoSuchBucket"):
            bucket.get("k")


def test_a_key_that_isn_t_listed_is_missing_whatever_s3_says_of_it(client, sdk):
    """Who may list below a prefix only is refused a missing key like a secret one; the list tells them apart."""
    for listed, error in ((["k2"], ObjectMissing), (["k", "k2"], AccessRefused)):
        with Stubber(client) as stub:
            stub.add_client_error("get_object", "AccessDenied", http_status_code=403)
            stub.add_response("list_objects_v2", {"Contents": [{"Key": key, "Size": 1} for key in listed]})
            with pytest.raises(error):
                sdk.get("k")


def test_the_sdks_errors_have_one_name(client, sdk, monkeypatch):
    """A refusal and a dead endpoint are a store that is unavailable; nothing of botocore's escapes."""
    with Stubber(client) as stub:
        stub.add_client_error("get_object", "AccessDenied", http_status_code=403)
        with pytest.raises(StoreUnavailable, match="AccessDenied"):
            sdk.get("k")
        stub.add_client_error("put_object", "ConditionalRequestConflict", http_status_code=409)
        with pytest.raises(ObjectExists):
            sdk.create("k", b"")

    def unreachable(**_):
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    monkeypatch.setattr(client, "put_object", unreachable)
    with pytest.raises(StoreUnavailable, match="EndpointConnectionError"):
        sdk.put("k", b"")


@pytest.fixture
def retaining(client):
    """A bucket with Object Lock, whose written-once prefixes are retained for thirty days."""
    client.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
    yield S3Bucket(client, "locked", Retention(WRITTEN_ONCE, 30, lambda: datetime.now(UTC)))
    for item in client.list_object_versions(Bucket="locked").get("Versions", []):
        version = {"Key": item["Key"], "VersionId": item["VersionId"]}
        client.delete_object(Bucket="locked", **version, BypassGovernanceRetention=True)
    client.delete_bucket(Bucket="locked")


def test_what_is_written_once_is_locked_until_its_retention_ends(client, retaining):
    """A model's version can't be deleted, is locked for thirty days in governance mode, and its key stays taken."""
    retaining.create("models/v1/model.json", b"{}")
    head = client.head_object(Bucket="locked", Key="models/v1/model.json")
    assert head["ObjectLockMode"] == "GOVERNANCE"
    left = head["ObjectLockRetainUntilDate"] - datetime.now(UTC)
    assert timedelta(days=29) < left <= timedelta(days=30)
    with pytest.raises(ClientError, match="AccessDenied"):
        client.delete_object(Bucket="locked", Key="models/v1/model.json", VersionId=head["VersionId"])
    with pytest.raises(ObjectExists):
        retaining.create("models/v1/model.json", b"[]")


def test_the_pointer_is_never_locked(client, retaining):
    """Neither the first pointer nor a swapped one carries a lock: a retention there would fill up with every move."""
    etag = retaining.create("pointers/production.json", b"1")
    retaining.replace("pointers/production.json", b"2", etag)
    assert "ObjectLockMode" not in client.head_object(Bucket="locked", Key="pointers/production.json")


def test_a_retention_needs_a_bucket_that_can_lock(client):
    """Where the bucket has no Object Lock the write is refused whole: nothing is written without its protection."""
    bucket = S3Bucket(client, "bucket", Retention(WRITTEN_ONCE, 30, lambda: datetime.now(UTC)))
    with pytest.raises(StoreUnavailable):
        bucket.create("models/v1/model.json", b"{}")
    assert list(bucket.keys("")) == []
