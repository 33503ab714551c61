"""The local cloud: the synthesised template running on this machine, without Docker and without an account.

The template's stacks are deployed into an in-process moto server; every function runs in a process of its own through
AWS's runtime client, from the code folder, handler, environment and timeout that the template gives it; an HTTP front
makes API Gateway events; schedules and the waits of the state machine go by a simulated clock.

    with LocalCloud.deploy(synthesised(schedule_minutes=60), start=start, work_dir=folder) as cloud:
        httpx.post(f"{cloud.url}/predict", json=row)        # the API, at the simulated time
        cloud.stores.data.put("labels/incoming/a.csv", b"…")  # an upload wakes the labels function
        cloud.run_until(cloud.clock.now + timedelta(hours=6))  # monitoring runs, healings go on, all settled
        cloud.executions.recent(), cloud.notifications, cloud.function_log("drift")

Time only moves when it is told to. `run_until` does all that is due on the way; by hand it is `clock.advance(...)`,
`tick()` (schedules) and `settle()` (wait until nothing runs). A function that fails in the background makes `settle`
raise `FunctionFailed` with the end of its log; `invoke(name, event)` raises it for a call of one's own.

What differs from AWS: signatures aren't checked; a failed background invocation isn't retried; a function runs one
invocation at a time; retries of the state machine don't pause; the clocks of S3 and Step Functions themselves show
real time.
"""

from infra.local.cloud import LocalCloud
from infra.local.errors import FunctionFailed, LocalCloudError, NotSettled, SynthesisFailed
from infra.local.inbox import Message
from infra.local.synthesis import synthesised

__all__ = ["FunctionFailed", "LocalCloud", "LocalCloudError", "Message", "NotSettled", "SynthesisFailed", "synthesised"]
