"""Answering files: every object created below `batches/incoming/` wakes the batch scoring function.

So does each part that it cuts a large file into, once, below `batches/parts/`, where nobody else writes.
"""

from aws_cdk import aws_s3 as s3
from aws_cdk.aws_s3_notifications import LambdaDestination
from constructs import Construct

from infra.cloud.acknowledgements import acknowledge_prefixes
from infra.cloud.capabilities.failures import Failures
from infra.cloud.functions import FunctionFactory, Sizing
from infra.cloud.permissions import may_list, may_read, may_write, of_uploaders
from infra.cloud.storage import Storage
from selfheal.prefixes import BATCHES_DONE, BATCHES_INCOMING, BATCHES_PARTS, MODELS, POINTERS, PREDICTIONS
from selfheal.settings import BatchScoringSettings


class BatchScoring(Construct):
    """The batch scoring function and what wakes it."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        functions: FunctionFactory,
        storage: Storage,
        failures: Failures,
    ) -> None:
        super().__init__(scope, name)
        data, registry = storage.data, storage.registry
        function = functions.image_function(
            self,
            "batch_scoring",
            settings=storage.settings(BatchScoringSettings),
            statements=[
                may_read(data, BATCHES_INCOMING, BATCHES_PARTS, PREDICTIONS),
                may_list(data, BATCHES_INCOMING, BATCHES_PARTS),
                may_write(data, PREDICTIONS, BATCHES_PARTS, BATCHES_DONE),
                may_read(registry, POINTERS, MODELS),
                may_list(registry, POINTERS),
            ],
            # A large file takes minutes. On disk are the file and what it unfolds to.
            sizing=Sizing(memory=3008, timeout=900, disk=2560),
        )
        failures.keep_events_of(function)
        for prefix in (BATCHES_INCOMING, BATCHES_PARTS):
            data.add_event_notification(
                s3.EventType.OBJECT_CREATED, LambdaDestination(function), s3.NotificationKeyFilter(prefix=prefix)
            )
        statements = [may_write(data, BATCHES_INCOMING), may_read(data, BATCHES_DONE)]
        policy = of_uploaders(
            self, "MayScore", "For those who have files answered: they may do nothing else", statements, storage.key
        )
        acknowledge_prefixes(policy, statements, "Files have names of their own below the prefixes")
