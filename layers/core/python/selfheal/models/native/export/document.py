"""A fitted model as data: the document behind `model.json` (see `selfheal.models.native` for its format)."""

from typing import Any

from sklearn.pipeline import Pipeline

from selfheal.contract import Contract
from selfheal.models.fitted import UNSEEN_CLASS, FittedModel, Member
from selfheal.models.native import FORMAT, FORMAT_VERSION
from selfheal.models.native.export.columns import CATEGORY, Column, written
from selfheal.models.native.export.ensembles import scored
from selfheal.models.native.export.exported import Estimator, Exported
from selfheal.models.native.export.preparation import prepared


def document(model: FittedModel, contract: Contract) -> dict[str, Any]:
    """The document of a fitted model. Raises ExportInexact for a part that the format has no words for."""
    exported = [_exported(member, contract, model.classes) for member in model.members]
    calibration, link = model.calibration, {} if model.link == "expit" else {"link": model.link}
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "features": [
            {"name": name, "kind": "category" if feature.is_category else "number"}
            for name, feature in contract.features.items()
        ],
        "blocks": [block for one in exported for block in written(one.columns)],
        "estimator": _combined(model, exported),
        "calibration": None
        if calibration.is_identity
        else {"slope": calibration.slope, "intercept": calibration.intercept},
        "threshold": model.threshold if model.link == "expit" else None,
        **link,
    }


def _exported(member: Member, contract: Contract, classes: int) -> Exported:
    *preparation, (_, estimator) = member.pipeline.steps
    columns = [
        Column(
            {"feature": place, "kind": CATEGORY, "fill": None}
            if feature.is_category
            else {"feature": place, "steps": [], "kind": "number"}
        )
        for place, feature in enumerate(contract.features.values())
    ]
    found = scored(estimator, prepared(Pipeline(preparation), columns) if preparation else columns)
    return _by_class(found, member.seen, classes) if classes > 1 else found


def _by_class(found: Exported, seen: list[int], classes: int) -> Exported:
    """An estimator for each class; of two classes the first one's score is 0, and one that was never seen has none."""
    if found.classes > 1:
        return _spread(found, seen, classes)
    estimators = list(found.outputs)
    if len(estimators) == 1:
        estimators = [_constant(estimators[0], 0.0), estimators[0]]
    known = dict(zip(seen, estimators, strict=True))
    return Exported(found.columns, [known.get(code, _constant(estimators[0], UNSEEN_CLASS)) for code in range(classes)])


def _spread(found: Exported, seen: list[int], classes: int) -> Exported:
    """The scores that one estimator makes at once, in their classes' places."""
    if len(seen) == classes:
        return found
    same = {"kind": "linear", "intercept": 0.0, "coefficients": [1.0]}
    never = {"columns": [], "estimator": {"kind": "trees", "baseline": UNSEEN_CLASS, "trees": []}}
    picked = [{"columns": [seen.index(code)], "estimator": same} if code in seen else never for code in range(classes)]
    layer = {"kind": "estimators", "estimators": picked, "keeps": []}
    return Exported(found.columns, [{"kind": "layers", "layers": [*found.outputs[0]["layers"], layer]}], classes)


def _constant(like: Estimator, score: float) -> Estimator:
    """The same score for every row, by an estimator of the same columns."""
    if like["kind"] == "linear":
        return {**like, "intercept": score, "coefficients": [0.0] * len(like["coefficients"])}
    return {"kind": "trees", "baseline": score, "trees": []}


def _combined(model: FittedModel, exported: list[Exported]) -> Estimator:
    if model.classes > 1 and len(exported[0].outputs) == 1:
        return exported[0].outputs[0]
    outputs = [_summed(model, exported, output) for output in range(model.classes)]
    return outputs[0] if model.classes == 1 else {"kind": "outputs", "outputs": outputs}


def _summed(model: FittedModel, exported: list[Exported], output: int) -> Estimator:
    if len(exported) == 1 and model.members[0].weight == 1:
        return exported[0].outputs[output]
    parts = [
        {"weight": member.weight, "columns": len(found.columns), "estimator": found.outputs[output]}
        for member, found in zip(model.members, exported, strict=True)
    ]
    return {"kind": "sum", "parts": parts}
