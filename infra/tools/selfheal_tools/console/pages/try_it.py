"""Try it: a form from the contract, the row that was typed in, the answer and what moved it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from selfheal.contract import Contract, Feature
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
    """What a feature adds to the score, in log-odds, and the contract's words for it, '' where it has none."""

    feature: str
    value: str
    added: float
    words: str


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


def answer_of(status: int, body: str, content: Mapping[str, Any], manifest: Manifest) -> Answer:
    """The API's answer, in the label's own words."""
    positive = content.get("prediction") == 1
    explanation = content.get("explanation") or {}
    return Answer(
        status=status,
        body=body,
        probability=content.get("probability"),
        prediction=manifest.positive_value if positive else manifest.negative_value,
        version=str(content.get("model_version", "")),
        prediction_id=str(content.get("prediction_id", "")),
        reasons=tuple(_reason(found) for found in explanation.get("reasons", ())),
    )


def _reason(found: Mapping[str, Any]) -> Reason:
    value = _text(found.get("value")) or "missing"
    return Reason(str(found["feature"]), value, float(found["contribution"]), str(found.get("reason", "")))


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
