"""Statements for a bucket's prefixes; CDK's own grants would open whole buckets and more actions than are used."""

from collections.abc import Iterable, Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct


def may_read(bucket: s3.IBucket, *prefixes: str) -> iam.PolicyStatement:
    """Read objects below some prefixes."""
    return iam.PolicyStatement(actions=["s3:GetObject"], resources=_objects(bucket, prefixes))


def may_write(bucket: s3.IBucket, *prefixes: str) -> iam.PolicyStatement:
    """Write objects below some prefixes (a conditional write with `IfMatch` needs `may_read` as well)."""
    return iam.PolicyStatement(actions=["s3:PutObject"], resources=_objects(bucket, prefixes))


def may_list(bucket: s3.IBucket, *prefixes: str) -> iam.PolicyStatement:
    """List the keys below some prefixes, and so learn that one isn't there: of a missing key S3 says access denied."""
    return iam.PolicyStatement(
        actions=["s3:ListBucket"],
        resources=[bucket.bucket_arn],
        conditions={"StringLike": {"s3:prefix": [f"{prefix}*" for prefix in prefixes]}},
    )


def may_use_key(key: kms.IKey, statements: Iterable[iam.PolicyStatement]) -> iam.PolicyStatement:
    """What S3 does with a bucket's key on behalf of whom these statements let read or write objects."""
    allowed = {action for statement in statements for action in statement.actions}
    uses = {"s3:GetObject": "kms:Decrypt", "s3:PutObject": "kms:GenerateDataKey"}
    return iam.PolicyStatement(
        actions=[use for action, use in uses.items() if action in allowed], resources=[key.key_arn]
    )


def of_uploaders(
    scope: Construct, name: str, description: str, statements: Sequence[iam.PolicyStatement], key: kms.IKey | None
) -> iam.ManagedPolicy:
    """A policy for people who put files into a bucket."""
    # Parts of a large upload are put together by decrypting them.
    uses = ["kms:Decrypt", "kms:GenerateDataKey"]
    with_key = [] if key is None else [iam.PolicyStatement(actions=uses, resources=[key.key_arn])]
    return iam.ManagedPolicy(scope, name, description=description, statements=[*statements, *with_key])


def may(action: str, *resources: str) -> iam.PolicyStatement:
    """One action on named resources."""
    return iam.PolicyStatement(actions=[action], resources=list(resources))


def _objects(bucket: s3.IBucket, prefixes: Iterable[str]) -> list[str]:
    return [bucket.arn_for_objects(f"{prefix}*") for prefix in prefixes]
