"""What a contract says of its target: defaults that depend on the task, and what doesn't go together."""

from collections.abc import Iterator
from typing import Any, get_args

from selfheal.contract.model import GainMetric, TaskName

# What a task's gates measure unless the contract says otherwise. A regression's limit is relative to production's loss.
GATES: dict[str, dict[str, Any]] = {
    "multiclass": {"gain_metrics": ("macro_f1", "brier")},
    "regression": {"gain_metrics": ("mae", "mse"), "maximum_brier_increase": 0.05},
}
# Where errors have a price, it is what a gain is measured in.
OF_COSTS: dict[str, Any] = {"gain_metrics": ("cost", "brier")}
METRICS: dict[TaskName, tuple[GainMetric, ...]] = {
    "binary": ("f1", "brier"),
    "multiclass": ("macro_f1", "accuracy", "brier"),
    "regression": ("mae", "mse"),
}
# Keys of `[model]` that one task alone has a use for.
OF_TASK = {
    "classes": "multiclass",
    "error_costs": "multiclass",
    "minimum": "regression",
    "maximum": "regression",
    "positive_label": "binary",
    "threshold": "binary",
}


# Where a task's errors get their price.
PRICES = {"binary": "threshold", "multiclass": "error_costs"}


def with_defaults_of_task(raw: dict[str, Any]) -> dict[str, Any]:
    """The tables of a contract, with what its task's gates measure where the contract doesn't say."""
    policy = raw.get("policy", {})
    gates = policy.get("gates", {}) if isinstance(policy, dict) else None
    model = _table(raw, "model")
    defaults = OF_COSTS if _has_costs(model) else GATES.get(str(model.get("task")))
    if defaults is None or not isinstance(gates, dict):
        return raw
    return raw | {"policy": policy | {"gates": defaults | gates}}


def target_faults(raw: dict[str, Any]) -> Iterator[str]:
    """What the target's keys mean for each other."""
    model = _table(raw, "model")
    task = model.get("task", "binary")
    if task not in get_args(TaskName):
        return
    for key, only in OF_TASK.items():
        if key in model and task != only:
            yield f"model.{key}: only a {only} target has it, and this one is {task}"
    yield from _class_faults(model.get("classes"))
    yield from _cost_faults(model)
    low, high = model.get("minimum"), model.get("maximum")
    if isinstance(low, int | float) and isinstance(high, int | float) and low > high:
        yield f"model.minimum: {low} is above maximum {high}"
    metrics = _table(_table(raw, "policy"), "gates").get("gain_metrics", ())
    known = METRICS[task] + (("cost",) if _has_costs(model) else ())
    for metric in metrics if isinstance(metrics, tuple) else ():
        if metric in get_args(GainMetric) and metric not in known:
            priced = f"; costs are those of model.{PRICES[task]}" if metric == "cost" and task in PRICES else ""
            yield f"policy.gates.gain_metrics: a {task} target has {', '.join(known)}, not {metric}{priced}"


def _class_faults(classes: Any) -> Iterator[str]:
    if not isinstance(classes, tuple):
        return
    texts = [text.strip() for text in classes if isinstance(text, str)]
    for text in sorted({text for text in texts if texts.count(text) > 1}):
        yield f"model.classes: {text!r} is listed {texts.count(text)} times"
    if "" in texts:
        yield "model.classes: a blank text is a missing label; leave it out"


def _has_costs(model: dict[str, Any]) -> bool:
    return any(isinstance(model.get(key), dict) for key in PRICES.values())


def _cost_faults(model: dict[str, Any]) -> Iterator[str]:
    costs, classes = model.get("error_costs"), model.get("classes")
    if not isinstance(costs, dict):
        return
    if not isinstance(classes, tuple):
        yield "model.error_costs: list the classes too, under model.classes"
        return
    said = {truth: each if isinstance(each, dict) else {} for truth, each in costs.items()}
    named = dict.fromkeys((*said, *(predicted for each in said.values() for predicted in each)))
    yield from (f"model.error_costs: {name!r} is none of model.classes" for name in named if name not in classes)
    own = (name for name in said if name in said[name])
    yield from (f"model.error_costs.{name}.{name}: a right prediction costs nothing; leave it out" for name in own)
    others = ((truth, other) for truth in classes for other in classes if truth != other)
    if not any(said.get(truth, {}).get(other, 1) for truth, other in others):
        yield "model.error_costs: some error has to cost something"


def _table(raw: dict[str, Any], key: str) -> dict[str, Any]:
    found = raw.get(key)
    return found if isinstance(found, dict) else {}
