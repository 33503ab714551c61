"""Why: pipeline fault, covariate drift, prior shift, concept drift, or can't tell yet; each has its own action.

Labels decide: whether the same inputs mean what they meant, and whether a shift of the labels' own distribution
explains that they don't, is for the task to say.
"""

from selfheal.records.drift import DriftVerdict
from selfheal.records.monitoring import Cause, Diagnosis, Finding
from selfheal.tasks import BINARY, Scored, Task
from selfheal.tasks.port import support_of

SIGNIFICANCE = 0.01
# Support of the labels below which nothing is compared.
MINIMUM_SUPPORT = 20

ACTIONS: dict[Cause, str] = {
    "none": "Nothing to do.",
    "pipeline_fault": "Mend the data pipeline first; no model is trained on these rows.",
    "covariate_drift": "Retrain on recent labelled rows, so that the model knows these inputs better.",
    "prior_shift": "Retrain, or at least choose the operating point anew: positives have become more or less frequent.",
    "concept_drift": "Retrain on recent labelled rows only as far back as the new behaviour goes.",
    "cannot_tell": "Deliver labels for recent predictions: inputs moved, but only labels can say what it means.",
}
UNEXPLAINED = "Retrain on recent labelled rows: the model has become worse, whatever the cause."


def diagnose(
    faults: tuple[Finding, ...],
    drift: DriftVerdict | None,
    tuning: Scored,
    recent: Scored,
    minimum_labels: int,
    *,
    decayed: bool = False,
    task: Task = BINARY,
) -> Diagnosis:
    """The most likely cause of what a run found; `recent` holds the newest labelled rows of the same model.

    decayed: whether those rows show that the model has become worse, so that something is wrong whatever the cause.
    """
    cause, reason = _cause(faults, drift, tuning, recent, minimum_labels, task)
    if cause == "prior_shift" and task.name != "binary":
        return Diagnosis(cause=cause, reason=reason, action=f"Retrain: {task.shifted}.")
    if decayed and cause == "none":
        return Diagnosis(cause="cannot_tell", reason=f"labels don't tell why yet: {reason}", action=UNEXPLAINED)
    return Diagnosis(cause=cause, reason=reason, action=ACTIONS[cause])


def _cause(
    faults: tuple[Finding, ...],
    drift: DriftVerdict | None,
    tuning: Scored,
    recent: Scored,
    minimum_labels: int,
    task: Task,
) -> tuple[Cause, str]:
    if faults:
        return "pipeline_fault", "; ".join(fault.message for fault in faults)
    moved = drift is not None and drift.drift_detected
    inputs = "too few predictions to judge the inputs" if drift is None else "inputs hold still"
    supported = min(support_of(task, rows.labels) for rows in (tuning, recent)) >= MINIMUM_SUPPORT
    if len(recent.labels) < minimum_labels or not supported:
        labelled = f"only {len(recent.labels)} recent predictions are labelled"
        return ("cannot_tell", f"inputs moved, and {labelled}") if moved else ("none", f"{inputs}; {labelled}")
    return _cause_by_labels(tuning, recent, inputs, task, moved=moved)


def _cause_by_labels(tuning: Scored, recent: Scored, inputs: str, task: Task, *, moved: bool) -> tuple[Cause, str]:
    p_meaning = task.meaning_p_value(tuning, recent)
    if p_meaning > SIGNIFICANCE:
        if moved:
            return "covariate_drift", f"inputs moved; what they mean has not (p = {p_meaning:.2g})"
        return "none", f"{inputs}; what they mean holds still (p = {p_meaning:.2g})"
    shift = task.prior_shift(tuning, recent)
    if shift.p_value > SIGNIFICANCE:
        return "prior_shift", f"{shift.said}, and each class looks as before (p = {shift.p_value:.2g})"
    return "concept_drift", f"the same inputs now mean something else (p = {p_meaning:.2g}); {shift.said}"
