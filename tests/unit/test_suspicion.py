"""Ids, leaks and paces that a file shows by itself: what is left out, what is asked, and what is proposed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from selfheal.contract import parse_contract
from selfheal.drafting import Draft, draft_contract
from selfheal.drafting.identifiers import is_called_id
from selfheal.drafting.pace import Pace

ROWS = 2000
START = datetime(2026, 1, 1, tzinfo=UTC)
FIELD = Path(__file__).parents[3] / "shared" / "field"


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def drafted(folder: Path, frame: pd.DataFrame, target: str = "y", time: str | None = None) -> Draft:
    frame.to_csv(folder / "data.csv", index=False)
    return draft_contract(folder / "data.csv", target=target, time=time)


def said_of(draft: Draft, name: str) -> str:
    """The column's section, its comments included, commented out or not."""
    lines = draft.text.splitlines()
    at = next(i for i, line in enumerate(lines) if line.removeprefix("# ").startswith(f"[features.{name}]"))
    return "\n".join(lines[at : at + 5]).split("\n\n")[0]


@pytest.mark.parametrize(
    "name",
    [
        "PatientId",
        "AppointmentID",
        "customerID",
        "order_id",
        "ID",
        "uuid",
        "userid",
        "id_client",
        "Product ID",
        "a-guid",
    ],
)
def test_an_id_is_known_by_its_name(name: str):
    """A word of its own at either end, however it is written."""
    assert is_called_id(name)


@pytest.mark.parametrize("name", ["paid", "bid", "No_show", "Idaho", "grid", "humidity", "house_number", "amount", "1"])
def test_two_letters_inside_another_word_make_no_id(name: str):
    """Nor does a number that may repeat."""
    assert not is_called_id(name)


@pytest.mark.parametrize("dtype", ["float64", "int64"])
def test_numbers_under_an_ids_name_are_left_out_though_some_come_again(tmp_path: Path, rng, dtype: str):
    """People come twice and thrice, and their numbers are written as floats, some with a fraction: ids all the same."""
    patients = rng.choice(rng.integers(10**12, 10**14, 900), ROWS).astype(float)
    patients[:3] += 0.5 if dtype == "float64" else 0.0
    frame = pd.DataFrame({"PatientId": patients, "Age": rng.integers(1, 90, ROWS), "y": rng.integers(0, 2, ROWS)})
    draft = drafted(tmp_path, frame.astype({"PatientId": dtype}))
    assert draft.left_out == ("PatientId",)
    assert "an id by its name" in said_of(draft, "PatientId")
    assert 'feature = "Age"' in draft.text


def test_a_kind_under_an_ids_name_is_kept_and_asked_about(tmp_path: Path, rng):
    """A vendor of three is a category whatever it is called, but it is no group to protect by default."""
    frame = pd.DataFrame({"VendorID": rng.integers(1, 4, ROWS), "y": rng.integers(0, 2, ROWS)})
    draft = drafted(tmp_path, frame)
    assert "check: an id by its name" in said_of(draft, "VendorID")
    assert "[[segments]]" not in draft.text


def test_whole_numbers_that_never_repeat_though_drawn_ones_would_are_ids(tmp_path: Path, rng):
    """Of two columns without a telling name, that which was given out from a wide range is an id, the income isn't."""
    ticket = rng.permutation(np.arange(500_000, 500_000 + 30 * ROWS))[:ROWS]
    income = np.exp(rng.normal(10.5, 0.7, ROWS)).round().astype(int)
    draft = drafted(tmp_path, pd.DataFrame({"ticket": ticket, "income": income, "y": rng.integers(0, 2, ROWS)}))
    assert draft.left_out == ("ticket",)


def test_a_strong_feature_that_is_wrong_now_and_then_is_no_leak(tmp_path: Path, rng):
    """A measurement that ranks the target with a ROC AUC of 0.99, and errs between the kinds, stays a feature."""
    light = rng.normal(size=ROWS)
    frame = pd.DataFrame({"light": light.round(4), "hour": rng.integers(0, 24, ROWS)})
    frame["y"] = (rng.random(ROWS) < expit(25 * light)).astype(int)
    draft = drafted(tmp_path, frame)
    assert draft.left_out == ()
    assert "is it known" in said_of(draft, "light")


@pytest.mark.parametrize("slope", [1, 3, 5])
def test_an_honest_feature_is_not_even_asked_about(tmp_path: Path, rng, slope: int):
    """Where the chance rises with a feature, its sure ends are no rule."""
    x = rng.normal(size=ROWS)
    frame = pd.DataFrame({"x": x.round(3), "z": rng.normal(size=ROWS).round(3)})
    frame["y"] = (rng.random(ROWS) < expit(slope * x)).astype(int)
    assert "is it known" not in drafted(tmp_path, frame).text


def test_an_easy_target_is_nobodys_leak(tmp_path: Path, rng):
    """Where many columns know a part, no single one is asked about, however good a model of them all is."""
    y = rng.integers(0, 2, ROWS)
    parts = {f"c{i}": (2 * y + rng.normal(size=ROWS)).round(3) for i in range(12)}
    assert "is it known" not in drafted(tmp_path, pd.DataFrame({**parts, "y": y})).text


def test_failure_modes_are_asked_about_each(tmp_path: Path, rng):
    """A machine fails by one of several modes: each column of a mode decides a few rows, by rule."""
    modes = {name: rng.random(ROWS) < share for name, share in (("heat", 0.01), ("power", 0.01), ("wear", 0.02))}
    y = np.logical_or.reduce([*modes.values(), rng.random(ROWS) < 0.005])
    frame = pd.DataFrame({"torque": rng.normal(40, 9, ROWS).round(1), **{k: v.astype(int) for k, v in modes.items()}})
    draft = drafted(tmp_path, frame.assign(y=y.astype(int)))
    for name in modes:
        assert "rows with 1 are positive, of all rows" in said_of(draft, name)
    assert "is it known" not in said_of(draft, "torque")


def test_a_value_without_which_nothing_happened_is_asked_about(tmp_path: Path, rng):
    """Whoever is in the file of a second offence may offend within two years, and nobody else does."""
    y = rng.integers(0, 2, ROWS)
    is_recid = np.where(y == 1, 1, rng.random(ROWS) < 0.2).astype(int)
    draft = drafted(tmp_path, pd.DataFrame({"age": rng.integers(18, 70, ROWS), "is_recid": is_recid, "y": y}))
    assert "is it known" in said_of(draft, "is_recid")


def test_an_amount_that_only_the_lost_have_is_asked_about(tmp_path: Path, rng):
    """Money recovered after a default: zero for nearly all, and more for none but the defaulted."""
    y = (rng.random(ROWS) < 0.15).astype(int)
    recovered = np.where((y == 1) & (rng.random(ROWS) < 0.6), rng.uniform(10, 900, ROWS).round(2), 0.0)
    draft = drafted(tmp_path, pd.DataFrame({"rate": rng.normal(size=ROWS).round(2), "recovered": recovered, "y": y}))
    assert "are positive, of all rows" in said_of(draft, "recovered")


@pytest.mark.parametrize("present", [13, 16])
def test_a_number_that_has_no_ranges_is_drafted_all_the_same(tmp_path: Path, present: int):
    """Too few values to divide into ranges: nothing is asked, and nothing breaks."""
    values = [float(i * 37 % 41) if i < present else None for i in range(40)]
    draft = drafted(tmp_path, pd.DataFrame({"x": values, "y": [i % 2 for i in range(40)]}))
    assert "x" in draft.contract.features


def test_two_columns_that_know_the_target_together_are_found_by_a_small_model(tmp_path: Path, rng):
    """Neither says much alone; the model of all columns is nearly perfect with them, and ignorant without."""
    first, second = rng.normal(size=(2, ROWS)).round(3)
    frame = pd.DataFrame({"other": rng.normal(size=ROWS).round(3), "first": first, "second": second})
    draft = drafted(tmp_path, frame.assign(y=((first > 0) != (second > 0)).astype(int)))
    asked = [name for name in ("first", "second", "other") if "a small model explains" in said_of(draft, name)]
    assert asked in (["first"], ["second"], ["first", "second"])


def test_dates_after_the_outcome_are_not_offered_as_durations(tmp_path: Path, rng):
    """A date that follows the row's own moment only where the target is positive: no duration may be made of it."""
    y = rng.integers(0, 2, ROWS)
    made = [START + timedelta(hours=i) for i in range(ROWS)]
    closed = [moment + timedelta(days=3 if label else -3) for moment, label in zip(made, y, strict=True)]
    born = [START - timedelta(days=int(days)) for days in rng.integers(7000, 20000, ROWS)]
    frame = pd.DataFrame({"x": rng.normal(size=ROWS).round(2), "made": made, "closed": closed, "born": born, "y": y})
    for name in ("made", "closed", "born"):
        frame[name] = [moment.strftime("%Y-%m-%dT%H:%M:%S") for moment in frame[name]]
    draft = drafted(tmp_path, frame, time="made")
    assert "no duration either" in said_of(draft, "closed")
    assert "put that in its place" in said_of(draft, "born")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_blanks_among_numbers_are_missing_numbers(tmp_path: Path, rng, kind: str):
    """A column of texts, all numbers but for some blanks, is a number that may be missing, whatever the file's kind."""
    frame = pd.DataFrame({"total": rng.normal(50, 9, ROWS).round(2).astype(str), "y": rng.integers(0, 2, ROWS)})
    frame.loc[:10, "total"] = " "
    path = tmp_path / f"data.{kind}"
    frame.to_csv(path, index=False) if kind == "csv" else frame.to_parquet(path)
    feature = draft_contract(path, target="y").contract.features["total"]
    assert (feature.type, feature.nullable) == ("number", True)


@pytest.mark.parametrize(
    ("rows", "hours", "predictions", "cooldown"),
    [(100_000, 24, 200, 7), (152, 48, 200, 7), (30, 240, 200, 14), (5, 720, 100, 80), (1, 1800, 50, 90)],
)
def test_a_pace_has_its_policy(rows: int, hours: int, predictions: int, cooldown: int):
    """Slow files get windows that hold enough, then fewer predictions, and a cooldown that labels can fill."""
    pace = Pace.suiting(rows)
    assert (pace.lookback_hours, pace.minimum_predictions, pace.cooldown_days) == (hours, predictions, cooldown)
    assert pace.rows * pace.lookback_hours / 24 >= pace.minimum_predictions


def test_a_draft_proposes_the_policy_of_its_files_pace(tmp_path: Path, rng):
    """Fifty rows a day, one of which claims to be of another millennium; without times nothing is proposed."""
    made = [(START + timedelta(days=i / 50)).strftime("%Y-%m-%dT%H:%M:%S") for i in range(ROWS)]
    frame = pd.DataFrame({"made": made, "x": rng.normal(size=ROWS), "y": rng.integers(0, 2, ROWS)})
    frame.loc[3, "made"] = "9999-01-01T00:00:00"
    policy = drafted(tmp_path, frame, time="made").contract.policy
    assert (policy.monitoring.lookback_hours, policy.gates.cooldown_days) == (6 * 24, 8)
    assert "lookback_hours" not in drafted(tmp_path, frame.drop(columns="made")).text


def test_rows_that_come_by_the_month_are_looked_at_by_the_month():
    """A thousand rows on the first of each month: a day's window would be empty on thirty of them."""
    months = np.arange(np.datetime64("2024-01"), np.datetime64("2026-01")).astype("datetime64[us]")
    assert Pace.of(np.repeat(months, 1000)).lookback_hours == 31 * 24


def proposed_id(draft: Draft) -> str | None:
    """The column of the proposal, taken at its word."""
    if "# id_column" not in draft.text:
        return None
    return parse_contract(draft.text.replace("# id_column", "id_column")).model.id_column


@pytest.mark.parametrize(
    ("columns", "proposed"),
    [
        ({"loan_id": [f"L-{row:05}" for row in range(300)]}, "loan_id"),
        ({"serial": np.arange(300) * 7 % 300 + 1, "order id": np.arange(300)}, "order id"),
        ({"serial": np.arange(300) * 7 % 300 + 1}, "serial"),
        ({"id": [*range(299), 0]}, None),
        ({"id": [*map(str, range(299)), ""]}, None),
        ({"email": [f"{row}@example.org" for row in range(300)]}, None),
        ({"remark": [f"no {row}" for row in range(300)]}, None),
        ({"seconds": np.arange(300) * 60}, None),
        ({"made": [f"2025-01-01 {row // 60:02}:{row % 60:02}:00" for row in range(300)]}, None),
    ],
    ids=str,
)
def test_a_column_that_is_another_in_every_row_is_proposed_as_the_id(
    tmp_path: Path, rng, columns, proposed: str | None
):
    """By its name first; nothing that repeats, is missing, tells a person, a time or a story."""
    frame = pd.DataFrame({**columns, "x": rng.normal(size=300).round(2), "y": np.arange(300) % 3 % 2})
    assert proposed_id(drafted(tmp_path, frame)) == proposed


@pytest.mark.skipif(not FIELD.exists(), reason="the field cases aren't here")
def test_the_ids_of_a_field_case_are_left_out():
    """Appointments by patient and number, as a clinic keeps them."""
    draft = draft_contract(FIELD / "ids-as-features" / "ids.csv", target="No_show", time="ScheduledDay")
    assert {"PatientId", "AppointmentID"} <= set(draft.left_out)
    assert 'feature = "Gender"' in draft.text
    assert proposed_id(draft) == "AppointmentID"
