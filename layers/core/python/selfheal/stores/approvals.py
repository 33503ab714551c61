"""Healings that wait for a person: Step Functions keeps the question, and takes the answer."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from selfheal.errors import NothingToApprove, StoreUnavailable
from selfheal.records.ledger import Approval

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

# The resource of the one task that waits for an answer.
QUESTION = "publish.waitForTaskToken"


class Approvals:
    """The open questions of one state machine."""

    def __init__(self, client: "SFNClient", arn: str) -> None:
        self._client = client
        self._arn = arn

    def answer(self, execution: str | None, approval: Approval) -> str:
        """Answer the healing of that name (None: the only one that waits); returns its name.

        Raises:
            NothingToApprove: none waits, not that one, or several and none was named.
            StoreUnavailable: Step Functions doesn't answer.
        """
        with _errors():
            waiting = dict(self._waiting())
            name = execution or (next(iter(waiting)) if len(waiting) == 1 else None)
            if name is None or name not in waiting:
                known = ", ".join(waiting) or "none"
                raise NothingToApprove(f"healings that wait for an answer: {known}")
            self._client.send_task_success(taskToken=waiting[name], output=approval.model_dump_json())
            return name

    def _waiting(self) -> Iterator[tuple[str, str]]:
        running = self._client.list_executions(stateMachineArn=self._arn, statusFilter="RUNNING")["executions"]
        for execution in running:
            token = self._token(execution["executionArn"])
            if token is not None:
                yield execution["name"], token

    def _token(self, execution_arn: str) -> str | None:
        pages = self._client.get_paginator("get_execution_history").paginate(executionArn=execution_arn)
        events = [event for page in pages for event in page["events"]]
        asked = [event["taskScheduledEventDetails"] for event in events if "taskScheduledEventDetails" in event]
        questions = [details["parameters"] for details in asked if details["resource"] == QUESTION]
        if not questions:
            return None
        token: str = json.loads(questions[-1])["MessageAttributes"]["task_token"]["StringValue"]
        return token


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        if code in {"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"}:
            raise NothingToApprove("the question was answered, or its time is over") from error
        raise StoreUnavailable(f"Step Functions refused: {code}") from error
    except BotoCoreError as error:
        raise StoreUnavailable(f"Step Functions didn't answer: {type(error).__name__}") from error
