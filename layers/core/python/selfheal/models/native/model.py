"""The artefact as a whole: its parser and its evaluation for few rows and for many."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Any, ClassVar, cast

import orjson

from selfheal.errors import ArtefactRefused
from selfheal.models.contributions import Unit
from selfheal.models.native import checks
from selfheal.models.native.blocks import Block, BlockParser, Cell, Feature
from selfheal.models.native.estimators import Estimator, parse_estimator, parse_outputs
from selfheal.models.native.functions import expit, softmax
from selfheal.models.native.layers import Several
from selfheal.models.native.wrapped import LogOdds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from selfheal.models.contributions import Contributions
    from selfheal.models.native.shapley.model import Explained

FORMAT = "selfheal-model"
# Version 2 may hold what reasons are worked out from.
FORMAT_VERSION = 2
VERSIONS_READ = (1, 2)
# A forest of 500 trees with 31 leaves takes about 2 MB.
SIZE_LIMIT = 32 * 1024 * 1024
# From so many rows on numpy is faster than plain Python.
MANY_ROWS = 64
KEYS = {"format", "format_version", "features", "blocks", "estimator", "calibration", "threshold"}
# The key that models have whose answer isn't one probability.
LINK = "link"


@dataclass(frozen=True, eq=False)
class NativeModel:
    """A sound model. Inputs must be valid under the contract: numbers finite or missing, categories strings or None."""

    features: tuple[Feature, ...]
    blocks: tuple[Block, ...]
    estimator: Estimator
    slope: float
    intercept: float
    threshold: float

    # Of its scores and of what features add to them.
    unit: ClassVar[Unit] = "log_odds"

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of all inputs, in the order of the contract."""
        return tuple(feature.name for feature in self.features)

    @property
    def outputs(self) -> int:
        """How many numbers it answers a row with: one for each of several classes."""
        return 1

    @property
    def category_features(self) -> frozenset[str]:
        """Names of the inputs that are texts."""
        return frozenset(feature.name for feature in self.features if feature.is_category)

    def probabilities(self, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
        """The answer to each row, mostly the probability of the positive label; an absent feature is missing.

        Few rows are evaluated in plain Python, many in numpy; the bits are the same.
        """
        if len(rows) < MANY_ROWS:
            return [self._probability(row) for row in rows]
        return self._probabilities_of(self.columns_of(rows), len(rows))

    def probabilities_of(self, columns: "Mapping[str, NDArray[Any]]") -> "NDArray[Any]":
        """The same for columns of shape (n,) by feature: float64 (missing is NaN), or object (str, missing is None).

        Returns an array of shape (n,), or (n, classes), float64.
        """
        import numpy as np

        return np.array(self._probabilities_of(columns, self._rows_of(columns)), dtype=np.float64)

    def log_odds_of(self, columns: "Mapping[str, NDArray[Any]]") -> "NDArray[Any]":
        """What `probabilities_of` says as log-odds: calibrated, shape (n,), float64."""
        return self._log_odds_of(columns, self._rows_of(columns))

    def contributions(self, columns: "Mapping[str, NDArray[Any]]") -> "Contributions":
        """See Model."""
        return self._explainer.contributions(columns)

    @cached_property
    def _explainer(self) -> "Explained":
        # Only for those who ask for reasons.
        from selfheal.models.native.shapley.model import ModelExplainer

        return ModelExplainer(self, self.estimator, self.unit)

    def read(self, values: "Mapping[str, NDArray[Any]]") -> "list[NDArray[Any]]":
        """What the estimator reads of these columns by feature: one array of shape (n,) a column."""
        columns: list[NDArray[Any]] = []
        for block in self.blocks:
            block.many(values[block.feature], columns)
        return columns

    def _rows_of(self, columns: "Mapping[str, NDArray[Any]]") -> int:
        return len(columns[self.features[0].name])

    def _probability(self, row: Mapping[str, Any]) -> Any:
        return expit(self.slope * self.estimator.one(self._cells(row)) + self.intercept)

    def _cells(self, row: Mapping[str, Any]) -> list[Cell]:
        cells: list[Cell] = []
        for block in self.blocks:
            block.one(row.get(block.feature), cells)
        return cells

    def columns_of(self, rows: Sequence[Mapping[str, Any]]) -> "dict[str, NDArray[Any]]":
        """See Model."""
        import numpy as np

        return {
            feature.name: np.array(_values(rows, feature.name), dtype=object if feature.is_category else np.float64)
            for feature in self.features
        }

    def _probabilities_of(self, values: "Mapping[str, NDArray[Any]]", rows: int) -> list[Any]:
        # Not numpy's exp: its bits differ from the C library's, which scikit-learn and plain Python use.
        return [expit(log_odds) for log_odds in self._log_odds_of(values, rows).tolist()]

    def _log_odds_of(self, values: "Mapping[str, NDArray[Any]]", rows: int) -> "NDArray[Any]":
        import numpy as np

        with np.errstate(all="ignore"):
            return self.slope * self.estimator.many(self.read(values), rows) + self.intercept


class NumberModel(NativeModel):
    """Its answer is the score: a number."""

    unit: ClassVar[Unit] = "target"

    def _probability(self, row: Mapping[str, Any]) -> float:
        return self.slope * self.estimator.one(self._cells(row)) + self.intercept

    def _probabilities_of(self, values: "Mapping[str, NDArray[Any]]", rows: int) -> list[float]:
        return cast("list[float]", self._log_odds_of(values, rows).tolist())


class ClassModel(NativeModel):
    """Its answer is a probability for each class: the softmax of as many scores."""

    @property
    def outputs(self) -> int:
        """See NativeModel."""
        return len(cast("Several", self.estimator).sizes)

    @cached_property
    def _explainer(self) -> "Explained":
        from selfheal.models.native.shapley.model import ClassExplainer

        return ClassExplainer(self, cast("Several", self.estimator))

    def _probability(self, row: Mapping[str, Any]) -> list[float]:
        scores = cast("Several", self.estimator).all_of_one(self._cells(row))
        return softmax([self.slope * score for score in scores])

    def _probabilities_of(self, values: "Mapping[str, NDArray[Any]]", rows: int) -> list[list[float]]:
        return [softmax(scores) for scores in self._log_odds_of(values, rows).tolist()]

    def _log_odds_of(self, values: "Mapping[str, NDArray[Any]]", rows: int) -> "NDArray[Any]":
        import numpy as np

        with np.errstate(all="ignore"):
            scores = cast("Several", self.estimator).all_of_many(self.read(values), rows)
            return np.column_stack([self.slope * of_class for of_class in scores])


class ShareModel(NativeModel):
    """Its answer is the share that a forest's trees say on average, as it is: the log-odds of a share of 0 are lost."""

    @property
    def _shares(self) -> Estimator:
        return cast("LogOdds", self.estimator).estimator

    def _probability(self, row: Mapping[str, Any]) -> float:
        return self._shares.one(self._cells(row))

    def _probabilities_of(self, values: "Mapping[str, NDArray[Any]]", rows: int) -> list[float]:
        import numpy as np

        with np.errstate(all="ignore"):
            return cast("list[float]", self._shares.many(self.read(values), rows).tolist())

    @cached_property
    def _explainer(self) -> "Explained":
        from selfheal.models.native.shapley.model import ModelExplainer

        return ModelExplainer(self, self._shares, "probability")


MODELS: dict[str, type[NativeModel]] = {"expit": NativeModel, "softmax": ClassModel, "identity": NumberModel}


def _values(rows: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    try:
        # Half the time of asking each row by name and default.
        return list(map(itemgetter(name), rows))
    except KeyError:
        return [row.get(name) for row in rows]


def load_artefact(payload: bytes) -> NativeModel:
    """The artefact in the bytes of a `model.json`.

    Raises:
        ArtefactRefused: the size or structure is off; the message names the place. Nothing was evaluated.
    """
    decoded = _decoded(payload)
    link = decoded.pop(LINK, "expit") if type(decoded) is dict else "expit"
    if type(link) is not str or link not in MODELS:
        raise checks.refuse(LINK, f"not one of {', '.join(MODELS)}")
    found = checks.table(decoded, "the top", KEYS)
    if found["format"] != FORMAT or found["format_version"] not in VERSIONS_READ:
        raise checks.refuse("format", f"not {FORMAT} of a version among {VERSIONS_READ}")
    features = _features(found["features"])
    parser = BlockParser(features)
    listed = enumerate(checks.items(found["blocks"], "blocks"))
    blocks = tuple(parser.parse(block, f"blocks.{index}") for index, block in listed)
    columns = [codes for block in blocks for codes in block.columns]
    parse_one = parse_outputs if link == "softmax" else parse_estimator
    estimator: Any = parse_one(found["estimator"], "estimator", columns)
    slope, intercept = _calibration(found["calibration"])
    threshold = _threshold(found["threshold"]) if link == "expit" else math.nan
    is_share = link == "expit" and isinstance(estimator, LogOdds) and (slope, intercept) == (1.0, 0.0)
    kind = ShareModel if is_share else MODELS[link]
    return kind(features, blocks, estimator, slope, intercept, threshold)


def _decoded(payload: bytes) -> Any:
    if len(payload) > SIZE_LIMIT:
        raise ArtefactRefused(f"model.json has {len(payload)} bytes; more than {SIZE_LIMIT} are not read")
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise ArtefactRefused(f"model.json is not JSON ({error}); write the version again or roll back") from error


def _features(raw: Any) -> tuple[Feature, ...]:
    features = tuple(_feature(item, f"features.{index}") for index, item in enumerate(checks.items(raw, "features")))
    if not features or len({feature.name for feature in features}) != len(features):
        raise checks.refuse("features", "there are none, or two of one name")
    return features


def _feature(raw: Any, path: str) -> Feature:
    found = checks.table(raw, path, {"name", "kind"})
    if found["kind"] not in ("number", "category"):
        raise checks.refuse(f"{path}.kind", "not number or category")
    return Feature(checks.text(found["name"], f"{path}.name"), found["kind"] == "category")


def _calibration(raw: Any) -> tuple[float, float]:
    if raw is None:
        return 1.0, 0.0
    found = checks.table(raw, "calibration", {"slope", "intercept"})
    return checks.number(found["slope"], "calibration.slope"), checks.number(
        found["intercept"], "calibration.intercept"
    )


def _threshold(raw: Any) -> float:
    threshold = checks.number(raw, "threshold")
    if not 0 <= threshold <= 1:
        raise checks.refuse("threshold", "not between 0 and 1")
    return threshold
