"""Try it: a form from the contract, the row that was typed in, the answer and what moved it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from selfheal.contract import Contract, Feature
from selfheal.models.ports import Model
from selfheal.records.manifest import Manifest
from selfheal_tools.console.words import number

MOST_REASONS = 8


@dataclass(frozen=True, slots=True)
class Field:
    """One input of the form. kind: number, integer, category or boolean; choices: where only some values are known."""

    name: str
    kind: str
    value: str
    hint: str
    optional: bool
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """How a feature moved the answer: what it would be, had this feature its usual value."""

    feature: str
    value: str
    usual: str
    change: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API said; reasons: the largest first."""

    status: int
    body: str
    probability: float | None
    prediction: str
    version: str
    prediction_id: str
    reasons: tuple[Reason, ...]


def fields_of(manifest: Manifest, given: Mapping[str, str] | None = None) -> tuple[Field, ...]:
    """The form, filled with what was given, or with a usual row."""
    usual = manifest.examples[0] if manifest.examples else {}
    return tuple(
        _field(name, feature, given.get(name, "") if given is not None else _text(usual.get(name)))
        for name, feature in manifest.contract.features.items()
    )


def row_of(contract: Contract, given: Mapping[str, str]) -> dict[str, Any]:
    """What is sent: a text that isn't what the contract wants is sent as it is, so that the API says so."""
    return {name: _typed(given.get(name, ""), feature) for name, feature in contract.features.items()}


def reasons_of(model: Model, row: Mapping[str, Any], usual: Mapping[str, Any]) -> tuple[Reason, ...]:
    """What the answer to a row would be less, had each feature in turn its usual value; both must be valid rows."""
    other = [name for name in model.feature_names if row.get(name) != usual.get(name)]
    if not usual or not other:
        return ()
    answer, *changed = model.probabilities([row, *({**row, name: usual.get(name)} for name in other)])
    found = [
        Reason(name, _text(row.get(name)) or "missing", _text(usual.get(name)) or "missing", answer - without)
        for name, without in zip(other, changed, strict=True)
    ]
    return tuple(sorted(found, key=lambda reason: -abs(reason.change))[:MOST_REASONS])


def answer_of(
    status: int, body: str, content: Mapping[str, Any], manifest: Manifest, reasons: Sequence[Reason]
) -> Answer:
    """The API's answer, in the label's own words."""
    positive = content.get("prediction") == 1
    return Answer(
        status=status,
        body=body,
        probability=content.get("probability"),
        prediction=manifest.positive_value if positive else manifest.negative_value,
        version=str(content.get("model_version", "")),
        prediction_id=str(content.get("prediction_id", "")),
        reasons=tuple(reasons),
    )


def _field(name: str, feature: Feature, value: str) -> Field:
    choices = ("true", "false") if feature.type == "boolean" else feature.categories or ()
    limits = [
        f"{word} {number(limit)}"
        for word, limit in (("from", feature.minimum), ("to", feature.maximum))
        if limit is not None
    ]
    optional = ["may be missing"] if feature.nullable else []
    hint = ", ".join([feature.type, " ".join(limits), *optional, feature.description]).replace(", ,", ",").strip(", ")
    return Field(name, feature.type, value, hint, feature.nullable, tuple(choices))


def _typed(text: str, feature: Feature) -> Any:
    if not text.strip():
        return None
    if feature.type == "boolean":
        return {"true": True, "false": False}.get(text, text)
    if feature.type == "category":
        return text
    try:
        return int(text) if feature.type == "integer" else float(text)
    except ValueError:
        return text


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)
