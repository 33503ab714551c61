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
    """What the API said. headline, note: the answer in the label's own words; classes: name and probability, the most
    likely first, of several classes; reasons: the strongest first, in `unit`.
    """

    status: int
    body: str
    headline: str
    note: str
    version: str
    prediction_id: str
    classes: tuple[tuple[str, float], ...]
    reasons: tuple[Reason, ...]
    unit: str


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
    """The API's answer."""
    explanation = content.get("explanation") or {}
    headline, note = _said(content, manifest) if "prediction" in content else ("", "")
    classes = sorted((content.get("probabilities") or {}).items(), key=lambda one: -one[1])
    return Answer(
        status=status,
        body=body,
        headline=headline,
        note=note,
        version=str(content.get("model_version", "")),
        prediction_id=str(content.get("prediction_id", "")),
        classes=tuple(classes[:MOST_REASONS]),
        reasons=tuple(_reason(found) for found in explanation.get("reasons", ())),
        unit=str(explanation.get("unit", "log-odds")),
    )


def _said(content: Mapping[str, Any], manifest: Manifest) -> tuple[str, str]:
    """The answer and what stands beside it, by the kind of target."""
    prediction, kind = content["prediction"], manifest.contract.model.task
    if kind == "multiclass":
        return str(prediction), f"predicted, with probability {content['probability']:.1%}"
    if kind == "regression":
        ends = content.get("interval")
        return number(
            float(prediction)
        ), f"90 % lie between {number(ends[0])} and {number(ends[1])}" if ends else "predicted"
    value = manifest.positive_value if prediction == 1 else manifest.negative_value
    return f"{100 * content['probability']:.1f} %", f"probability, predicted {value}"


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
