"""Summaries of predictions: whatever the parts and their order, they add up to the whole, and judge like rows."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache, reduce
from operator import add

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal.contract import parse_contract
from selfheal.data.moments import as_utc
from selfheal.drift import Reference, judge_drift
from selfheal.drift.repeats import KEPT, Repeats
from selfheal.monitoring.hour import HourSummary
from selfheal.monitoring.packing import packed, unpacked
from selfheal.monitoring.proxy_metrics import AnswersByAge
from selfheal.monitoring.window import NEWEST_ROWS, WindowSummary
from selfheal.records.predictions import new_request_id, prediction_id
from selfheal.tables.dataset import typed_features
from selfheal.tables.predictions import PredictionWindow
from selfheal.tables.sample import KEPT as SAMPLED
from selfheal.tables.sample import Sample, id_hashes

NOW = datetime(2026, 3, 2, tzinfo=UTC)
CONTRACT = parse_contract("""
[model]
name = "colours"
target = "y"
[features.colour]
type = "category"
categories = ["red", "blue", "green"]
[features.count]
type = "integer"
minimum = 0
maximum = 6
[features.amount]
type = "number"
nullable = true
[features.flag]
type = "boolean"
nullable = true
""")


def rows_of(seed: int, rows: int, versions: Sequence[str] = ("v1", "v2")) -> PredictionWindow:
    """Predictions of the last day, oldest first, with values that training saw and others."""
    rng = np.random.default_rng(seed)
    ages = np.sort(rng.integers(1, 24 * 3_600_000, rows // 3 + 1))[::-1].repeat(3)[:rows]
    moments = np.datetime64(NOW.replace(tzinfo=None), "ms") - ages.astype("timedelta64[ms]")
    probabilities = rng.beta(2, 5, rows)
    features = pd.DataFrame(
        {
            "colour": rng.choice(np.array(["red", "blue", "green", "violet", None], dtype=object), rows),
            "count": rng.choice([-1.0, 0, 1, 2, 2.5, 3, 7], rows),
            "amount": np.where(rng.random(rows) < 0.2, np.nan, rng.lognormal(0, 2, rows)),
            "flag": rng.choice([0.0, 1.0, np.nan], rows),
        }
    )
    ids = [
        prediction_id(new_request_id(m.astype(datetime).replace(tzinfo=UTC)), i % 10_000) for i, m in enumerate(moments)
    ]
    window = PredictionWindow(
        prediction_ids=np.array(ids, dtype=object),
        timestamps=moments.astype("datetime64[us]"),
        model_versions=rng.choice(np.array(versions, dtype=object), rows),
        probabilities=probabilities,
        predictions=(probabilities > 0.4).astype(np.int8),
        features=features,
    )
    return window.take(window.order_in_time)


@cache
def reference() -> Reference:
    return Reference(rows_of(0, 2000).features.assign(colour="red", count=1.0), CONTRACT)


def summaries_of(rows: PredictionWindow) -> tuple[WindowSummary, AnswersByAge]:
    hashes = id_hashes(rows.prediction_ids)
    return WindowSummary.of(rows, hashes, reference()), AnswersByAge.of(NOW, rows, hashes)


def tables_equal(first: PredictionWindow, second: PredictionWindow) -> bool:
    arrays = zip(vars(first).values(), vars(second).values(), strict=True)
    return all(pd.DataFrame(one).equals(pd.DataFrame(other)) for one, other in arrays)


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.integers(1, 300), st.integers(1, 6), st.randoms(use_true_random=False))
def test_summaries_of_parts_add_up_to_that_of_the_whole(seed, count, parts, order):
    """However rows are dealt out and in whatever order they are added: counts to the last, sums to nine digits."""
    rows = rows_of(seed, count)
    dealt = np.random.default_rng(seed).integers(0, parts, count)
    shuffled = list(range(parts))
    order.shuffle(shuffled)
    window, answers = (
        reduce(add, each) for each in zip(*(summaries_of(rows.take(dealt == part)) for part in shuffled), strict=True)
    )
    whole, all_answers = summaries_of(rows)
    for name, feature in whole.inputs.features.items():
        mine = window.inputs.features[name]
        assert (mine.counts == feature.counts).all()
        assert [mine.missing, mine.outside, mine.fractional] == [feature.missing, feature.outside, feature.fractional]
        assert [mine.unseen, mine.undeclared] == [feature.unseen, feature.undeclared]
        if feature.placed is not None and mine.placed is not None:
            assert (mine.placed.counts == feature.placed.counts).all()
            np.testing.assert_allclose(mine.placed.sums, feature.placed.sums, rtol=1e-9)
            np.testing.assert_allclose(mine.placed.squares, feature.placed.squares, rtol=1e-9)
    for mine, theirs in zip(vars(window.inputs.repeats).values(), vars(whole.inputs.repeats).values(), strict=True):
        assert np.array_equal(mine, theirs)
    assert tables_equal(window.sample, whole.sample)
    assert tables_equal(window.newest, whole.newest)
    assert answers.change.model_dump() == pytest.approx(all_answers.change.model_dump(), nan_ok=True)
    for mine, theirs in zip(answers.proxies, all_answers.proxies, strict=True):
        assert mine.model_dump() == pytest.approx(theirs.model_dump())


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.integers(40, 300), st.integers(1, 6))
def test_the_verdict_of_added_parts_is_that_of_all_rows(seed, count, parts):
    """Every test, effect and p-value; what is computed of sums to nine digits."""
    rows = rows_of(seed, count)
    dealt = np.random.default_rng(seed).integers(0, parts, count)
    added = reduce(add, [reference().summary_of(rows.take(dealt == part).features) for part in range(parts)])
    whole = reference().summary_of(rows.features)
    mine, theirs = (judge_drift(reference(), each, CONTRACT.policy.monitoring, 0.05) for each in (added, whole))
    assert mine.detection == theirs.detection
    for one, other in zip(mine.features, theirs.features, strict=True):
        assert one.model_copy(update={"drift_score": other.drift_score}) == other
        assert one.drift_score == pytest.approx(other.drift_score, rel=1e-9)


def test_a_sample_of_many_is_the_same_however_they_are_divided():
    """Of 30,000 predictions the same 10,000, oldest first; of a version that answered few, all."""
    rows = rows_of(1, 30_000)
    rare = np.arange(30_000) % 1000 == 7
    rows = PredictionWindow(**{**vars(rows), "model_versions": np.where(rare, "v3", "v1").astype(object)})
    whole, _ = summaries_of(rows)
    added = reduce(add, [summaries_of(rows.take(np.arange(30_000) % 7 == part))[0] for part in (3, 0, 6, 1, 5, 2, 4)])
    assert len(whole.sample) == SAMPLED
    assert tables_equal(added.sample, whole.sample)
    assert len(added.samples["v3"]) == 30
    assert (np.diff(added.sample.timestamps).astype(int) >= 0).all()
    assert len(added.newest) == NEWEST_ROWS
    assert tables_equal(added.newest, rows.take(slice(-NEWEST_ROWS, None)))


def test_a_sample_is_no_choice_of_what_its_rows_are_like():
    """Mean and share of a sample are those of all rows, within what chance allows."""
    rows = rows_of(2, 40_000)
    sample = Sample.of(rows, id_hashes(rows.prediction_ids)).rows
    assert sample.probabilities.mean() == pytest.approx(rows.probabilities.mean(), abs=4 * 0.16 / SAMPLED**0.5)
    assert set(sample.prediction_ids) <= set(rows.prediction_ids)


@pytest.mark.parametrize("customers", [3, 2_000, 40_000, 10**9])
@pytest.mark.parametrize("heavy", [0, 20_000])
def test_repeats_among_many_rows_are_known_to_a_few_per_cent(customers, heavy):
    """Fixed size for any number of rows: few customers, many, none twice; and one row that fills a third of all."""
    rng = np.random.default_rng(5)
    drawn = rng.integers(0, customers, 60_000)
    drawn[:heavy] = 1
    frame = pd.DataFrame({"x": drawn.astype(float), "y": drawn * 0.5})
    found = reduce(add, [Repeats.of(part) for part in (frame[at : at + 12_000] for at in range(0, 60_000, 12_000))])
    counts = np.unique(drawn, return_counts=True)[1].astype(float)
    pairs = (counts * (counts - 1)).sum() / (60_000 * 59_999)
    assert found.distinct == pytest.approx(len(counts), rel=0.05)
    assert found.design_effect(0.0) == pytest.approx(1 + 59_999 * pairs, rel=0.05)
    assert len(found.keys) == min(len(counts), KEPT)


ANSWERS = {
    "two classes": lambda rng, rows: (rng.random(rows), rng.integers(0, 2, rows).astype(np.int8)),
    "several classes": lambda rng, rows: (rng.dirichlet([1, 1, 1], rows), rng.integers(0, 3, rows)),
    "numbers": lambda rng, rows: (rng.normal(size=rows), rng.normal(size=rows)),
}


@pytest.mark.parametrize("answers", ANSWERS.values(), ids=ANSWERS)
def test_an_hours_summary_is_the_same_after_it_was_bytes(answers):
    """Whatever is predicted, texts of any length and missing values included; the same rows give the same bytes."""
    rows = rows_of(3, 200)
    probabilities, predictions = answers(np.random.default_rng(4), 200)
    odd = typed_features(rows.features.assign(colour=["a\0b", "x" * 5000, None, "é"] * 50), CONTRACT)
    changed = {"timestamps": np.sort(rows.timestamps[:1] + np.arange(200) * np.timedelta64(1, "s")), "features": odd}
    rows = PredictionWindow(**{**vars(rows), **changed, "probabilities": probabilities, "predictions": predictions})
    hour = as_utc(rows.timestamps[0]).replace(minute=0, second=0, microsecond=0)
    hashes = id_hashes(rows.prediction_ids)
    summary = HourSummary.of(hour, rows, hashes, WindowSummary.of(rows, hashes, reference()))
    body = packed(summary)
    again = unpacked(body, CONTRACT)
    assert again is not None
    assert packed(again) == body == packed(summary)
    assert tables_equal(again.window.sample, summary.window.sample)
    assert vars(again.answers).keys() == vars(summary.answers).keys()
    for mine, theirs in zip(vars(again.answers).values(), vars(summary.answers).values(), strict=True):
        assert np.array_equal(mine, theirs)
        assert type(mine) is type(theirs)


@pytest.mark.parametrize("body", [b"", b"no zip", b"PK\x05\x06" + bytes(18)])
def test_bytes_that_are_no_summary_are_none(body):
    """Cut off, of another kind, or an empty zip: the hour is read from its rows then."""
    assert unpacked(body, CONTRACT) is None
