"""Taking in true labels: every object created below `labels/incoming/` wakes the labels function."""

from aws_cdk import aws_s3 as s3
from aws_cdk.aws_s3_notifications import LambdaDestination
from constructs import Construct

from infra.cloud.functions import FunctionFactory, Sizing
from infra.cloud.permissions import may_read, may_write
from selfheal.settings import LabelsSettings

INCOMING = "labels/incoming/"


class LabelIngestion(Construct):
    """The labels function and what wakes it."""

    def __init__(
        self, scope: Construct, name: str, *, functions: FunctionFactory, data: s3.IBucket, registry: s3.IBucket
    ) -> None:
        super().__init__(scope, name)
        self.function = functions.image_function(
            self,
            "labels",
            settings=LabelsSettings(data_bucket=data.bucket_name, registry_bucket=registry.bucket_name),
            statements=[
                may_read(data, INCOMING),
                may_write(data, "labels/accepted/", "labels/rejected/"),
                may_read(registry, "pointers/", "models/"),
            ],
            sizing=Sizing(memory=1024, timeout=120),
        )
        # On the bucket by name: from its own stack the notification would need this one, and this one that stack.
        named = s3.Bucket.from_bucket_name(self, "NamedData", data.bucket_name)
        named.add_event_notification(
            s3.EventType.OBJECT_CREATED, LambdaDestination(self.function), s3.NotificationKeyFilter(prefix=INCOMING)
        )
