"""Healings as the state machine service knows them: the service itself refuses a second one of a name."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from selfheal.errors import HealingRefused, StoreUnavailable
from selfheal.records.healing import Healing

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


# A state writes some five events while it is entered, tried again and left.
NEWEST_EVENTS = 50


@dataclass(frozen=True, slots=True)
class Execution:
    """One execution; status is RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED."""

    name: str
    status: str


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an execution is: the state that it entered last, and what its states have gathered until then."""

    state: str
    gathered: Mapping[str, Any]


class Executions(Protocol):
    """The port: start a healing, list those there are."""

    def start(self, healing: Healing) -> None:
        """Start a healing. Raises HealingRefused where one of that name is under way or has ended."""
        ...

    def recent(self) -> Sequence[Execution]:
        """The newest executions, newest first (at least those of the last 24 hours)."""
        ...


class WatchedExecutions(Executions, Protocol):
    """The port of who wants to see how far they are."""

    def progress(self, name: str) -> Progress | None:
        """Where an execution is; None where that isn't known."""
        ...


class StateMachine:
    """Step Functions behind the ports."""

    def __init__(self, client: "SFNClient", arn: str) -> None:
        self._client = client
        self._arn = arn

    def start(self, healing: Healing) -> None:
        """Start a healing. Raises HealingRefused, StoreUnavailable."""
        body = f'{{"healing": {healing.model_dump_json()}}}'
        try:
            self._client.start_execution(stateMachineArn=self._arn, name=healing.execution, input=body)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "unknown")
            if code == "ExecutionAlreadyExists":
                raise HealingRefused(f"healing {healing.execution} was started before; wait for its end") from error
            raise StoreUnavailable(f"Step Functions refused to start {healing.execution}: {code}") from error
        except BotoCoreError as error:
            raise StoreUnavailable(f"Step Functions didn't answer: {type(error).__name__}") from error

    def recent(self) -> Sequence[Execution]:
        """The newest 100 executions, newest first. Raises StoreUnavailable."""
        try:
            answer = self._client.list_executions(stateMachineArn=self._arn, maxResults=100)
        except (ClientError, BotoCoreError) as error:
            raise StoreUnavailable(f"Step Functions didn't list executions: {type(error).__name__}") from error
        return [Execution(item["name"], item["status"]) for item in answer["executions"]]

    def progress(self, name: str) -> Progress | None:
        """Where an execution is, by its newest events; None where none says so. Raises StoreUnavailable."""
        execution = f"{self._arn.replace(':stateMachine:', ':execution:')}:{name}"
        try:
            answer = self._client.get_execution_history(
                executionArn=execution, reverseOrder=True, maxResults=NEWEST_EVENTS
            )
        except self._client.exceptions.ExecutionDoesNotExist:
            return None
        except (ClientError, BotoCoreError) as error:
            raise StoreUnavailable(f"Step Functions didn't say where {name} is: {type(error).__name__}") from error
        entered = [event for event in answer["events"] if "stateEnteredEventDetails" in event]
        if not entered:
            return None
        newest = max(entered, key=itemgetter("id"))["stateEnteredEventDetails"]
        return Progress(newest["name"], json.loads(newest.get("input", "{}")))
