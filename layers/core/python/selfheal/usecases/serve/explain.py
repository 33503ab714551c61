"""Say why rows were answered as they were: the features that moved each answer most, and by how much."""

from collections.abc import Sequence
from dataclasses import dataclass

from selfheal.models.contributions import Unit
from selfheal.models.formats import model_of
from selfheal.models.ports import Model
from selfheal.usecases.serve.predict import Answer
from selfheal.usecases.serve.production_model import ServedModel

# What a request may ask for and be answered within seconds.
MOST_EXPLAINED = 500


@dataclass(frozen=True, slots=True)
class Reason:
    """A feature that moved an answer: its value, what it added to the score, and the contract's words for it."""

    feature: str
    value: float | str | bool | None
    contribution: float
    words: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a row was answered so: score = base + contributions of the reasons + others, all in one unit.

    base: the score of an average row. others: what all features add that aren't among the reasons.
    """

    base: float
    score: float
    reasons: Sequence[Reason]
    others: float
    unit: Unit


def check_explainable(model: ServedModel) -> None:
    """Raises ReasonsUnavailable where the model can't say why it answers, before anything is answered."""
    model.evaluator.contributions(model.evaluator.columns_of([]))


def explained(model: ServedModel, answer: Answer, count: int) -> list[Explanation]:
    """For each row of an answer, the features that moved it most, so many of them, the strongest first.

    Raises:
        ReasonsUnavailable: the version that answered can't say why (it may be another one, of an earlier attempt).
        VersionUnknown, ReferenceTampered, ArtefactRefused, StoreUnavailable: that version can't be read.
    """
    evaluator = model.evaluator if answer.model_version == model.version else _of(model, answer.model_version)
    rows = [prediction["features"] for prediction in answer.predictions]
    found = evaluator.contributions(evaluator.columns_of(rows))
    features = model.manifest.contract.features
    explanations = []
    for place, row in enumerate(rows):
        reasons = [
            Reason(name, row.get(name), added, features[name].reason if name in features else "")
            for name, added in found.strongest(place, count)
        ]
        score, base = float(found.scores[place]), float(found.base[place])
        others = score - base - sum(reason.contribution for reason in reasons)
        explanations.append(Explanation(base, score, reasons, others, found.unit))
    return explanations


def _of(model: ServedModel, version: str) -> Model:
    return model_of(model.models.manifest(version), model.models.artefact)
