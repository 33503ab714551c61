"""The real bucket against moto: the port's promises, and every error of the SDK as one of ours."""

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.stub import Stubber
from moto import mock_aws

from selfheal.errors import ObjectChanged, ObjectExists, ObjectMissing, StoreUnavailable
from selfheal.stores.s3 import S3Bucket


@pytest.fixture
def client(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="bucket")
        yield client


@pytest.fixture
def bucket(client):
    return S3Bucket(client, "bucket")


def test_what_is_written_is_read(bucket):
    """Bytes and ETag come back; listing is in order and starts after a key."""
    etag = bucket.put("a/1", b"one")
    bucket.create("a/2", b"two")
    assert bucket.get("a/1").body == b"one"
    assert bucket.get("a/1").etag == etag
    assert list(bucket.keys("a/")) == ["a/1", "a/2"]
    assert list(bucket.keys("a/", "a/1")) == ["a/2"]
    assert dict(bucket.get_many(["a/1", "gone"])) == {"a/1": b"one"}


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
    with pytest.raises(ObjectChanged):
        bucket.replace("gone", b"", etag)


def test_other_refusals_are_a_store_that_is_unavailable(client, bucket):
    """Access denied, a missing bucket and a dead endpoint have one name; the message holds no key material."""
    with pytest.raises(StoreUnavailable, match="NoSuchBucket"):
        S3Bucket(client, "nowhere").get("k")
    with Stubber(client) as stub:
        stub.add_client_error("get_object", "AccessDenied", http_status_code=403)
        with pytest.raises(StoreUnavailable, match="AccessDenied") as raised:
            bucket.get("k")
    assert isinstance(raised.value.__cause__, ClientError)


def test_an_endpoint_that_doesn_t_answer_is_a_store_that_is_unavailable(client, bucket, monkeypatch):
    """Nothing of botocore's escapes the store."""

    def unreachable(**_):
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    monkeypatch.setattr(client, "put_object", unreachable)
    with pytest.raises(StoreUnavailable, match="EndpointConnectionError"):
        bucket.put("k", b"")


def test_a_conditional_write_that_meets_another_one_is_a_conflict(client, bucket):
    """S3 may answer 409 where two conditional writes of one key meet."""
    with Stubber(client) as stub:
        stub.add_client_error("put_object", "ConditionalRequestConflict", http_status_code=409)
        with pytest.raises(ObjectExists):
            bucket.create("k", b"")
