"""One member of a blend."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import orjson

from selfheal.artefact import Artefact, load_artefact


@dataclass(frozen=True, slots=True)
class Member:
    """A sound `model.json`, the model in it, and the model's weight in the mean; weights add up to 1."""

    document: dict[str, Any]
    artefact: Artefact
    weight: float

    @classmethod
    def of(cls, payload: bytes, weight: float) -> Self:
        """From the bytes of the file. Raises ArtefactRefused."""
        artefact = load_artefact(payload)
        return cls(orjson.loads(payload), artefact, weight)

    @property
    def slope(self) -> float:
        """What the score is multiplied by: the calibration's slope times the weight."""
        return self.weight * self.artefact.slope

    @property
    def intercept(self) -> float:
        """What the member adds whatever its score."""
        return self.weight * self.artefact.intercept

    @property
    def parts(self) -> Sequence[dict[str, Any]]:
        """Its estimator as the parts of a sum, each weighted for the blend."""
        estimator, columns = self.document["estimator"], sum(len(block.columns) for block in self.artefact.blocks)
        alone = [{"weight": 1.0, "columns": columns, "estimator": estimator}]
        return [{**part, "weight": self.slope * part["weight"]} for part in estimator.get("parts", alone)]
