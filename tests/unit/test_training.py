"""Training: what is chosen, what is refused, and that it is the same every time."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from selfheal.contract import parse_contract
from selfheal.errors import TrainingBudgetExceeded, TrainingImpossible
from selfheal.models.native import load_artefact
from selfheal.models.native.export.proof import export
from selfheal.tables.dataset import Dataset
from selfheal.tasks.binary.operating_point import best_f1_threshold
from selfheal.training import train
from selfheal.training.calibration import calibration_of
from selfheal.training.curves import curves_of
from selfheal.training.split import fits_at_a_time, pasts, sampled, tuning_rows, within_window
from tests.support.rows import MIXED, dataset_of, mixed_rows

SMALL = parse_contract('[model]\nname = "small"\ntarget = "y"\n[features.x]\ntype = "number"\n')


def small_rows(labels: list[int] | np.ndarray, x: np.ndarray | None = None) -> Dataset:
    labels = np.asarray(labels)
    values = np.arange(len(labels), dtype=float) if x is None else x
    return dataset_of(pd.DataFrame({"x": values}), labels, SMALL)


def test_same_rows_and_seed_give_the_same_bytes():
    """Two runs over the same rows write the same model.json."""
    rows = mixed_rows(1500)
    first, second = (export(train(rows, MIXED, seed=3).fitted, rows.features, MIXED) for _ in range(2))
    assert first == second


def test_a_trained_model_ranks_well_and_is_calibrated():
    """On fresh rows of the same world: ROC AUC near the best possible one, mean probability near the share."""
    trained = train(mixed_rows(4000), MIXED)
    fresh = mixed_rows(4000, seed=1)
    probabilities = trained.fitted.probabilities(fresh.features)
    positives = probabilities[fresh.labels == 1]
    negatives = probabilities[fresh.labels == 0]
    assert (positives[:, None] > negatives[None, :1000]).mean() > 0.82
    assert probabilities.mean() == pytest.approx(fresh.labels.mean(), abs=0.05)


def test_every_candidate_is_recorded_and_the_chosen_one_is_no_worse():
    """The record shows all contestants and marks one; none beats it by more than the handicap of an unusual blend."""
    candidates = train(mixed_rows(3000), MIXED).candidates
    assert {candidate.name for candidate in candidates} >= {"logistic_regression", "boosting"}
    (chosen,) = (candidate for candidate in candidates if candidate.chosen)
    assert chosen.metrics["brier"] <= 1.05 * min(candidate.metrics["brier"] for candidate in candidates)


def test_auto_lets_go_of_the_past_after_an_abrupt_change():
    """Where the newest half contradicts the older one, the winner learns from no more than the newest half."""
    old, new = mixed_rows(3000, seed=1), mixed_rows(3000, seed=2, flipped=True)
    rows = dataset_of(
        pd.concat([old.features, new.features], ignore_index=True), np.concatenate([old.labels, new.labels]), MIXED
    )
    assert train(rows, MIXED).rows <= len(new)


def test_pasts_follow_the_policy():
    """`all` and a number of days are one past each, `auto` compares all rows alike with all rows fading."""
    assert [past.name for past in pasts("all")] == ["all"]
    assert [past.name for past in pasts(1)] == ["1 days"]
    assert [past.name for past in pasts("auto")] == ["all", "fading"]


@given(seed=st.integers(0, 5), most=st.integers(1, 3000), positives=st.integers(0, 1000))
def test_a_sample_keeps_order_and_the_rarer_class(seed: int, most: int, positives: int):
    """As many rows as asked for, in time order, each once; more where they would hold too few of the rarer class."""
    labels = np.zeros(2000, dtype=int)
    labels[np.random.default_rng(seed).permutation(2000)[:positives]] = 1
    rows = small_rows(labels)
    kept = sampled(rows, most, seed)
    places = np.searchsorted(rows.timestamps, kept.timestamps)
    assert (np.diff(places) > 0).all()
    assert list(rows.row_ids[places]) == list(kept.row_ids)
    assert min(most, 2000) <= len(kept) <= 2000
    expected = len(kept) * min(positives, 2000 - positives) / 2000
    assert len(kept) == 2000 or expected >= 500 - 1e-9


def test_a_fading_past_halves_with_age():
    """The newest row counts whole, one a fifth of all rows older half."""
    weights = pasts("auto")[1].weights(1000)
    assert weights[-1] == 1
    assert weights[799] == pytest.approx(0.5)


def test_the_newest_rows_tune():
    """15 % of the rows, 5,000 at the most, and further back where those hold too few of the rarer class."""
    assert tuning_rows(mixed_rows(2000)) == 300
    assert tuning_rows(small_rows(np.tile([0, 1], 30_000))) == 5000
    rare = np.zeros(2000, dtype=int)
    rare[::20] = 1
    assert 900 < tuning_rows(small_rows(rare)) <= 1000


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ([0, 1] * 50, "only 100 labelled rows"),
        ([1] * 300, "all 300 labels are positive"),
        ([0] * 300, "all 300 labels are negative"),
        ([0] * 297 + [1] * 3, "only 3 labels of the rarer class"),
        ([0] * 270 + [1] * 30, "newest or the oldest half"),
    ],
)
def test_what_cannot_be_trained_on_is_refused_by_name(labels: list[int], reason: str):
    """Too few labels, one class only, and a class that appears too late or hardly at all."""
    with pytest.raises(TrainingImpossible, match=reason):
        train(small_rows(labels), SMALL)


def test_a_short_history_is_fitted_without_a_warning():
    """Sixty rows have fewer quantiles than the model asks for: it asks for no more than there are."""
    few = MIXED.policy.retraining.model_copy(update={"minimum_labels": 40})
    train(mixed_rows(60), MIXED.with_policy(MIXED.policy.model_copy(update={"retraining": few})))


def test_a_fixed_threshold_of_the_contract_is_kept():
    """A number in the contract is the operating point, whatever F1 says."""
    fixed = parse_contract('[model]\nname = "small"\ntarget = "y"\nthreshold = 0.25\n[features.x]\ntype = "number"\n')
    rng = np.random.default_rng(0)
    x = rng.normal(size=600)
    rows = small_rows((rng.random(600) < 1 / (1 + np.exp(-x))).astype(int), x)
    trained = train(rows, fixed)
    assert trained.fitted.threshold == 0.25
    assert load_artefact(export(trained.fitted, rows.features, fixed)).threshold == 0.25


@pytest.mark.parametrize("seed", range(5))
def test_best_f1_threshold_beats_every_other(seed: int):
    """No threshold among the probabilities gives a higher F1, ties included."""
    rng = np.random.default_rng(seed)
    probabilities = rng.integers(0, 30, size=200) / 30
    labels = (rng.random(200) < probabilities**2).astype(np.int8)
    chosen = f1_score(labels, probabilities >= best_f1_threshold(labels, probabilities))
    assert chosen == max(
        f1_score(labels, probabilities >= other, zero_division=0.0) for other in np.unique(probabilities)
    )


def test_calibration_corrects_scores_that_are_off_and_leaves_others_alone():
    """Scores twice too steep are brought back to about half; right ones stay bit for bit."""
    rng = np.random.default_rng(0)
    scores = rng.normal(size=4000)
    labels = (rng.random(4000) < 1 / (1 + np.exp(-scores))).astype(np.int8)
    assert calibration_of(scores, labels).is_identity
    corrected = calibration_of(2 * scores + 1, labels)
    assert corrected.slope == pytest.approx(0.5, abs=0.06)
    assert corrected.intercept == pytest.approx(-0.5, abs=0.12)


def test_more_values_than_memory_holds_end_by_name(monkeypatch: pytest.MonkeyPatch):
    """The message says what to do; a window of days that leaves fewer rows is trained."""
    monkeypatch.setattr("selfheal.training.split.MOST_VALUES", 12_000)
    rows = mixed_rows(2500)
    with pytest.raises(TrainingBudgetExceeded, match=r"policy\.retraining\.window"):
        within_window(rows, "auto")
    assert len(within_window(rows, 1)) == 24 * 60 + 1


def test_two_fits_at_a_time_only_where_memory_is_for_both(monkeypatch: pytest.MonkeyPatch):
    """Rows that fill more than half of what training has memory for are fitted one at a time."""
    rows = mixed_rows(100)
    monkeypatch.setattr("selfheal.training.split.MOST_VALUES", 2 * rows.features.size)
    assert fits_at_a_time(rows) == 2
    monkeypatch.setattr("selfheal.training.split.MOST_VALUES", 2 * rows.features.size - 1)
    assert fits_at_a_time(rows) == 1


@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=1))
def test_f1_by_threshold_is_scikit_learns(rows: list[tuple[int, float]]):
    """Whatever the rows, those of one class and ties included; of the thresholds every twelfth."""
    labels = np.array([label for label, _ in rows], dtype=np.int8)
    probabilities = np.array([probability for _, probability in rows])
    for at, found in curves_of({}, labels, probabilities)["f1"][::12]:
        assert found == pytest.approx(f1_score(labels, probabilities >= at, zero_division=0.0))


def test_curves_show_the_run():
    """Reliability by tenths, F1 by threshold, and a learning curve for every candidate with trees."""
    curves = train(mixed_rows(1200), MIXED).curves
    assert len(curves["reliability"]) == 10
    assert [at for at, _ in curves["f1"]] == sorted(at for at, _ in curves["f1"])
    assert len(curves["learning"]["boosting, all"]) > 50 > len(curves["learning"]["logistic_regression, all"]) == 1


def test_a_run_out_of_budget_ends_by_name():
    """The budget is asked before every fit; once it is out no round of fits follows, and its error ends the run."""
    asked: list[int] = []

    def check(allowed: int) -> None:
        asked.append(1)
        if len(asked) > allowed:
            raise TrainingBudgetExceeded("enough")

    train(mixed_rows(1000), MIXED, begin=lambda _: check(1000))
    whole = len(asked)
    asked.clear()
    with pytest.raises(TrainingBudgetExceeded):
        train(mixed_rows(1000), MIXED, begin=lambda _: check(2))
    assert 3 <= len(asked) < whole
