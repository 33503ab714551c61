"""Telling people: one topic for everything that changed."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk.aws_sns_subscriptions import EmailSubscription
from constructs import Construct


class Notifications(Construct):
    """The topic, and who hears of it first; others subscribe after the deployment."""

    def __init__(self, scope: Construct, name: str, *, email: str) -> None:
        super().__init__(scope, name)
        self.topic = sns.Topic(self, "Topic", enforce_ssl=True)
        self.topic.add_to_resource_policy(self._alarms_of_this_account())
        if email:
            self.topic.add_subscription(EmailSubscription(email))

    def _alarms_of_this_account(self) -> iam.PolicyStatement:
        # The service speaks for every account: without the condition anybody's alarm could write to these people.
        return iam.PolicyStatement(
            principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
            actions=["sns:Publish"],
            resources=[self.topic.topic_arn],
            conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
        )
