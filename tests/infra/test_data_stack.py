"""What the data stack promises: nothing public, nothing in the clear, nothing lost by a deployment."""

import json

import pytest

from infra.local.iam import Call, is_allowed, statement_of
from selfheal.prefixes import KEPT
from selfheal.stores.rollups import HORIZON

BUCKETS = ("Data666C94C7", "Registry4DB9CCA5")


@pytest.fixture(scope="session")
def buckets(templates):
    return {
        name: resource
        for name, resource in templates["data"]["Resources"].items()
        if resource["Type"] == "AWS::S3::Bucket"
    }


def test_buckets_keep_their_logical_ids(buckets):
    """A renamed bucket would be made anew and empty: the ids are pinned."""
    assert tuple(buckets) == BUCKETS


def test_buckets_outlive_their_stack(buckets):
    """Neither deleting nor replacing the stack deletes data."""
    for bucket in buckets.values():
        assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"


def test_buckets_are_encrypted_and_never_public(buckets):
    """Every bucket is encrypted at rest and blocks all four kinds of public access."""
    for bucket in buckets.values():
        rule = bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] in {"AES256", "aws:kms"}
        assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}


def test_buckets_refuse_unencrypted_transport(of_type, buckets):
    """Every bucket's policy denies requests without TLS."""
    policies = of_type("AWS::S3::BucketPolicy").values()
    assert {policy["Bucket"]["Ref"] for policy in policies} == set(buckets)
    for policy in policies:
        denials = [item for item in policy["PolicyDocument"]["Statement"] if item["Effect"] == "Deny"]
        assert any('"aws:SecureTransport": "false"' in json.dumps(item.get("Condition")) for item in denials)


def test_the_registry_keeps_every_version_and_forgets_nothing(buckets):
    """The registry is versioned, and no rule of its lifecycle expires an object."""
    registry = buckets["Registry4DB9CCA5"]["Properties"]
    assert registry["VersioningConfiguration"] == {"Status": "Enabled"}
    assert not [rule for rule in registry["LifecycleConfiguration"]["Rules"] if "ExpirationInDays" in rule]


def test_the_data_bucket_forgets_on_time(buckets):
    """Small log objects go after 30 days, roll-ups after 400, idempotency keys after 2."""
    rules = buckets["Data666C94C7"]["Properties"]["LifecycleConfiguration"]["Rules"]
    days = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule}
    assert (days["predictions/"], days["predictions-hourly/"], days["idempotency/"]) == (30, 400, 2)
    assert days["predictions/"] == HORIZON.days
    assert days["predictions-hourly/"] == days["labels/accepted/"] == KEPT.days


def test_what_is_written_once_stays(of_type):
    """Models, evidence and decisions can't be deleted or overwritten, and the pointer can't be deleted, by anybody."""
    policy = next(p for p in of_type("AWS::S3::BucketPolicy").values() if p["Bucket"]["Ref"] == "Registry4DB9CCA5")
    denials = [item for item in policy["PolicyDocument"]["Statement"] if item["Effect"] == "Deny"]
    (deletion,) = [item for item in denials if "s3:DeleteObject" in item["Action"]]
    writing = [item for item in denials if item["Action"] == "s3:PutObject"]
    (rewriting,) = [item for item in writing if "/models/*" in prefixes(item)]
    assert set(deletion["Action"]) == {"s3:DeleteObject", "s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"}
    assert prefixes(deletion) == ["/models/*", "/evidence/*", "/ledger/*", "/ledger-seals/*", "/pointers/*"]
    assert prefixes(rewriting) == ["/models/*", "/evidence/*", "/ledger/*", "/ledger-seals/*"]
    assert rewriting["Condition"]["Null"] == {"s3:if-none-match": "true"}
    assert deletion["Principal"] == rewriting["Principal"] == {"AWS": "*"}


def test_the_pointer_is_only_ever_swapped(of_type):
    """Whoever writes it, by whatever tool, names the one that it replaces, or says that there is none."""
    policy = next(p for p in of_type("AWS::S3::BucketPolicy").values() if p["Bucket"]["Ref"] == "Registry4DB9CCA5")
    resource = "arn:aws:s3:::registry/pointers/production.json"
    denials = [
        statement_of(item | {"Resource": [f"arn:aws:s3:::registry{each}" for each in prefixes(item)]})
        for item in policy["PolicyDocument"]["Statement"]
        if "PutObject" in json.dumps(item["Action"])
    ]
    allowed = [statement_of({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})]

    def may_put(**headers: str) -> bool:
        context = {"s3:ObjectCreationOperation": "true"} | {f"s3:{k.replace('_', '-')}": v for k, v in headers.items()}
        return is_allowed(Call("s3:PutObject", resource, context), allowed, denials)

    assert may_put(if_match='"etag"')
    assert may_put(if_none_match="*")
    assert not may_put()


def test_the_registry_can_lock_objects_and_locks_none_by_itself(buckets):
    """Object Lock is on from the start (it can't be turned on later), and no rule of its own locks the pointer."""
    registry = buckets["Registry4DB9CCA5"]["Properties"]
    assert registry["ObjectLockEnabled"] is True
    assert "ObjectLockConfiguration" not in registry


def prefixes(statement):
    named = statement["Resource"]
    return [resource["Fn::Join"][1][-1] for resource in (named if isinstance(named, list) else [named])]


def test_every_prefix_of_the_data_bucket_has_a_lifetime(buckets, functions, statements):
    """Whatever a function may write to the data bucket expires: nothing piles up unseen."""
    rules = buckets["Data666C94C7"]["Properties"]["LifecycleConfiguration"]["Rules"]
    expiring = tuple(rule["Prefix"] for rule in rules if "ExpirationInDays" in rule)
    for function in functions.values():
        for statement in statements(function):
            if statement["Action"] == "s3:PutObject":
                written = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
                paths = [r["Fn::Join"][1][-1] for r in written if "OutputRefData" in json.dumps(r)]
                assert [path for path in paths if not path.lstrip("/").startswith(expiring)] == []
