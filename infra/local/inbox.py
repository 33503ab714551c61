"""What people would get to read: every message of the topic, kept through a queue that is subscribed to it."""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Message:
    """One notification."""

    subject: str
    body: str


class Inbox:
    """A subscription to the topic."""

    def __init__(self, sns: Any, sqs: Any, topic_arn: str) -> None:
        self._sqs = sqs
        self._queue = sqs.create_queue(QueueName="inbox")["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])["Attributes"]
        sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=attributes["QueueArn"])
        self._messages: list[Message] = []

    def messages(self) -> list[Message]:
        """All messages so far, oldest first."""
        while received := self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages"):
            for item in received:
                content = json.loads(item["Body"])
                self._messages.append(Message(content.get("Subject", ""), content["Message"]))
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=item["ReceiptHandle"])
        return list(self._messages)
