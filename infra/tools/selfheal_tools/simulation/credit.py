"""A seeded stream of credit applicants with the ten "Give Me Some Credit" features and a known risk model.

Applicants have three hidden traits (age, wealth, distress), independent and standard normal, from which the features
follow; so features are correlated, heavy-tailed, discrete and partly missing, as real ones are. Whether an applicant
defaults is drawn from `default_probability`, which a model may try to learn and a test may know.
"""

from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

UTILISATION = "RevolvingUtilizationOfUnsecuredLines"
AGE = "age"
LATE_30 = "NumberOfTime30-59DaysPastDueNotWorse"
DEBT_RATIO = "DebtRatio"
INCOME = "MonthlyIncome"
OPEN_LINES = "NumberOfOpenCreditLinesAndLoans"
LATE_90 = "NumberOfTimes90DaysLate"
REAL_ESTATE = "NumberRealEstateLoansOrLines"
LATE_60 = "NumberOfTime60-89DaysPastDueNotWorse"
DEPENDENTS = "NumberOfDependents"

INCOME_MISSING_SHARE = 0.2
DEPENDENTS_MISSING_SHARE = 0.026
HEAVY_TAIL_SHARE = 0.02
TYPICAL_LOG_INCOME = 8.6


class Phase(StrEnum):
    """What the world is doing.

    calm: nothing changes. stress: applicants are poorer and deeper in debt, risk works as before. changed_risk: the
    same applicants default for other reasons. broken_pipeline: as calm, but income arrives in thousands.
    """

    CALM = "calm"
    STRESS = "stress"
    CHANGED_RISK = "changed_risk"
    BROKEN_PIPELINE = "broken_pipeline"


def credit_rows(rng: np.random.Generator, n: int, phase: Phase = Phase.CALM) -> tuple[pd.DataFrame, NDArray[np.int8]]:
    """Draw n applicants: features as the service would see them (n by 10, float64, missing is NaN), true labels."""
    features = _applicants(rng, n, stressed=phase is Phase.STRESS)
    labels = (rng.random(n) < default_probability(features, phase)).astype(np.int8)
    if phase is Phase.BROKEN_PIPELINE:
        features[INCOME] /= 1000.0
    return features, labels


def default_probability(features: pd.DataFrame, phase: Phase = Phase.CALM) -> NDArray[np.float64]:
    """The true probability of default of each applicant, shape (n,)."""
    log_odds = _changed_risk(features) if phase is Phase.CHANGED_RISK else _usual_risk(features)
    return 1.0 / (1.0 + np.exp(-log_odds))


def _applicants(rng: np.random.Generator, n: int, *, stressed: bool) -> pd.DataFrame:
    age, wealth, distress = rng.standard_normal((3, n))
    if stressed:
        wealth, distress = wealth - 0.6, distress + 0.7
    income = np.round(np.exp(TYPICAL_LOG_INCOME + 0.55 * wealth + 0.1 * age))
    income[rng.random(n) < INCOME_MISSING_SHARE] = np.nan
    dependents = rng.poisson(np.exp(-0.4 - 0.2 * age)).astype(np.float64)
    dependents[rng.random(n) < DEPENDENTS_MISSING_SHARE] = np.nan
    return pd.DataFrame(
        {
            UTILISATION: _utilisation(rng, distress, age),
            AGE: np.clip(np.round(52.0 + 15.0 * age), 18, 100),
            LATE_30: rng.poisson(np.exp(-1.6 + 0.9 * distress)).astype(np.float64),
            DEBT_RATIO: _debt_ratio(rng, distress, income),
            INCOME: income,
            OPEN_LINES: rng.poisson(np.exp(2.0 + 0.15 * wealth + 0.1 * age)).astype(np.float64),
            LATE_90: rng.poisson(np.exp(-2.8 + 1.1 * distress)).astype(np.float64),
            REAL_ESTATE: rng.poisson(np.exp(-0.1 + 0.35 * wealth + 0.1 * age)).astype(np.float64),
            LATE_60: rng.poisson(np.exp(-2.8 + 1.0 * distress)).astype(np.float64),
            DEPENDENTS: dependents,
        }
    )


def _utilisation(
    rng: np.random.Generator, distress: NDArray[np.float64], age: NDArray[np.float64]
) -> NDArray[np.float64]:
    usual = 1.0 / (1.0 + np.exp(0.8 - 1.4 * distress + 0.3 * age - 0.5 * rng.standard_normal(len(age))))
    # A few accounts carry a balance far above a limit that was since cut, as in the real data.
    above = rng.random(len(age)) < HEAVY_TAIL_SHARE
    return np.round(np.where(above, usual * np.exp(rng.exponential(2.0, len(age))), usual), 6)


def _debt_ratio(
    rng: np.random.Generator, distress: NDArray[np.float64], income: NDArray[np.float64]
) -> NDArray[np.float64]:
    ratio = np.exp(-1.1 + 0.7 * rng.standard_normal(len(income)) + 0.2 * distress)
    # Without an income the real data hold the debt itself.
    return np.round(np.where(np.isnan(income), np.round(ratio * 5000.0), ratio), 6)


def _usual_risk(features: pd.DataFrame) -> NDArray[np.float64]:
    late = 1.1 * _log1p(features, LATE_30) + 1.4 * _log1p(features, LATE_60) + 1.7 * _log1p(features, LATE_90)
    utilisation = np.minimum(_column(features, UTILISATION), 1.5)
    return -4.0 + 2.8 * utilisation + late - 0.025 * (_column(features, AGE) - 50.0) - 0.4 * _log_income(features)


def _changed_risk(features: pd.DataFrame) -> NDArray[np.float64]:
    property_burden = 1.3 * np.minimum(_column(features, REAL_ESTATE), 4.0) + 0.08 * _column(features, OPEN_LINES)
    utilisation = np.minimum(_column(features, UTILISATION), 1.5)
    age = 0.05 * (_column(features, AGE) - 50.0)
    return -4.0 + property_burden + age - 1.2 * utilisation - 0.9 * _log_income(features)


def _column(features: pd.DataFrame, name: str) -> NDArray[np.float64]:
    return features[name].to_numpy(dtype=np.float64)


def _log1p(features: pd.DataFrame, name: str) -> NDArray[np.float64]:
    return np.log1p(_column(features, name))


def _log_income(features: pd.DataFrame) -> NDArray[np.float64]:
    # An applicant of unknown income has the typical one, as far as risk goes.
    return np.nan_to_num(np.log(np.maximum(_column(features, INCOME), 1.0)) - TYPICAL_LOG_INCOME)
