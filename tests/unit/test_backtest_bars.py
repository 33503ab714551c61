"""The healing benchmark's figures and bars on results whose answer is known."""

from dataclasses import replace

import pytest

from tests.benchmarks.healing.bars import bars
from tests.benchmarks.healing.histories import DRIFTING, STEADY, VISITED, VISITORS
from tests.benchmarks.healing.jobs import Job
from tests.benchmarks.healing.outcomes import Outcome, Refused
from tests.benchmarks.healing.results import Replays, summary
from tests.benchmarks.healing.table import comparison, other_kinds, refusals

ALWAYS = {"always": (0.8, 20, 3), "always_held_out": (0.78, 20, 2), "seed-gates": (0.75, 10, 1)}


def outcome(regained: float, promotions: float, harmful: float = 0, periods: tuple[float, ...] = (0.2,)) -> Outcome:
    return Outcome(
        loss=0.2, regained=regained, promotions=promotions, harmful=harmful, trainings=promotions, periods=periods
    )


def replay(healed: Outcome) -> dict[str, Outcome]:
    rivals = {name: outcome(*known) for name, known in ALWAYS.items()}
    return {"healed": healed, "frozen": outcome(0.0, 0), "oracle": outcome(1.0, 0), **rivals}


def replays(healed: Outcome, steady: Outcome, *, few: float = 0.6, visited: float = 0.2) -> Replays:
    found = {Job(name, rate=rate): replay(healed) for name in DRIFTING for rate in (1.0, 0.4)}
    found |= {Job(name, rows=rows): replay(outcome(few, 2)) for name in DRIFTING for rows in (2_000, 6_000)}
    found |= {Job(name, broken="inverted"): replay(healed) for name in DRIFTING}
    found[Job(STEADY)] = replay(steady)
    found[Job(f"{VISITORS}{VISITED[0]}")] = replay(outcome(0.5, 2, periods=(visited,)))
    return found


def fallen(found: Replays) -> set[str]:
    return {bar.name for bar in bars(found) if not bar.holds}


def test_all_bars_hold_where_healing_does_well():
    """As much as always with four promotions in ten, none harmful, and calm where nothing changes."""
    assert fallen(replays(outcome(0.8, 8), outcome(0.0, 1))) == set()


def test_each_bar_falls_by_its_own_cause():
    """Too little regained, too many promotions, too much harm, visitors, few rows: each is named."""
    found = replays(outcome(0.71, 10, harmful=1), outcome(0.0, 2, harmful=1), few=0.3, visited=0.27)
    assert fallen(found) == {
        "regains 100% of what always_held_out does",
        "regains 100% of what seed-gates does",
        "regains 97% of what always does",
        *(f"{name}: regains 90% of what always does" for name in DRIFTING),
        "at most 45% of the promotions of always",
        "at most 5% of promotions harmful",
        f"{STEADY}: no harmful promotion",
        "every fourth version inverted: at most 5% of promotions harmful",
        f"{VISITORS}{VISITED[0]}: no period above 1.3 times the frozen model's Brier score",
        "2000 rows: 40% of what always regains",
        "6000 rows: 65% of what always regains",
    }


def test_bars_without_replays_are_neither_held_nor_broken():
    """What wasn't measured is said to be so."""
    assert {bar.holds for bar in bars({})} == {None}


def test_histories_weigh_alike_in_what_is_pooled_and_promotions_are_counted():
    """One history with twice the replays counts once; spread is over its replays."""
    first, second, third = DRIFTING
    found = {
        Job(first, periods=15): replay(outcome(0.6, 5, harmful=1)),
        Job(first, periods=25): replay(outcome(0.8, 5)),
        Job(second): replay(outcome(0.1, 1)),
        Job(third): replay(outcome(0.0, 0)),
        Job(STEADY): replay(outcome(0.9, 7)),
    }
    told = summary(found)
    assert told["pooled"]["healed"]["regained"] == pytest.approx((0.7 + 0.1 + 0.0) / 3)
    assert (told["pooled"]["healed"]["promotions"], told["pooled"]["healed"]["harmful"]) == (11, 1)
    assert told["by_history"][first]["healed"]["spread"] == pytest.approx(0.1414, abs=1e-4)
    assert told["by_history"][STEADY]["healed"]["promotions"] == 7


def test_the_table_names_every_policy_that_was_measured():
    """One line a policy, with what was regained, its spread and what was promoted; the pooled figures stand last."""
    found = replays(outcome(0.75, 7), outcome(0.0, 1))
    lines = comparison(found).splitlines()
    ours = next(line for line in lines if line.startswith("| healed"))
    assert ours.startswith("| healed | 0.2000, 75% ± 0%; 7 (0) |")
    assert ours.endswith("| 75.0%; 42 (0.0%) |")
    assert any(line.startswith("| frozen | 0.2000 |") for line in lines)


def test_what_a_gate_costs_is_counted_where_it_alone_refused():
    """Two refusals by gate 7 alone, one of them wrongly; a third had two gates against it."""
    refused = [(("paired_evidence",), 0.03), (("paired_evidence",), -0.01), (("metric_gain", "paired_evidence"), 0.5)]
    events = tuple(Refused(gates=gates, gain=gain) for gates, gain in refused)
    healed = outcome(0.75, 7).model_copy(update={"refusals": events})
    lines = refusals({Job("elec2"): replay(healed), Job(STEADY): replay(healed)})
    assert "| paired_evidence | 3 | 2 | 1 of 2 | +0.0100 |" in lines
    assert "| metric_gain | 1 | 0 | | |" in lines


def test_every_replay_has_a_file_of_its_own():
    """Whatever two replays differ in is in their key."""
    job = Job("elec2")
    others = [replace(job, **changed) for changed in ({"periods": 15}, {"rate": 0.4}, {"rows": 9}, {"broken": "x"})]
    assert len({one.key for one in (job, *others)}) == 5


def test_other_kinds_of_target_are_told_apart_from_what_is_pooled():
    """Each in the metrics that people know; pooled figures and bars are of two values alone."""
    found = replays(outcome(0.8, 8), outcome(0.0, 1))
    metrics = {"rmse": 101.94, "mae": 70.0, "r2": 0.7, "relative_squared_error": 0.01}
    told = outcome(0.5, 4, harmful=1).model_copy(update={"loss": 0.01, "metrics": metrics})
    together = found | {Job("bike_hour"): {"healed": told, "frozen": told, "oracle": told}}
    assert summary(together) == summary(found)
    assert bars(together) == bars(found)
    healed, frozen = (line for line in other_kinds(together).splitlines() if line.startswith(("| healed", "| frozen")))
    assert healed == "| healed | RMSE 101.9, MAE 70, 50%; 4 (1) |"
    assert frozen == "| frozen | RMSE 101.9, MAE 70 |"


def test_replays_of_earlier_runs_are_read():
    """Their loss was called after what it was of two values."""
    written = {"brier": 0.2, "promotions": 1, "harmful": 0, "trainings": 1, "periods": [0.2]}
    assert Outcome.model_validate(written).loss == 0.2
