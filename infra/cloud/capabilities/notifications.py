"""Telling people: one topic for everything that changed."""

from aws_cdk import aws_sns as sns
from constructs import Construct


class Notifications(Construct):
    """The topic; subscribe an address to it after the first deployment."""

    def __init__(self, scope: Construct, name: str) -> None:
        super().__init__(scope, name)
        self.topic = sns.Topic(self, "Topic", enforce_ssl=True)
