"""The local cloud's time and life: schedules, healings and waits on the simulated clock; starts and ends."""

import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from infra.local import FunctionFailed, LocalCloud, LocalCloudError, NotSettled

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def fresh_cloud(tiny_assembly, tmp_path):
    with LocalCloud.deploy(tiny_assembly, start=START, work_dir=tmp_path) as deployed:
        yield deployed


def test_functions_see_the_simulated_time(fresh_cloud):
    """A process reads the clock that the driver moves."""
    fresh_cloud.clock.advance(timedelta(days=40, minutes=3))
    assert httpx.get(fresh_cloud.url).json()["now"] == "2026-04-11T08:03:00+00:00"


def test_the_clock_never_goes_back(fresh_cloud):
    """Setting an earlier time changes nothing."""
    fresh_cloud.clock.set(START - HOUR)
    assert fresh_cloud.clock.now == START


def test_schedules_run_at_their_rate_on_the_simulated_clock(fresh_cloud):
    """An hourly schedule runs six times in six hours, each time at its own time."""
    fresh_cloud.run_until(START + 6 * HOUR)
    runs = list(fresh_cloud.stores.data.keys("monitoring/"))
    assert runs == [f"monitoring/{START + n * HOUR:%Y-%m-%dT%H:%M:%S}+00:00" for n in range(1, 7)]
    assert fresh_cloud.stores.data.get(runs[1]).body == b'{"scheduled_at": "2026-03-02T10:00:00Z"}'


def test_a_jump_over_several_runs_makes_one(fresh_cloud):
    """Where time jumps, a schedule runs once, for the newest time that was due."""
    fresh_cloud.clock.advance(3.5 * HOUR)
    fresh_cloud.tick()
    fresh_cloud.settle()
    (run,) = fresh_cloud.stores.data.keys("monitoring/")
    assert fresh_cloud.stores.data.get(run).body == b'{"scheduled_at": "2026-03-02T11:00:00Z"}'


def test_a_healing_waits_on_the_simulated_clock_and_tells_people(fresh_cloud):
    """The state machine runs the four functions, waits until the simulated noon, promotes and publishes."""
    fresh_cloud.invoke("drift", {"heal": "v1-0"})
    fresh_cloud.settle()
    assert [item.status for item in fresh_cloud.executions.recent()] == ["RUNNING"]
    assert fresh_cloud.clock.pending_waits() == [START + HOUR]
    fresh_cloud.run_until(START + 5 * HOUR)
    assert [item.status for item in fresh_cloud.executions.recent()] == ["SUCCEEDED"]
    (message,) = fresh_cloud.notifications
    assert message.subject == "selfheal: promote v1"
    assert "verdict" in message.body


def test_a_failing_task_takes_the_path_of_its_catch(fresh_cloud):
    """A task's error reaches the Catch as in Step Functions; the healing still ends in a decision and a message."""
    fresh_cloud.invoke("drift", {"heal": "untrainable"})
    fresh_cloud.settle()
    assert [item.status for item in fresh_cloud.executions.recent()] == ["SUCCEEDED"]
    assert fresh_cloud.notifications[0].subject == "selfheal: failed v1"


def test_settling_gives_up_with_the_name_of_what_runs(fresh_cloud):
    """A cloud that doesn't come to rest says which function is at fault."""
    fresh_cloud._functions.invoke_later("label_wait", b'{"sleep": 0.9}')
    with pytest.raises(NotSettled, match="function label_wait"):
        fresh_cloud.settle(timeout=0.05)


def test_a_handler_that_cannot_be_imported_says_why(tiny_assembly, tmp_path):
    """The error names the import that failed, and carries the end of the function's log."""
    folder = tmp_path / "cdk.out"
    shutil.copytree(tiny_assembly, folder)
    (handler,) = folder.glob("asset.*/promotion/handler.py")
    handler.write_text("import a_package_that_is_not_there", encoding="utf-8")
    with (
        LocalCloud.deploy(folder, start=START, work_dir=tmp_path) as cloud,
        pytest.raises(FunctionFailed, match="No module named 'a_package_that_is_not_there'") as failure,
    ):
        cloud.invoke("promotion", {})
    assert failure.value.error_type == "Runtime.ImportModuleError"
    assert "end of its log" in str(failure.value)


def test_a_function_sees_its_own_package_only(tiny_assembly, tmp_path):
    """What the development environment would import but the package lacks is missing, as it would be in Lambda."""
    folder = tmp_path / "cdk.out"
    shutil.copytree(tiny_assembly, folder)
    (handler,) = folder.glob("asset.*/promotion/handler.py")
    handler.write_text("import drift", encoding="utf-8")
    with (
        LocalCloud.deploy(folder, start=START, work_dir=tmp_path) as cloud,
        pytest.raises(FunctionFailed, match="No module named 'drift'"),
    ):
        cloud.invoke("promotion", {})


def test_nothing_is_left_running(tiny_assembly, tmp_path):
    """Once the block ends, no process of a function is alive."""
    with LocalCloud.deploy(tiny_assembly, start=START, work_dir=tmp_path) as cloud:
        pid = httpx.get(cloud.url).json()["pid"]
    alive = subprocess.run([sys.executable, "-c", f"import os; os.kill({pid}, 0)"], check=False, capture_output=True)
    assert alive.returncode != 0


def test_a_process_has_one_local_cloud_at_a_time(fresh_cloud, tiny_assembly, tmp_path):
    """moto's state belongs to the process, so a second cloud is refused rather than mixed up with the first."""
    with pytest.raises(LocalCloudError, match="one at a time"):
        LocalCloud(tiny_assembly, start=START, work_dir=tmp_path)
    assert httpx.get(fresh_cloud.url).status_code == 201
