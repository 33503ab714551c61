"""The benchmark's bars on results whose answer is known."""

from datetime import UTC, datetime, timedelta

from infra.backtest.records import Backtest, Metrics, Period, PeriodResult, PolicyResult, Refusal, Settings
from tests.benchmarks.healing.bars import bars
from tests.benchmarks.healing.histories import DRIFTING, STEADY
from tests.benchmarks.healing.replays import LARGEST, TIMED
from tests.benchmarks.healing.table import comparison, refusals

START = datetime(2026, 1, 1, tzinfo=UTC)
METRICS = Metrics(rows=100, auc=0.8, f1=0.5, brier=0.2, logloss=0.6)


def policy(regained: float, promotions: float, harmful: float = 0, retrainings: float = 10) -> PolicyResult:
    return PolicyResult(
        auc=0.8,
        f1=0.5,
        brier=0.2,
        logloss=0.6,
        retrainings=retrainings,
        promotions=promotions,
        rejections=0,
        rollbacks=0,
        harmful_promotions=harmful,
        regained=regained,
        training_seconds=30.0,
        per_period=(PeriodResult(**METRICS.model_dump(), period=1, versions=("v0",)),),
    )


def replay(healed: PolicyResult, seconds: float = 100.0) -> Backtest:
    rivals = {
        "always_held_out": policy(0.8, 10),
        "random": policy(0.3, 5),
        "periodic-5": policy(0.5, 4, retrainings=10),
    }
    return Backtest(
        dataset="d",
        contract="c",
        rows=100,
        settings=Settings(periods=10, initial=0.2, label_delay=1, label_rate=1.0, seed=0, runs_per_period=1),
        periods=tuple(
            Period(number=number, start=START, end=START + timedelta(days=1), rows=10, positives=5, delivered=5)
            for number in range(1, 11)
        ),
        policies={"healed": healed, **rivals},
        verdict="so",
        seconds=1.0,
        policy_seconds={"healed": seconds},
    )


def held(healed: PolicyResult, steady: PolicyResult) -> dict[str, bool | None]:
    keys = [f"rate={rate},seed=0" for rate in ("1.0", "0.4")]
    results = {name: {key: replay(healed) for key in keys} for name in DRIFTING}
    results[LARGEST][TIMED.key] = replay(healed)
    results[STEADY] = {key: replay(steady) for key in keys}
    return {bar.name: bar.holds for bar in bars(results)}


def test_all_bars_hold_where_healing_does_well():
    """75 % of 80 % with seven of ten promotions, quicker than four minutes, and calm where nothing changes."""
    assert all(held(policy(0.75, 7), policy(0.0, 1)).values())


def test_each_bar_falls_by_its_own_cause():
    """Too little regained, too many promotions, too much harm, a restless steady history: each is named."""
    fallen = {name for name, holds in held(policy(0.6, 9, harmful=2), policy(0.0, 2, harmful=1)).items() if not holds}
    assert {name.removeprefix("rate 1.0: ") for name in fallen if not name.startswith("rate 0.4")} == {
        "regains 90 % of always_held_out, pooled",
        "and 80 % on each",
        "at most three quarters of its promotions",
        "at most 10 % of promotions harmful",
        f"{STEADY}: no harmful promotion",
        f"{STEADY}: at most one promotion per ten periods",
    }


def test_four_minutes_are_of_the_replay_that_ran_alone():
    """The bar looks at the timed replay and at no other one."""
    name = f"{LARGEST}: 100000 rows healed in under 4 minutes"
    slow, quick = replay(policy(0.75, 7), seconds=241.0), replay(policy(0.75, 7), seconds=239.0)
    for timed, other, holds in ((quick, slow, True), (slow, quick, False)):
        found = bars({LARGEST: {TIMED.key: timed, "rate=1.0,seed=0": other}})
        assert [bar.holds for bar in found if bar.name == name] == [holds]


def test_a_rival_that_retrains_less_is_not_beaten_by_retraining_more():
    """Better than periodic-5 means at no more retrainings than its own."""
    fallen = {name for name, holds in held(policy(0.75, 7, retrainings=11), policy(0.0, 1)).items() if not holds}
    assert fallen == {f"rate {rate}: better than periodic-5" for rate in ("1.0", "0.4")}


def test_the_table_names_every_policy_that_was_measured():
    """One line a policy, with what was regained and promoted."""
    full = replay(policy(0.75, 7))
    everyone = {name: policy(0.5, 2, harmful=1) for name in ("frozen", "always", "seed-gates", "oracle")}
    full = full.model_copy(update={"policies": {**full.policies, **everyone}})
    lines = comparison({"elec2": {"rate=1.0,seed=0": full}}).splitlines()
    assert "| healed | 0.2000, 75%; 7 (0) |" in lines
    assert "| frozen | 0.2000 |" in lines


def test_what_a_gate_costs_is_counted_where_it_alone_refused():
    """Two refusals by gate 7 alone, one of them wrongly; a third had two gates against it, a skip had none.

    What another seed repeats counts once.
    """
    refused = [(("paired_evidence",), 0.03), (("paired_evidence",), -0.01), (("metric_gain", "paired_evidence"), 0.5)]
    events = tuple(
        Refusal(period=1, at=START, kind="reject", version="v", reason="so", gates=gates, gain=gain)
        for gates, gain in [*refused, ((), None)]
    )
    healed = policy(0.75, 7).model_copy(update={"refusals": events})
    twice = {"rate=1.0,seed=0": replay(healed), "rate=1.0,seed=1": replay(healed)}
    lines = refusals({"elec2": twice, STEADY: {"rate=0.4,seed=0": replay(healed)}})
    assert "| paired_evidence | 3 | 2 | 1 of 2 | +0.0100 |" in lines
    assert "| metric_gain | 1 | 0 | | |" in lines
