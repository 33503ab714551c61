"""Large hours as the state machine service knows them: an execution for each, which rolls it up in parts."""

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from selfheal.errors import StoreUnavailable
from selfheal.records.hours import HourAsked

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


class LargeHours(Protocol):
    """The port: have a closed hour rolled up in parts."""

    def start(self, hour: datetime, now: datetime) -> None:
        """Start it, at most once in a clock hour: if it fails, the next one tries again. Raises StoreUnavailable."""
        ...


class HourStateMachine:
    """Step Functions behind the port: the service itself refuses a second execution of a name."""

    def __init__(self, client: "SFNClient", arn: str) -> None:
        self._client = client
        self._arn = arn

    def start(self, hour: datetime, now: datetime) -> None:
        """Start it, unless that was done in this clock hour. Raises StoreUnavailable."""
        name = f"{hour:%Y-%m-%dT%H}-at-{now:%Y-%m-%dT%H}"
        asked = HourAsked(hour=hour).model_dump_json()
        try:
            self._client.start_execution(stateMachineArn=self._arn, name=name, input=asked)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "unknown")
            if code != "ExecutionAlreadyExists":
                raise StoreUnavailable(f"Step Functions refused to start {name}: {code}") from error
        except BotoCoreError as error:
            raise StoreUnavailable(f"Step Functions didn't answer: {type(error).__name__}") from error
