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
    "minimum": "regression",
    "maximum": "regression",
    "positive_label": "binary",
    "threshold": "binary",
}


def with_defaults_of_task(raw: dict[str, Any]) -> dict[str, Any]:
    """The tables of a contract, with what its task's gates measure where the contract doesn't say."""
    policy = raw.get("policy", {})
    gates = policy.get("gates", {}) if isinstance(policy, dict) else None
    model = _table(raw, "model")
    defaults = OF_COSTS if isinstance(model.get("threshold"), dict) else GATES.get(str(model.get("task")))
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
    low, high = model.get("minimum"), model.get("maximum")
    if isinstance(low, int | float) and isinstance(high, int | float) and low > high:
        yield f"model.minimum: {low} is above maximum {high}"
    metrics = _table(_table(raw, "policy"), "gates").get("gain_metrics", ())
    known = METRICS[task] + (("cost",) if isinstance(model.get("threshold"), dict) else ())
    for metric in metrics if isinstance(metrics, tuple) else ():
        if metric in get_args(GainMetric) and metric not in known:
            priced = "; costs are those of model.threshold" if metric == "cost" else ""
            yield f"policy.gates.gain_metrics: a {task} target has {', '.join(known)}, not {metric}{priced}"


def _class_faults(classes: Any) -> Iterator[str]:
    if not isinstance(classes, tuple):
        return
    texts = [text.strip() for text in classes if isinstance(text, str)]
    for text in sorted({text for text in texts if texts.count(text) > 1}):
        yield f"model.classes: {text!r} is listed {texts.count(text)} times"
    if "" in texts:
        yield "model.classes: a blank text is a missing label; leave it out"


def _table(raw: dict[str, Any], key: str) -> dict[str, Any]:
    found = raw.get(key)
    return found if isinstance(found, dict) else {}
