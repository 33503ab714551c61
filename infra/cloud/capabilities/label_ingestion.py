"""Taking in true labels: every object created below `labels/incoming/` wakes the labels function.

So do the parts that it cuts a large file into, once: a part is never cut. Lambda stops a function that woke itself by
S3 some 16 times in a chain, and counts two here.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
"""

from aws_cdk import Stack
from aws_cdk import aws_s3 as s3
from aws_cdk.aws_s3_notifications import LambdaDestination
from constructs import Construct

from infra.cloud.acknowledgements import acknowledge, acknowledge_prefixes
from infra.cloud.capabilities.failures import Failures
from infra.cloud.functions import FunctionFactory, Sizing
from infra.cloud.permissions import may_list, may_read, may_write, of_uploaders
from infra.cloud.stage import Stage
from infra.cloud.storage import Storage
from selfheal.prefixes import (
    LABELS_ACCEPTED,
    LABELS_BY_ID,
    LABELS_INCOMING,
    LABELS_OUTCOMES,
    LABELS_PARTS,
    LABELS_REJECTED,
    MODELS,
    POINTERS,
)
from selfheal.settings import LabelsSettings

BASIC_EXECUTION = "Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


class LabelIngestion(Construct):
    """The labels function and what wakes it."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        functions: FunctionFactory,
        storage: Storage,
        stage: Stage,
        failures: Failures,
    ) -> None:
        super().__init__(scope, name)
        data, registry = storage.data, storage.registry
        self.function = functions.image_function(
            self,
            "labels",
            settings=storage.settings(LabelsSettings, metrics_namespace=stage.metrics_namespace),
            statements=[
                may_read(data, LABELS_INCOMING, LABELS_OUTCOMES),
                may_list(data, LABELS_INCOMING, LABELS_OUTCOMES),
                may_write(data, LABELS_PARTS, LABELS_ACCEPTED, LABELS_BY_ID, LABELS_REJECTED, LABELS_OUTCOMES),
                may_read(registry, POINTERS, MODELS),
                may_list(registry, POINTERS),
            ],
            # A large file takes minutes. On disk are the file, what it unfolds to, and its parts.
            sizing=Sizing(memory=3008, timeout=900, disk=5120),
        )
        failures.keep_events_of(self.function)
        self._policy_of_uploaders(storage)
        data.add_event_notification(
            s3.EventType.OBJECT_CREATED,
            LambdaDestination(self.function),
            s3.NotificationKeyFilter(prefix=LABELS_INCOMING),
        )
        for handler in Stack.of(self).node.children:
            if handler.node.id.startswith("BucketNotificationsHandler"):
                acknowledge(handler, f"IAM4[{BASIC_EXECUTION}]", "CDK's own handler, run only while deploying")

    def _policy_of_uploaders(self, storage: Storage) -> None:
        statements = [may_write(storage.data, LABELS_INCOMING)]
        description = "For those who upload true labels: they may do nothing else"
        policy = of_uploaders(self, "MayUpload", description, statements, storage.key)
        acknowledge_prefixes(policy, statements, "Uploads have names of their own below the one prefix")
