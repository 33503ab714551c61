"""Run on this machine what GitHub's workflows run, step by step, in a fresh clone (`make workflow-steps`).

What a step does there by an action, or with something that GitHub alone knows, is left out and said so.

Usage: workflow_steps.py [WORKFLOW/JOB...]; all jobs without arguments.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

WORKFLOWS = Path(".github/workflows")
# As GitHub runs `shell: bash`.
SHELL = ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c")
# What the expressions of GitHub, and changes elsewhere, look like.
ELSEWHERE = ("${{", "git push", "$GITHUB_", "$RUNNER_")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a job: what it is called, its command (None: an action), and what it depends on beside."""

    job: str
    title: str
    command: str | None
    environment: dict[str, str]

    @property
    def is_local(self) -> bool:
        """Whether it means the same on this machine."""
        texts = [self.command or ELSEWHERE[0], *self.environment.values()]
        return not any(sign in text for text in texts for sign in ELSEWHERE)


def steps_of(workflows: Path = WORKFLOWS) -> Iterator[Step]:
    """All steps of all workflows, in their order."""
    for file in sorted(workflows.glob("*.yml")):
        for name, job in yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"].items():
            yield from (_step(f"{file.stem}/{name}", step) for step in job["steps"])


def _step(job: str, step: dict[str, Any]) -> Step:
    command = step.get("run")
    title = command.strip().splitlines()[0] if command else step["uses"].partition("@")[0]
    return Step(job, title, command, {name: str(value) for name, value in step.get("env", {}).items()})


def run(wanted: list[str]) -> int:
    """Run the steps of the wanted jobs, each job in a clone of its own; the number of jobs that failed."""
    steps = list(steps_of())
    jobs = dict.fromkeys(step.job for step in steps if not wanted or step.job in wanted)
    if unknown := set(wanted) - set(jobs):
        print(f"no such job: {', '.join(sorted(unknown))}")
        return 1
    return sum(not _run_job(job, [step for step in steps if step.job == job]) for job in jobs)


def _run_job(job: str, steps: list[Step]) -> bool:
    with tempfile.TemporaryDirectory(prefix="workflow-") as folder:
        subprocess.run(["git", "clone", "--quiet", ".", folder], check=True)
        for step in steps:
            if not step.is_local or step.command is None:
                print(f"{job}: left out: {step.title}", flush=True)
                continue
            print(f"{job}: {step.title}", flush=True)
            environment = {**os.environ, "CI": "true", **step.environment}
            if subprocess.run([*SHELL, step.command], check=False, cwd=folder, env=environment).returncode:
                print(f"{job}: FAILED at {step.title}", flush=True)
                return False
    print(f"{job}: passed", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(1 if run(sys.argv[1:]) else 0)
