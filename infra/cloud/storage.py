"""The two buckets as the service sees them: by name, with what its functions are told and allowed of them."""

from dataclasses import dataclass
from typing import Any

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from selfheal.settings import RegistrySettings, Settings


@dataclass(frozen=True, kw_only=True)
class Storage:
    """The buckets, the key of both (None: S3's own), and for how many days the registry retains objects (0: none)."""

    data: s3.IBucket
    registry: s3.IBucket
    key: kms.IKey | None
    retention_days: int

    def settings[Kind: Settings](self, kind: type[Kind], **more: Any) -> Kind:
        """A function's settings: the buckets' names and, where it writes the registry, the retention; and its own."""
        if issubclass(kind, RegistrySettings):
            more["retention_days"] = self.retention_days
        return kind(data_bucket=self.data.bucket_name, registry_bucket=self.registry.bucket_name, **more)

    def may_write_once(self, *prefixes: str) -> iam.PolicyStatement:
        """Write below prefixes of the registry that are written once; with a retention, where there is one."""
        retaining = ["s3:PutObjectRetention"] if self.retention_days else []
        return iam.PolicyStatement(
            actions=["s3:PutObject", *retaining],
            resources=[self.registry.arn_for_objects(f"{prefix}*") for prefix in prefixes],
        )
