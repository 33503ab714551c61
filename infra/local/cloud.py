"""The local cloud itself: what `infra.local` describes."""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import boto3
from botocore.config import Config

from infra.local.assembly import Assembly
from infra.local.clock import SimulatedClock
from infra.local.deployment import ACCOUNT, REGION, Deployment
from infra.local.errors import NotSettled
from infra.local.function_pool import FunctionPool
from infra.local.functions import (
    HOUR_ROLL_UP,
    SCHEDULER,
    ThirdParty,
    caller_roles,
    development_packages,
    failure_destinations,
    function_specs,
    state_machines,
)
from infra.local.guard import Guard, RecordedCall
from infra.local.hosting import Hosting, Processes, Runtime
from infra.local.iam import Call, Statement
from infra.local.inbox import Inbox, Message
from infra.local.moto_adaptations import adapted, served_at
from infra.local.runtime import LOG_STREAM, FunctionSpec
from infra.local.schedules import Schedule
from selfheal.stores.collection import Stores
from selfheal.stores.executions import StateMachine
from selfheal.stores.large_hours import HourStateMachine
from selfheal.stores.s3 import S3Bucket

# Looked at this often while waiting for everything to come to rest.
# What runs is asked for seldom where it runs long: asking takes time from it.
SETTLE_POLL_SECONDS, LONGEST_POLL_SECONDS = 0.01, 0.1
SETTLE_SECONDS = 900.0
# The state of the state machine that waits for a person's answer.
QUESTION_STATE = "AskForApproval"


class LocalCloud:
    """A deployed assembly; see `infra.local` for how to use one."""

    def __init__(
        self,
        assembly: Path,
        *,
        start: datetime,
        work_dir: Path,
        third_party: ThirdParty | None = None,
        hosting: Hosting | None = None,
    ) -> None:
        work_dir.mkdir(parents=True, exist_ok=True)
        self.clock = SimulatedClock(work_dir / "clock", start)
        self._work_dir = work_dir
        # Functions that Lambda refuses to run, as it does where no process is free.
        self.throttled: set[str] = set()
        self._functions = FunctionPool()
        self._hosting = hosting or Processes(self.clock)
        self._guard = Guard()
        self._exits = ExitStack()
        try:
            self._start(Assembly(assembly), third_party or development_packages())
        except BaseException:
            self.stop()
            raise

    @classmethod
    @contextmanager
    def deploy(
        cls,
        assembly: Path,
        *,
        start: datetime,
        work_dir: Path,
        third_party: ThirdParty | None = None,
        hosting: Hosting | None = None,
    ) -> Iterator[Self]:
        """Deploy an assembly (see `synthesised`); everything ends with the block, the logs stay in `work_dir`.

        Third-party packages are those of the development environment unless told otherwise, and functions run in
        processes of this machine.
        """
        cloud = cls(assembly, start=start, work_dir=work_dir, third_party=third_party, hosting=hosting)
        try:
            yield cloud
        finally:
            cloud.stop()

    @property
    def url(self) -> str:
        """Address of the API."""
        return self._url

    @property
    def endpoint(self) -> str:
        """Address of its AWS."""
        return self._address

    @property
    def functions(self) -> list[str]:
        """Names of all functions."""
        return self._functions.names()

    @property
    def notifications(self) -> list[Message]:
        """All messages that were published to the topic so far, oldest first."""
        return self._inbox.messages()

    @property
    def calls(self) -> list[RecordedCall]:
        """Every call of a function, the state machine or the scheduler so far, with what its role said to it."""
        return list(self._guard.calls)

    @property
    def roles(self) -> dict[str, list[Statement]]:
        """The statements of each caller's role: functions by name, `HEALING`, `HOUR_ROLL_UP` and `SCHEDULER`."""
        return self._guard.roles

    def client(self, service: str) -> Any:
        """A boto3 client of the cloud's services, for looking and for meddling."""
        make: Any = boto3.client  # its overloads know services by name only
        return make(
            service,
            endpoint_url=self._address,
            region_name=REGION,
            aws_access_key_id="operator",
            aws_secret_access_key="local",  # noqa: S106 - nothing checks it
            config=Config(max_pool_connections=32),
        )

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        """Invoke a function and wait for its answer. Raises FunctionFailed."""
        return self._functions.invoke(function, event)

    def tick(self) -> None:
        """Invoke, in the background, what the schedules say is due by now; what can't be delivered is kept."""
        for schedule in self._schedules:
            event = schedule.take_due(self.clock.now)
            if event is not None and not self._deliver(schedule, event):
                self._keep_event(SCHEDULER, schedule.dead_letters, event)

    def settle(self, timeout: float = SETTLE_SECONDS) -> None:
        """Wait until nothing runs: no background invocation, and every healing has ended or waits for time or a person.

        Raises:
            FunctionFailed: a background invocation failed; where a task of the state machine fails, that is its own
                business and no error here.
            NotSettled: something still ran after `timeout` real seconds.
        """
        deadline, pause = time.monotonic() + timeout, SETTLE_POLL_SECONDS
        while running := self._running():
            if time.monotonic() > deadline:
                raise NotSettled(f"still running after {timeout:.0f} s: {', '.join(running)}")
            time.sleep(pause)
            pause = min(1.5 * pause, LONGEST_POLL_SECONDS)
        failures = self._functions.take_failures()
        for failure in failures:
            if failure.function in self._failure_queues:
                self._keep_event(failure.function, self._failure_queues[failure.function], failure.function)
        if failures:
            raise failures[0]

    def run_until(self, moment: datetime) -> None:
        """Move time to a moment, stopping at each schedule and each wait that ends before it, until all is settled.

        Raises:
            FunctionFailed, NotSettled: as `settle` does.
        """
        self.settle()
        while (event := self._next_event()) <= moment:
            self.clock.set(event)
            self.tick()
            self.settle()
        self.clock.set(moment)

    def function_log(self, function: str) -> str:
        """All that a function wrote to its log."""
        log = self._functions.runtime(function).log
        return log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""

    def stop(self) -> None:
        """End every process and server."""
        self._exits.close()

    def _start(self, assembly: Assembly, third_party: ThirdParty) -> None:
        self._address = self._exits.enter_context(adapted(self.clock, self._functions, self._guard))
        self._address_for_functions = self._exits.enter_context(served_at(self._hosting.host, self._address))
        self._exits.callback(self._functions.stop)
        deployment = Deployment(assembly, self.client)
        for logical_id, spec in function_specs(deployment, third_party):
            self._functions.add(deployment.physical_id(logical_id), self._runtime(logical_id, spec))
        self._machines = state_machines(deployment)
        self._open(deployment.outputs())
        self._guard.protect(deployment, caller_roles(deployment))
        self._failure_queues = {self._functions.name_of(arn): queue for arn, queue in failure_destinations(deployment)}
        self._schedules = [
            self._schedule(deployment.resolve(definition["Properties"]))
            for _, definition in deployment.resources("AWS::Scheduler::Schedule")
        ]

    def _open(self, outputs: Mapping[str, str]) -> None:
        s3 = self.client("s3")
        self.stores = Stores(S3Bucket(s3, outputs["DataBucket"]), S3Bucket(s3, outputs["RegistryBucket"]))
        self.executions = StateMachine(self.client("stepfunctions"), outputs["StateMachineArn"])
        self.large_hours = HourStateMachine(self.client("stepfunctions"), self._machines[HOUR_ROLL_UP])
        for arn in self._machines.values():
            self._exits.callback(self._stop_executions, arn)
        self._inbox = Inbox(self.client("sns"), self.client("sqs"), outputs["TopicArn"])
        self._exits.callback(self._hosting.stop)
        self._url = self._hosting.open(self._functions.runtimes(), lambda: self.clock.now)
        # Nothing deploys an API Gateway here: what serves the API stands for it.
        self.outputs = {**outputs, "Url": self._url}

    def _deliver(self, schedule: Schedule, event: str) -> bool:
        """Invoke as the scheduler does, with its role; False where it may not, or Lambda refuses."""
        allowed = self._guard.allows(SCHEDULER, Call("lambda:InvokeFunction", schedule.target))
        if not allowed or schedule.function in self.throttled:
            return False
        self._functions.invoke_later(schedule.function, event.encode())
        return True

    def _keep_event(self, caller: str, queue: str, event: str) -> None:
        """Send an event that failed for good to the queue that the template names, with the caller's role."""
        if self._guard.allows(caller, Call("sqs:SendMessage", queue)):
            sqs = self.client("sqs")
            sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName=queue.split(":")[5])["QueueUrl"], MessageBody=event)

    def _runtime(self, logical_id: str, spec: FunctionSpec) -> Runtime:
        stream = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{spec.log_group}:log-stream:{LOG_STREAM}"

        def account_for(action: str) -> None:
            self._guard.allows(spec.name, Call(action, stream))

        return self._hosting.runtime(logical_id, self._here(spec), self._work_dir, account_for)

    def _here(self, spec: FunctionSpec) -> FunctionSpec:
        """The spec with what makes its process work on this machine: where the services are, and who it is."""
        here = {
            "AWS_ENDPOINT_URL": self._address_for_functions,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": spec.name,
            "AWS_SECRET_ACCESS_KEY": "local",
        }
        return replace(spec, environment={**spec.environment, **here})

    def _schedule(self, definition: Mapping[str, Any]) -> Schedule:
        return Schedule(self._functions.name_of(definition["Target"]["Arn"]), definition, self.clock.now)

    def _running(self) -> list[str]:
        if functions := self._functions.running():
            return [f"function {name}" for name in functions]
        if hours := self._executions(self._machines[HOUR_ROLL_UP]):
            return [f"roll-up {execution['name']}" for execution in hours]
        healings = [item.name for item in self.executions.recent() if item.status == "RUNNING"]
        waiting = len(self.clock.pending_waits())
        if len(healings) > waiting:
            healings = [name for name in healings if not self._asks(name)]
        return [f"healing {name}" for name in healings[waiting:]]

    def _asks(self, execution: str) -> bool:
        """Whether a healing waits for a person, who may take days."""
        progress = self.executions.progress(execution)
        return progress is not None and progress.state == QUESTION_STATE

    def _next_event(self) -> datetime:
        return min([*self.clock.pending_waits(), *(schedule.next_due for schedule in self._schedules)])

    def _stop_executions(self, state_machine_arn: str) -> None:
        for execution in self._executions(state_machine_arn):
            self.client("stepfunctions").stop_execution(executionArn=execution["executionArn"])

    def _executions(self, state_machine_arn: str) -> list[dict[str, Any]]:
        """Those that are under way."""
        client = self.client("stepfunctions")
        listed: Any = client.list_executions(stateMachineArn=state_machine_arn, statusFilter="RUNNING")
        return list(listed["executions"])
