"""What holds data, in a stack of its own: it outlives every deployment of the service."""

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.cloud.stage import Stage

# Days after which what lies below a prefix of the data bucket goes.
SMALL_OBJECTS = 30
ROLL_UPS = 400
LIFETIMES = {
    "idempotency/": 2,
    "predictions/": SMALL_OBJECTS,
    "labels/incoming/": SMALL_OBJECTS,
    "labels/rejected/": SMALL_OBJECTS,
    "predictions-hourly/": ROLL_UPS,
    "labels/accepted/": ROLL_UPS,
    "monitoring/": ROLL_UPS,
}


class DataStack(Stack):
    """The data bucket, which forgets, and the registry, which doesn't."""

    def __init__(self, scope: Construct, name: str, *, stage: Stage) -> None:
        super().__init__(scope, name, description=f"selfheal ({stage.name}): predictions, labels, models, ledger")
        self.data = _bucket(self, "Data", lifecycle_rules=[_expiry(*rule) for rule in LIFETIMES.items()])
        self.registry = _bucket(self, "Registry", versioned=True)


def _bucket(
    scope: Construct,
    name: str,
    *,
    versioned: bool = False,
    lifecycle_rules: list[s3.LifecycleRule] | None = None,
) -> s3.Bucket:
    return s3.Bucket(
        scope,
        name,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        encryption=s3.BucketEncryption.S3_MANAGED,
        enforce_ssl=True,
        minimum_tls_version=1.2,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        versioned=versioned,
        lifecycle_rules=[
            s3.LifecycleRule(abort_incomplete_multipart_upload_after=Duration.days(1)),
            *(lifecycle_rules or []),
        ],
        removal_policy=RemovalPolicy.RETAIN,
    )


def _expiry(prefix: str, days: int) -> s3.LifecycleRule:
    return s3.LifecycleRule(prefix=prefix, expiration=Duration.days(days))
