"""The drift summary: what one monitoring run found, judged and did. The named fields come first in its JSON."""

from pydantic import BaseModel

from selfheal.records.base import Record


class Sketch(BaseModel):
    """Two distributions in a few bars, for the eye: shares of the present values by bar."""

    model_config = Record.model_config

    labels: tuple[str, ...]
    reference: tuple[float, ...]
    window: tuple[float, ...]


class FeatureDrift(BaseModel):
    """One feature's verdict: drifted where it is both significant (p_value <= threshold) and relevant.

    threshold: the p-value that Benjamini-Hochberg allows. drift_score: the normed Wasserstein distance of a numeric
    feature (over the reference's standard deviation), the Jensen-Shannon distance of a category.
    effect_size: the larger of the distance on the reference's rank scale (Jensen-Shannon for categories) less what an
    unchanged world shows, and the change of the missing share. smallest_detectable_shift: in standard deviations of the
    reference for a numeric feature, in share of rows for a category; None where no shift could have been seen.
    impact: how much the estimated Brier score would move if this feature alone had changed as it did.
    """

    model_config = Record.model_config

    feature: str
    drift_detected: bool
    stat_test: str
    p_value: float
    threshold: float
    drift_score: float
    effect_size: float
    effect_threshold: float
    ks: float | None
    chi_squared_p_value: float | None
    jensen_shannon: float
    psi: float
    missing_share: float
    reference_missing_share: float
    smallest_detectable_shift: float | None
    n: int
    sketch: Sketch
    impact: float | None = None


class Detection(BaseModel):
    """Has anything changed? `p_value` is the chance that an unchanged world shows a smallest p-value like this one.

    level: what `p_value` is held against, repeated looks included. effective_size: rows of the window after repeated
    rows are counted as fewer.
    """

    model_config = Record.model_config

    detected: bool
    p_value: float
    minimum_p_value: float
    level: float
    n: int
    reference_rows: int
    effective_size: float


class DriftVerdict(BaseModel):
    """The judgement on one window of inputs; features in order of effect, the largest first."""

    model_config = Record.model_config

    drift_detected: bool
    widespread: bool
    drift_share: float
    detection: Detection
    features: tuple[FeatureDrift, ...]
    excluded: dict[str, str]

    @property
    def drifted(self) -> tuple[FeatureDrift, ...]:
        """The features that drifted, the largest effect first."""
        return tuple(feature for feature in self.features if feature.drift_detected)
