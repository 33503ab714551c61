"""What moto can't do by itself, and every use of its private names. Each adaptation has a canary test.

`adapted` installs them and takes them back, so that other tests of the same process meet moto as it is.
"""

import logging
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from types import SimpleNamespace
from typing import Any, Protocol
from unittest.mock import patch
from urllib.parse import urlsplit

import boto3
import moto.s3.notifications
import moto.stepfunctions.models
import moto.stepfunctions.parser.asl.component.common.retry.retrier_decl as retries
import moto.stepfunctions.parser.asl.component.state.exec.state_task.lambda_eval_utils as moto_lambda
import moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_sns as moto_sns
import moto.stepfunctions.responses  # before anything is patched: it keeps the backends that it finds
from botocore.config import Config
from moto.awslambda.models import LambdaFunction
from moto.core.config import default_user_config
from moto.firehose.models import FirehoseBackend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer
from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state.exec.state_map.item_reader.eval import resource_eval_s3
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.distributed_iteration_component import (
    DistributedIterationComponent,
)
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from infra.local.clock import SimulatedClock
from infra.local.delivery import delivered
from infra.local.errors import LocalCloudError
from infra.local.guard import Guard
from selfheal.records.predictions import timestamp_of


class Invoker(Protocol):
    """Runs functions for moto: (name, event) -> JSON answer and whether it is an error."""

    def now(self, function: str, event: Any) -> tuple[str, bool]:
        """Run and wait for the answer."""
        ...

    def later(self, function: str, event: Any) -> None:
        """Run in the background."""
        ...


# Names of moto's modules that make a client for a state machine, of those whose services our state machines call.
CALLING = (moto_lambda, moto_sns, resource_eval_s3)
# A task of a state machine may take as long as its function.
LONGEST_TASK = 1000
# The caller that stands for Firehose where it delivers.
FIREHOSE = "firehose"

# moto keeps its state in the process, not in the server.
_one_at_a_time = threading.Lock()


@contextmanager
def adapted(clock: SimulatedClock, invoker: Invoker, guard: Guard) -> Iterator[str]:
    """A moto server on a free port of this machine, adapted; its address. All its state is gone afterwards.

    Raises LocalCloudError where this process has one already.
    """
    if not _one_at_a_time.acquire(blocking=False):
        raise LocalCloudError("a process has local clouds one at a time: end the other one first")
    with ExitStack() as stack:
        stack.callback(_one_at_a_time.release)
        for adaptation in (quiet_server, fast_server, executing_state_machines, immediate_retries, failing_maps):
            stack.enter_context(adaptation())
        stack.enter_context(guarded_by(guard))
        stack.enter_context(delivering_streams(clock, guard))
        stack.enter_context(simulated_waits(clock))
        stack.enter_context(functions_run_by(invoker))
        stack.enter_context(asynchronous_notifications(invoker))
        stack.enter_context(dated_notifications(clock))
        server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        server.start()
        stack.callback(server.stop)
        _, port = server.get_host_and_port()
        address = f"http://127.0.0.1:{port}"
        stack.enter_context(state_machines_call(port, guard))
        _forget_everything(address)
        stack.callback(_forget_everything, address)
        yield address


@contextmanager
def served_at(host: str, address: str) -> Iterator[str]:
    """The server of `address` at another address of this machine too, for functions that can't reach that one."""
    if urlsplit(address).hostname == host:
        yield address
        return
    server = ThreadedMotoServer(host, 0, verbose=False)
    server.start()
    try:
        yield f"http://{host}:{server.get_host_and_port()[1]}"
    finally:
        server.stop()


@contextmanager
def quiet_server() -> Iterator[None]:
    """Keep requests and failing states from being written to stderr: answers and histories tell of them."""
    with ExitStack() as stack:
        for name in ("werkzeug", "moto"):
            logger = logging.getLogger(name)
            stack.callback(logger.setLevel, logger.level)
            logger.setLevel(logging.CRITICAL)
        yield


@contextmanager
def fast_server() -> Iterator[None]:
    """Remember which service a host name stands for: moto lists its own folder for every request to find it out."""
    find = DomainDispatcherApplication.get_backend_for_host
    with patch.object(DomainDispatcherApplication, "get_backend_for_host", cache(find)):
        yield


@contextmanager
def executing_state_machines() -> Iterator[None]:
    """Execute state machines, and put those that CloudFormation makes where they are executed."""
    with (
        patch.dict(default_user_config, {"stepfunctions": {"execute_state_machine": True}}),
        patch.object(moto.stepfunctions.models, "stepfunctions_backends", stepfunctions_parser_backends),
    ):
        yield


@contextmanager
def immediate_retries() -> Iterator[None]:
    """Retry a failed task at once: its back-off would be real time, and nothing gets better by it here."""
    with patch.object(retries, "time", SimpleNamespace(sleep=lambda _: None)):
        yield


@contextmanager
def failing_maps() -> Iterator[None]:
    """Let a Distributed Map fail where an item fails: moto tolerates every failure, whatever the definition says."""
    run = vars(DistributedIterationComponent)["_map_run"]

    def run_all(self: Any, env: Any, eval_input: Any) -> None:
        run(self, env=env, eval_input=eval_input)
        items = eval_input.map_run_record.item_counter
        if failed := items.failed.get() + items.timed_out.get():
            error = StatesErrorName(typ=StatesErrorNameType.StatesExceedToleratedFailureThreshold)
            cause = f"{failed} of {items.total.get()} items failed"
            told: Any = {"mapRunFailedEventDetails": {"error": error.error_name, "cause": cause}}
            raise FailureEventException(
                FailureEvent(env=env, error_name=error, event_type=HistoryEventType.MapRunFailed, event_details=told)
            )

    with patch.object(DistributedIterationComponent, "_map_run", run_all):
        yield


@contextmanager
def simulated_waits(clock: SimulatedClock) -> Iterator[None]:
    """Let Wait states wait on the simulated clock."""

    def wait(self: Any, env: Any) -> None:
        clock.wait(self._get_wait_seconds(env=env), still_wanted=env.is_running)

    with patch.object(WaitFunction, "_eval_body", wait):
        yield


@contextmanager
def functions_run_by(invoker: Invoker) -> Iterator[None]:
    """Run functions through the invoker; moto would start a container for each invocation."""

    def invoke(self: Any, event: Any = None) -> tuple[str, bool, str]:
        return *invoker.now(self.function_name, event), ""

    with patch.object(LambdaFunction, "_invoke_lambda", invoke):
        yield


@contextmanager
def asynchronous_notifications(invoker: Invoker) -> Iterator[None]:
    """Deliver a bucket's events after the write has been answered; moto would run the function within it."""

    def deliver(account_id: str, event_body: Any, fn_arn: str, region_name: str) -> None:  # noqa: ARG001 - moto's names
        invoker.later(fn_arn.split(":")[6], event_body)

    with patch.object(moto.s3.notifications, "_invoke_awslambda", deliver):
        yield


@contextmanager
def dated_notifications(clock: SimulatedClock) -> Iterator[None]:
    """Let a bucket's events happen on the simulated clock: an upload's time is that of its labels."""
    with patch.object(moto.s3.notifications, "iso_8601_datetime_with_milliseconds", lambda: timestamp_of(clock.now)):
        yield


@contextmanager
def delivering_streams(clock: SimulatedClock, guard: Guard) -> Iterator[None]:
    """Let streams deliver as their settings say, with their role; moto writes what it gets below its own prefix."""

    def deliver(
        self: Any, delivery_stream_name: str, version_id: str, s3_destination: dict[str, Any], records: Any
    ) -> list[dict[str, str]]:
        bucket = s3_destination["BucketARN"].split(":")[-1]
        bodies = [record["Data"] for record in records]
        for found in delivered(delivery_stream_name, s3_destination, bodies, clock.now):
            if guard.allows_object(FIREHOSE, "s3:PutObject", bucket, found.key):
                s3_backends[self.account_id][self.partition].put_object(bucket, found.key, found.body)
        return [{"RecordId": f"{version_id}-{number}"} for number in range(len(records))]

    with patch.object(FirehoseBackend, "put_s3_records", deliver):
        yield


@contextmanager
def guarded_by(guard: Guard) -> Iterator[None]:
    """Ask the guard before every request: moto itself enforces no policy that a template attaches."""
    serve = DomainDispatcherApplication.__call__

    def call(self: Any, environ: dict[str, Any], start_response: Any) -> Any:
        return guard.around(partial(serve, self))(environ, start_response)

    with patch.object(DomainDispatcherApplication, "__call__", call):
        yield


@contextmanager
def state_machines_call(port: int, guard: Guard) -> Iterator[None]:
    """Let state machines call this server, each under its own name; moto's all sign with one key."""

    def client_for(region: str, service: str, state_credentials: Any = None) -> Any:
        make: Any = boto3.client  # its overloads know services by name only
        return make(
            service,
            region_name=region,
            endpoint_url=f"http://127.0.0.1:{port}",
            aws_access_key_id=guard.name_of(state_credentials.role_arn),
            aws_secret_access_key="local",  # noqa: S106 - nothing checks it
            config=Config(parameter_validation=False, read_timeout=LONGEST_TASK, retries={"total_max_attempts": 1}),
        )

    with ExitStack() as stack:
        for module in CALLING:
            stack.enter_context(patch.object(module, "boto_client_for", client_for))
        yield


def _forget_everything(address: str) -> None:
    request = urllib.request.Request(f"{address}/moto-api/reset", method="POST")  # noqa: S310 - our own server
    urllib.request.urlopen(request).close()  # noqa: S310
