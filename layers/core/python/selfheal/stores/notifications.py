"""Messages to people: one sentence as the subject, the details below it."""

from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from selfheal.errors import StoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

# SNS refuses longer subjects, and line breaks in them.
SUBJECT_LIMIT = 100


class Notifications(Protocol):
    """The port: tell people something."""

    def send(self, subject: str, body: str) -> None:
        """Send one message. Raises StoreUnavailable."""
        ...


class Topic:
    """An SNS topic behind the port."""

    def __init__(self, client: "SNSClient", arn: str) -> None:
        self._client = client
        self._arn = arn

    def send(self, subject: str, body: str) -> None:
        """Publish one message. Raises StoreUnavailable."""
        try:
            self._client.publish(TopicArn=self._arn, Subject=" ".join(subject.split())[:SUBJECT_LIMIT], Message=body)
        except (ClientError, BotoCoreError) as error:
            raise StoreUnavailable(f"SNS didn't take the message: {type(error).__name__}") from error
