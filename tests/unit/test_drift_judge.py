"""The judgement on a window: quiet where nothing changed, right about what did, silent about neither."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from selfheal.contract import default_contract, parse_contract
from selfheal.drift import Reference
from selfheal.drift.significance import benjamini_hochberg, chi_squared_p_value, ks_p_value, missing_p_value
from selfheal_tools.simulation.credit import Phase, credit_rows
from tests.support.drift import judged

CONTRACT = default_contract()
POLICY = CONTRACT.policy.monitoring
MIXED = parse_contract("""
[model]
name = "mixed"
target = "y"
[features.amount]
type = "number"
nullable = true
[features.colour]
type = "category"
[features.flag]
type = "boolean"
[features.constant]
type = "number"
[features.empty]
type = "number"
nullable = true
""")


def mixed(rng: np.random.Generator, rows: int, red: float = 0.5) -> pd.DataFrame:
    amount = rng.normal(size=rows)
    amount[rng.random(rows) < 0.1] = np.nan
    return pd.DataFrame(
        {
            "amount": amount,
            "colour": rng.choice(["red", "green", "blue"], rows, p=[red, (1 - red) / 2, (1 - red) / 2]).astype(object),
            "flag": rng.integers(0, 2, rows).astype(float),
            "constant": np.ones(rows),
            "empty": np.full(rows, np.nan),
        }
    )


@pytest.fixture(scope="module")
def credit_reference() -> Reference:
    return Reference(credit_rows(np.random.default_rng(0), 5000)[0], CONTRACT)


@pytest.mark.parametrize("rows", [200, 2000])
def test_unchanged_windows_are_detected_at_the_nominal_rate(credit_reference, rows):
    """Of 200 windows of an unchanged world about one in twenty is detected, and none is called drift."""
    rng = np.random.default_rng(rows)
    verdicts = [judged(credit_reference, credit_rows(rng, rows)[0], POLICY, 0.05) for _ in range(200)]
    assert sum(verdict.detection.detected for verdict in verdicts) <= 20
    assert not any(verdict.drift_detected for verdict in verdicts)


def test_a_stressed_world_drifts_in_the_features_that_follow_distress(credit_reference):
    """Covariate stress is detected, and utilisation ranks first; age, which did not move, does not drift."""
    window = credit_rows(np.random.default_rng(1), 1000, Phase.STRESS)[0]
    verdict = judged(credit_reference, window, POLICY, 0.004)
    assert verdict.drift_detected
    assert verdict.features[0].feature == "RevolvingUtilizationOfUnsecuredLines"
    assert "age" not in {feature.feature for feature in verdict.drifted}
    assert verdict.drift_share == len(verdict.drifted) / 10


def test_a_shift_that_is_sure_but_small_is_detected_and_not_relevant(credit_reference):
    """Five years of age in 5,000 rows are certain, and still too little to act on."""
    window = credit_rows(np.random.default_rng(2), 5000)[0]
    verdict = judged(credit_reference, window.assign(age=window["age"] + 3), POLICY, 0.05)
    assert verdict.detection.detected
    assert not verdict.drift_detected


def test_the_same_rows_give_the_same_verdict(credit_reference):
    """Resampling is seeded."""
    window = credit_rows(np.random.default_rng(3), 500)[0]
    again = Reference(credit_rows(np.random.default_rng(0), 5000)[0], CONTRACT)
    assert judged(credit_reference, window, POLICY, 0.05) == judged(again, window, POLICY, 0.05)


def test_every_kind_of_feature_is_judged_by_its_own_test():
    """Category and boolean by chi-squared, number by KS; missing values apart; a feature never seen is excluded."""
    rng = np.random.default_rng(4)
    reference = Reference(mixed(rng, 3000), MIXED)
    verdict = judged(reference, mixed(rng, 1000, red=0.8), POLICY, 0.05)
    by_name = {feature.feature: feature for feature in verdict.features}
    assert [feature.feature for feature in verdict.drifted] == ["colour"]
    assert by_name["colour"].stat_test == "chi_squared"
    assert by_name["colour"].drift_score == by_name["colour"].jensen_shannon
    assert by_name["flag"].ks is None
    assert by_name["constant"].p_value == 1
    assert by_name["amount"].missing_share == pytest.approx(0.1, abs=0.03)
    assert by_name["empty"].p_value == 1


def test_a_feature_that_goes_missing_drifts():
    """The missing share is tested and is an effect of its own."""
    rng = np.random.default_rng(5)
    window = mixed(rng, 1000)
    window.loc[:399, "amount"] = np.nan
    verdict = judged(Reference(mixed(rng, 3000), MIXED), window, POLICY, 0.05)
    assert verdict.features[0].feature == "amount"
    assert verdict.features[0].stat_test == "missing_share"
    assert verdict.features[0].effect_size == pytest.approx(0.36, abs=0.03)


@pytest.mark.parametrize(("name", "gone"), [("amount", np.nan), ("colour", None), ("flag", np.nan)])
def test_a_window_without_any_present_value_is_judged_by_its_missing_share(name, gone):
    """All values gone, of whatever type: no distribution to compare, and still a drift."""
    rng = np.random.default_rng(6)
    window = mixed(rng, 500)
    window[name] = pd.Series([gone] * 500, dtype=window[name].dtype)
    verdict = judged(Reference(mixed(rng, 3000), MIXED), window, POLICY, 0.05)
    assert verdict.features[0].feature == name
    assert verdict.features[0].smallest_detectable_shift is None
    assert (verdict.features[0].stat_test, verdict.features[0].missing_share) == ("missing_share", 1.0)
    assert verdict.drift_detected


def test_numbers_at_the_end_of_the_scale_leave_the_verdict_finite():
    """A value that a double barely holds, then or now: each figure of the verdict is a number, and JSON can hold it."""
    rng = np.random.default_rng(8)
    huge = mixed(rng, 1000)
    huge.loc[:2, "amount"] = 1.7e308
    huge.loc[3, "amount"] = -1.7e308
    for reference, window in ((mixed(rng, 3000), huge), (huge, mixed(rng, 1000)), (huge, huge)):
        verdict = judged(Reference(reference, MIXED), window, POLICY, 0.05)
        json.loads(verdict.model_dump_json(), parse_constant=pytest.fail)


def test_a_customer_seen_twenty_times_is_one_piece_of_evidence(credit_reference):
    """Windows of 25 customers, each repeated forty times, raise no more alarms than windows of 25 rows."""
    rng = np.random.default_rng(7)
    windows = [credit_rows(rng, 25)[0].loc[rng.integers(0, 25, 1000)].reset_index(drop=True) for _ in range(100)]
    verdicts = [judged(credit_reference, window, POLICY, 0.05) for window in windows]
    assert verdicts[0].detection.effective_size == pytest.approx(25, rel=0.2)
    assert sum(verdict.detection.detected for verdict in verdicts) <= 12


def test_the_smallest_detectable_shift_is_seen_in_about_four_windows_of_five(credit_reference):
    """What a verdict says that it could have seen, it does see, at a power near 80 %."""
    rng = np.random.default_rng(8)
    (age,) = (
        f for f in judged(credit_reference, credit_rows(rng, 1000)[0], POLICY, 0.05).features if f.feature == "age"
    )
    assert age.smallest_detectable_shift is not None
    step = age.smallest_detectable_shift * 15
    seen = 0
    for _ in range(60):
        window = credit_rows(rng, 1000)[0]
        jittered = window.assign(age=np.round(window["age"] + step + rng.uniform(-0.5, 0.5, 1000)))
        seen += judged(credit_reference, jittered, POLICY, 0.05).detection.detected
    assert 36 <= seen <= 60


def test_ks_p_value_agrees_with_scipy():
    """On cells, with Stephens' correction, the p-value is scipy's asymptotic one to a few per cent."""
    p_value = ks_p_value(np.array([0.3, 0.2, 0.5]), np.array([0.25, 0.15, 0.6]), 400.0)
    assert float(p_value) == pytest.approx(stats.kstwo.sf(0.1, 400), rel=0.05)


def test_chi_squared_agrees_with_scipy():
    """With frequent categories it is the usual test of homogeneity."""
    window, reference = np.array([30, 50, 20]), np.array([400, 400, 200])
    expected = stats.chi2_contingency([window, reference], correction=False).pvalue
    p_value = chi_squared_p_value(window / 100, reference / 1000, 100 * 1000 / 1100, weight=100 / 1100)
    assert float(p_value) == pytest.approx(expected)


def test_rare_categories_are_judged_together():
    """A single row of a category that the reference never held proves nothing."""
    reference = np.array([700, 300, 0]) / 1000
    assert float(chi_squared_p_value(np.array([139, 60, 1]) / 200, reference, 166.0, weight=1 / 6)) > 0.5


def test_missing_share_is_tested_exactly():
    """One missing value where the reference has none of 30,000 is likely enough; five are not."""
    assert missing_p_value(0, 200, 0, 30_000) == 1
    assert missing_p_value(1, 200, 0, 30_000) > 0.01
    assert missing_p_value(5, 200, 0, 30_000) < 1e-6


def test_benjamini_hochberg_steps_up():
    """The textbook example: with these five p-values at 5 % the three smallest are significant."""
    p_values = np.array([0.01, 0.02, 0.03, 0.2, 0.9])
    assert benjamini_hochberg(p_values, 0.05) == pytest.approx(0.03)
    assert benjamini_hochberg(np.array([0.5, 0.6]), 0.05) == 0
