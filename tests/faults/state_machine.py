"""Step Functions for one definition: the very file that is deployed, its retries and catches, and its limit of a state.

Of the Amazon States Language it knows what that file uses; anything else is an error.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.injection import Died

DEFINITION = json.loads(
    (Path(__file__).parents[2] / "infra" / "cloud" / "state_machine.asl.json").read_text(encoding="utf-8")
)["States"]
FIRST = "Begin"
LARGEST_STATE = 256 * 1024

type State = dict[str, Any]


class TaskFailed(Exception):
    """A task ended with an error's name and cause."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(f"{error}: {cause}")
        self.error, self.cause = error, cause


@dataclass
class StateMachine:
    """Runs one execution. `tasks` by the name of the resource; `wait` lets time pass; `entered` hears of each state."""

    tasks: Mapping[str, Callable[[Any], Any]]
    wait: Callable[[float], None]
    entered: Callable[[str], None]

    def run(self, name: str, state: State) -> str:
        """SUCCEEDED or FAILED."""
        current: str | None = FIRST
        while current is not None:
            self.entered(current)
            step = DEFINITION[current]
            if step["Type"] == "Fail":
                return "FAILED"
            try:
                current = self._step(step, state, name)
            except TaskFailed:
                return "FAILED"
            if len(json.dumps(state)) > LARGEST_STATE:
                return "FAILED"
        return "SUCCEEDED"

    def _step(self, step: State, state: State, name: str) -> str | None:
        match step["Type"]:
            case "Pass":
                self._pass(step, state)
            case "Wait":
                self.wait(_at(state, step["SecondsPath"]))
            case "Choice":
                chosen = (choice["Next"] for choice in step["Choices"] if _holds(choice, state))
                return next(chosen, step["Default"])
            case "Task":
                return self._task(step, state, name)
            case kind:
                raise NotImplementedError(kind)
        return step.get("Next")

    def _pass(self, step: State, state: State) -> None:
        if "Parameters" in step:
            made = {key.removesuffix(".$"): _value(value, state, "") for key, value in step["Parameters"].items()}
            state.clear()
            state.update(made)
        else:
            state[step["ResultPath"].removeprefix("$.")] = step["Result"]

    def _task(self, step: State, state: State, name: str) -> str | None:
        given: Any = state
        if "Parameters" in step:
            given = {key.removesuffix(".$"): _value(value, state, name) for key, value in step["Parameters"].items()}
        try:
            result = self._attempts(step, given)
        except TaskFailed as failure:
            for catch in step.get("Catch", ()):
                if _matches(catch["ErrorEquals"], failure.error):
                    state[catch["ResultPath"].removeprefix("$.")] = {"Error": failure.error, "Cause": failure.cause}
                    return str(catch["Next"])
            raise
        if step["ResultPath"] is not None:
            state[step["ResultPath"].removeprefix("$.")] = result
        return step.get("Next")

    def _attempts(self, step: State, given: Any) -> Any:
        attempt = 0
        while True:
            try:
                return self.tasks[step["Resource"].rpartition(":")[2]](json.loads(json.dumps(given)))
            except Died as death:
                failure = TaskFailed("Runtime.ExitError", str(death))
            except Exception as error:  # noqa: BLE001 - as the Lambda runtime does
                failure = TaskFailed(type(error).__name__, str(error))
            retry = next((r for r in step.get("Retry", ()) if _matches(r["ErrorEquals"], failure.error)), None)
            if retry is None or attempt >= retry["MaxAttempts"]:
                raise failure
            self.wait(retry["IntervalSeconds"] * retry["BackoffRate"] ** attempt)
            attempt += 1


def _matches(errors: list[str], error: str) -> bool:
    return error in errors or "States.ALL" in errors


def _at(state: Any, path: str) -> Any:
    for part in path.removeprefix("$.").split("."):
        state = state[part]
    return state


def _value(value: Any, state: State, execution: str) -> Any:
    if not isinstance(value, str) or not value.startswith(("$.", "$$.", "States.")):
        return value
    if value == "$$.Execution.Name":
        return execution
    if value.startswith("$."):
        return _at(state, value)
    function, _, rest = value.removesuffix(")").partition("(")
    match function:
        case "States.MathAdd":
            path, number = rest.split(", ")
            return _at(state, path) + int(number)
        case "States.Format":
            _, template, arguments = rest.split("'")
            paths = [path.strip() for path in arguments.split(",") if path.strip()]
            return template.format(*(_value(path, state, execution) for path in paths))
    raise NotImplementedError(value)


def _holds(choice: State, state: State) -> bool:
    if "And" in choice:
        return all(_holds(part, state) for part in choice["And"])
    try:
        value = _at(state, choice["Variable"])
    except (KeyError, TypeError):
        return False
    tests: dict[str, Callable[[Any], bool]] = {
        "IsPresent": lambda wanted: wanted,
        "IsString": lambda wanted: isinstance(value, str) is wanted,
        "IsNumeric": lambda wanted: isinstance(value, int | float) is wanted,
        "StringEquals": lambda wanted: value == wanted,
        "BooleanEquals": lambda wanted: value is wanted,
        "NumericLessThan": lambda wanted: value < wanted,
        "NumericGreaterThanEquals": lambda wanted: value >= wanted,
        "NumericLessThanEquals": lambda wanted: value <= wanted,
    }
    return all(tests[kind](wanted) for kind, wanted in choice.items() if kind not in {"Variable", "Next"})
