"""What holds data, in a stack of its own: it outlives every deployment of the service."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.cloud.acknowledgements import acknowledge, acknowledge_lint
from infra.cloud.stage import Stage
from selfheal.prefixes import LIFETIMES, POINTERS, QUERY_LIFETIMES, STREAM_LIFETIMES, WRITTEN_ONCE


class DataStack(Stack):
    """The data bucket, which forgets, and the registry, which doesn't."""

    def __init__(self, scope: Construct, name: str, *, stage: Stage) -> None:
        super().__init__(scope, name, description=f"selfheal ({stage.name}): predictions, labels, models, ledger")
        acknowledge_lint(self)
        self.key = kms.Key(self, "Key", enable_key_rotation=True) if stage.encryption == "kms" else None
        streamed = STREAM_LIFETIMES if stage.prediction_log == "firehose" else {}
        queried = QUERY_LIFETIMES if stage.queries else {}
        expiry = [_expiry(*rule) for rule in {**LIFETIMES, **streamed, **queried}.items()]
        self.data = _bucket(self, "Data", key=self.key, lifecycle_rules=expiry)
        self.registry = _bucket(self, "Registry", key=self.key, versioned=True)
        for statement in (
            _never_deleted(self.registry),
            _never_rewritten(self.registry),
            _only_swapped(self.registry),
        ):
            self.registry.add_to_resource_policy(statement)


LOGGING = "Who reads objects is for the account's CloudTrail to record; access logs would be one more store to guard"


def _bucket(
    scope: Construct,
    name: str,
    *,
    key: kms.Key | None,
    versioned: bool = False,
    lifecycle_rules: list[s3.LifecycleRule] | None = None,
) -> s3.Bucket:
    bucket = s3.Bucket(
        scope,
        name,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        encryption=s3.BucketEncryption.KMS if key else s3.BucketEncryption.S3_MANAGED,
        encryption_key=key,
        bucket_key_enabled=key is not None,
        enforce_ssl=True,
        minimum_tls_version=1.2,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        versioned=versioned,
        # On in every stage, since turning it on later would make the bucket anew; by itself it locks nothing.
        object_lock_enabled=versioned or None,
        lifecycle_rules=[
            s3.LifecycleRule(abort_incomplete_multipart_upload_after=Duration.days(1)),
            *(lifecycle_rules or []),
        ],
        removal_policy=RemovalPolicy.RETAIN,
    )
    acknowledge(bucket, "S1", LOGGING)
    return bucket


def _never_deleted(registry: s3.Bucket) -> iam.PolicyStatement:
    # Of the pointer neither: once it is gone, a first promotion would succeed again.
    deletions = ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:BypassGovernanceRetention"]
    return _denial(registry, deletions, [*WRITTEN_ONCE, POINTERS], {})


def _never_rewritten(registry: s3.Bucket) -> iam.PolicyStatement:
    # Parts of a large upload carry no condition; the call that completes it does.
    unconditional = {"Null": {"s3:if-none-match": "true"}, "Bool": {"s3:ObjectCreationOperation": "true"}}
    return _denial(registry, ["s3:PutObject"], WRITTEN_ONCE, unconditional)


def _only_swapped(registry: s3.Bucket) -> iam.PolicyStatement:
    # The first pointer is created; from then on whoever writes it names the one that it replaces.
    unconditional = {"s3:if-match": "true", "s3:if-none-match": "true"}
    conditions = {"Null": unconditional, "Bool": {"s3:ObjectCreationOperation": "true"}}
    return _denial(registry, ["s3:PutObject"], [POINTERS], conditions)


def _denial(
    bucket: s3.Bucket, actions: Sequence[str], prefixes: Sequence[str], conditions: Mapping[str, Any]
) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        effect=iam.Effect.DENY,
        principals=[iam.AnyPrincipal()],
        actions=list(actions),
        resources=[bucket.arn_for_objects(f"{prefix}*") for prefix in prefixes],
        conditions=conditions,
    )


def _expiry(prefix: str, days: int) -> s3.LifecycleRule:
    return s3.LifecycleRule(prefix=prefix, expiration=Duration.days(days))
