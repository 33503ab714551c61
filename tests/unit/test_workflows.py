"""What runs on GitHub: packages that nobody has reviewed never run where something can be written."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.lint import workflow_steps

WORKFLOWS = sorted(Path(".github/workflows").glob("*.yml"))
JOBS = [
    (path.stem, name, workflow, job)
    for path in WORKFLOWS
    for workflow in [yaml.safe_load(path.read_text(encoding="utf-8"))]
    for name, job in workflow["jobs"].items()
]
# What installs or runs packages.
RUNS_PACKAGES = re.compile(r"\b(make|pip|uv|npm|npx|pytest)\b")


def may_write(workflow: dict[str, Any], job: dict[str, Any]) -> bool:
    """Whether a job's token may change anything in the repository."""
    permissions = job.get("permissions", workflow["permissions"])
    return any(right == "write" for name, right in permissions.items() if name != "id-token")


@pytest.mark.parametrize(("file", "name", "workflow", "job"), JOBS, ids=[f"{file}-{name}" for file, name, *_ in JOBS])
def test_a_job_that_may_write_runs_no_package(file, name, workflow, job):
    """Freshly resolved packages run in a job that can only read; another one proposes what came of it."""
    commands = "\n".join(step.get("run", "") for step in job["steps"])
    assert not (may_write(workflow, job) and RUNS_PACKAGES.search(commands)), f"{file}: {name}"


@pytest.mark.parametrize(("file", "name", "workflow", "job"), JOBS, ids=[f"{file}-{name}" for file, name, *_ in JOBS])
def test_actions_are_pinned_and_leave_no_token_behind(file, name, workflow, job):
    """Each action by its commit; a checkout keeps its token only where the job pushes."""
    for step in job["steps"]:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step.get("uses", f"a/b@{'0' * 40}")), f"{file}: {name}"
        if "checkout" in step.get("uses", ""):
            assert may_write(workflow, job) or step["with"]["persist-credentials"] is False


def test_the_proposal_takes_the_locks_and_nothing_else():
    """What the reading job hands over was made beside unreviewed packages: only locks are taken from it."""
    (proposal,) = [job for file, name, _, job in JOBS if (file, name) == ("updates", "proposal")]
    command = next(step["run"] for step in proposal["steps"] if "git apply" in step.get("run", ""))
    taken = re.findall(r"--include='([^']+)'", command)
    assert sorted(taken) == ["functions/requirements*.txt", "layers/runtime/requirements.txt", "requirements*.txt"]


def test_steps_run_here_unless_github_alone_knows_what_they_mean():
    """Targets of make run on any machine; actions, a stage that somebody chose and a push are left out."""
    local = {step.title: step.is_local for step in workflow_steps.steps_of()}
    assert local["make check-infra"]
    assert local[".ci/run"]
    assert not local["actions/checkout"]
    assert not any(is_local for title, is_local in local.items() if "STAGE" in title or "RUNNER_TEMP" in title)


@pytest.mark.parametrize(("command", "failed"), [("false | cat", 1), ("test -f tracked", 0)])
def test_a_jobs_steps_run_in_a_fresh_clone(tmp_path, monkeypatch, capfd, command, failed):
    """A step sees what is committed, leaves nothing behind, and fails with any part of it, as it does on GitHub."""
    steps = [{"uses": "actions/checkout@0"}, {"run": "touch left"}, {"run": command}]
    (tmp_path / ".github" / "workflows").mkdir(parents=True)
    (tmp_path / ".github" / "workflows" / "w.yml").write_text(yaml.safe_dump({"jobs": {"j": {"steps": steps}}}))
    (tmp_path / "tracked").touch()
    monkeypatch.chdir(tmp_path)
    for git in (["init"], ["add", "."], ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-m", "t"]):
        subprocess.run(["git", *git], check=True, capture_output=True)
    assert workflow_steps.run(["w/j"]) == failed
    assert not (tmp_path / "left").exists()
    assert "left out: actions/checkout" in capfd.readouterr().out
