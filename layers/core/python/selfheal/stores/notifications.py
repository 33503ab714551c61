"""Messages to people: one sentence as the subject, the details below it."""

from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from selfheal.errors import StoreUnavailable
from selfheal.text import bounded_lines

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

# SNS refuses longer subjects, line breaks in them, and what isn't ASCII; and messages of more than 256 KB.
LONGEST_SUBJECT, LONGEST_BODY = 99, 20_000


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
        title = " ".join(subject.split()).encode("ascii", "replace").decode()
        title = title if len(title) <= LONGEST_SUBJECT else f"{title[: LONGEST_SUBJECT - 3]}..."
        message = bounded_lines(body, LONGEST_BODY)
        try:
            self._client.publish(TopicArn=self._arn, Subject=title, Message=message)
        except (ClientError, BotoCoreError) as error:
            raise StoreUnavailable(f"SNS didn't take the message: {type(error).__name__}") from error
