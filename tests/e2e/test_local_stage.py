"""`--stage local`: commands work on the cloud of a demo, so that one can learn the tool before there is an account."""

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.local import LocalCloud
from selfheal_tools.cli.app import app
from selfheal_tools.connection import EnvironmentMissing, connect
from selfheal_tools.demo.watching import stage_of
from tests.support.small_loop import START, SmallLoop


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder to run commands in; what they change of the environment is put back."""
    before = dict(os.environ)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "build" / "demo").mkdir(parents=True)
    yield tmp_path
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def loop(assembly_folder, tmp_path_factory):
    """A service that has answered for some hours."""
    with LocalCloud.deploy(assembly_folder, start=START, work_dir=tmp_path_factory.mktemp("cloud")) as cloud:
        small = SmallLoop(cloud)
        small.bootstrap()
        small.live(1)
        yield small
        small.close()


def selfheal(*arguments: str) -> str:
    result = CliRunner().invoke(
        app, [*arguments, "--stage", "local"], catch_exceptions=False, env={"COLUMNS": "250", "AWS_PROFILE": "gone"}
    )
    assert result.exit_code == 0, result.output
    return result.output


def test_commands_find_the_demo_of_their_folder(loop, folder):
    """status, history, show, call, labels, pause, resume, verify, heal: each by its stage alone, none on real AWS."""
    with stage_of(loop.cloud).announced():
        first = loop.cloud.stores.pointer.read().pointer.version
        assert first in selfheal("status")
        assert "last run" in selfheal("status")
        assert "bootstrap" in selfheal("history")
        assert first in selfheal("show", first)
        assert json.loads(selfheal("call", "/model"))["model_version"] == first
        assert "2 ledger entries, 1 versions" in selfheal("verify")
        said = f"paused since {loop.cloud.clock.now:%Y-%m-%d %H:%M} UTC"
        assert said in selfheal("pause", "--reason", "an incident")
        assert "is on" in selfheal("resume", "--reason", "mended")
        row = loop.client.answered[-1]
        (folder / "truth.csv").write_text(f"prediction_id,label\n{row.prediction_id},{row.truth}\n")
        assert "accepted: 1 row(s)" in selfheal("labels", "truth.csv")
        assert f"healing {first}-0 has started" in selfheal("heal", "--reason", "to learn the tool")
        loop.cloud.settle()
        assert f"{first}-0" in {execution.name for execution in loop.cloud.executions.recent()}


def test_without_a_demo_the_message_says_how_to_start_one(folder):
    """Nothing runs here, or what ran was killed and left its file behind."""
    with pytest.raises(EnvironmentMissing, match="selfheal demo --keep"):
        connect("local")
    outputs: dict[str, str] = {}
    left = {"endpoint": "http://127.0.0.1:9", "region": "us-east-1", "clock": "clock", "outputs": outputs}
    (folder / "build" / "demo" / "stage.json").write_text(json.dumps(left))
    with pytest.raises(EnvironmentMissing, match="selfheal demo --keep"):
        connect("local")


def test_the_file_that_leads_there_goes_with_the_demo(loop, folder):
    """Commands of tomorrow aren't sent to a cloud that has ended."""
    stage = folder / "build" / "demo" / "stage.json"
    with stage_of(loop.cloud).announced():
        assert stage.exists()
    assert not stage.exists()
