"""What failed in the background isn't lost: a queue keeps the event, and an alarm says that it holds something."""

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.cloud.acknowledgements import acknowledge
from infra.cloud.permissions import may

RETRIES = 2
KEPT_DAYS = 14


class Failures(Construct):
    """The dead-letter queue of everything that nobody waits for."""

    def __init__(self, scope: Construct, name: str) -> None:
        super().__init__(scope, name)
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(KEPT_DAYS),
        )
        acknowledge(self.queue, "SQS3", "This is the dead-letter queue; an alarm says when it holds something")

    def keep_events_of(self, function: lambda_.Function) -> None:
        """Keep the events that a function didn't manage to handle, after Lambda has tried again twice."""
        lambda_.CfnEventInvokeConfig(
            function,
            "Failures",
            function_name=function.function_name,
            qualifier="$LATEST",
            maximum_retry_attempts=RETRIES,
            destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(
                on_failure=lambda_.CfnEventInvokeConfig.OnFailureProperty(destination=self.queue.queue_arn)
            ),
        )
        function.add_to_role_policy(may("sqs:SendMessage", self.queue.queue_arn))
