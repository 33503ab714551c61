"""How often the gates let equal, worse and better models in, and how often probation takes a version back.

    python -m tests.benchmarks.gates [--trials N]

Models are trained on disjoint draws of the same rows, many and few; two good ones that differ by less than 0.2 % of
their Brier score (over 50,000 rows that none has seen) are equal, one that is at least 7 % higher is worse. A trial
draws fresh labelled rows and judges a pair; for "better" it judges the pair of "worse" the other way round.
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from infra.simulation.credit import credit_rows
from selfheal.contract import Contract, default_contract
from selfheal.data.files import load_dataset
from selfheal.gates import EvidenceRows, judge
from selfheal.gates.offline import best_threshold
from selfheal.healing.probation import e_process
from selfheal.records.ledger import Circumstances, GateResult
from tests.benchmarks.drift.worlds import GMSC

OUTPUT = Path("build/bench/gates.json")
SIZES = (200, 500, 1000, 2000, 5000)
PAIRS = 20
EQUAL_WITHIN = 0.002
WORSE_BY = (0.07, 0.15)
UNSEEN = 50_000
GOOD_ROWS, GOOD_MODELS = 12_000, 14
PROBATION_LABELS = 5_000
PROBATION_WORSE_BY = 0.012
UTILISATION = "RevolvingUtilizationOfUnsecuredLines"
CALM = Circumstances(judged_at=datetime(2026, 1, 1, tzinfo=UTC), last_move=None, predictions=10_000, coverage=0.9)

type Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scores:
    """One model's answers on all unseen rows."""

    probabilities: Floats
    predictions: NDArray[np.int8]
    brier: float


@dataclass(frozen=True)
class World:
    """Unseen rows, the models' answers on them, and pairs (production, shadow) by what the shadow model is."""

    labels: NDArray[np.int8]
    segments: pd.DataFrame
    pairs: dict[str, list[tuple[Scores, Scores]]]
    good: Scores
    broken: Scores


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--trials", type=int, default=2000)
    given = arguments.parse_args()
    began = time.monotonic()
    sources: dict[str, Callable[[], tuple[pd.DataFrame, NDArray[np.int8]]]] = {"generator": generated}
    if GMSC.exists():
        sources = {"gmsc": lambda: from_file(GMSC), **sources}
    found: dict[str, dict] = {"promoted": {}, "promoted_seed_gates": {}}
    for name, read in sources.items():
        world = world_of(*read())
        tables = promoted(world, given.trials)
        for table, rates in zip(("promoted", "promoted_seed_gates"), tables, strict=True):
            found[table][name] = rates
        if "rolled_back" not in found:
            found["rolled_back"] = rolled_back(world, given.trials)
    found["gate_7_alone"] = {name: rates.pop("paired_brier_equal") for name, rates in found["promoted"].items()}
    found["trials"], found["seconds"] = given.trials, round(time.monotonic() - began)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    report(found)


def generated() -> tuple[pd.DataFrame, NDArray[np.int8]]:
    return credit_rows(np.random.default_rng(7), 150_000)


def from_file(file: Path) -> tuple[pd.DataFrame, NDArray[np.int8]]:
    rows = load_dataset(file, default_contract(), end=CALM.judged_at)
    order = np.random.default_rng(7).permutation(len(rows))
    return rows.features.iloc[order].reset_index(drop=True), rows.labels[order]


def world_of(features: pd.DataFrame, labels: NDArray[np.int8]) -> World:
    """Train the models on the rows that aren't kept back."""
    unseen, unseen_labels = features.iloc[:UNSEEN].reset_index(drop=True), labels[:UNSEEN]
    rng = np.random.default_rng(8)

    def model(rows: int) -> HistGradientBoostingClassifier:
        drawn = UNSEEN + rng.choice(len(labels) - UNSEEN, rows, replace=False)
        boosting = HistGradientBoostingClassifier(max_iter=60, learning_rate=0.08, max_leaf_nodes=15, random_state=0)
        return boosting.fit(features.iloc[drawn], labels[drawn])

    good_models = [model(GOOD_ROWS) for _ in range(GOOD_MODELS)]
    good = [scores(known, unseen, unseen_labels) for known in good_models]
    weak = [scores(model(rows), unseen, unseen_labels) for rows in np.geomspace(250, 4000, 60).astype(int)]
    broken = scores(good_models[0], unseen.assign(**{UTILISATION: 100 * unseen[UTILISATION]}), unseen_labels)
    worse = [pair for pair in product_of(good, weak) if WORSE_BY[0] <= excess(*pair) <= WORSE_BY[1]]
    equal = [pair for pair in product_of(good, good) if pair[0] is not pair[1] and abs(excess(*pair)) < EQUAL_WITHIN]
    return World(
        unseen_labels,
        unseen[["age"]],
        {"equal": some(equal, rng), "worse": some(worse, rng), "better": [(b, a) for a, b in some(worse, rng)]},
        good[0],
        broken,
    )


def scores(model: HistGradientBoostingClassifier, features: pd.DataFrame, labels: NDArray[np.int8]) -> Scores:
    """A model's answers; its operating point is chosen on 5,000 rows (few enough of those that trials draw from)."""
    probabilities = model.predict_proba(features)[:, 1]
    threshold = best_threshold(labels[:5000], probabilities[:5000])
    brier = float(np.mean((probabilities - labels) ** 2))
    return Scores(probabilities, (probabilities >= threshold).astype(np.int8), brier)


def product_of(first: list[Scores], second: list[Scores]) -> list[tuple[Scores, Scores]]:
    return [(a, b) for a in first for b in second]


def excess(production: Scores, shadow: Scores) -> float:
    return shadow.brier / production.brier - 1


def some(pairs: list[tuple[Scores, Scores]], rng: np.random.Generator) -> list[tuple[Scores, Scores]]:
    if len(pairs) < PAIRS:
        raise SystemExit(f"only {len(pairs)} pairs of models differ as they should; {PAIRS} are needed")
    return [pairs[position] for position in rng.permutation(len(pairs))[: 2 * PAIRS]]


def promoted(world: World, trials: int) -> tuple[dict, dict]:
    """Shares of trials by kind and size: all gates and the paired test alone, gates 1 to 6 on points."""
    contract = default_contract()
    rates: dict[str, dict[str, float]] = {}
    seed: dict[str, dict[str, float]] = {}
    for kind, pairs in world.pairs.items():
        for size in SIZES:
            verdicts = [judged(world, pair, size, contract, seed=trial) for trial, pair in cycled(pairs, trials)]
            put(rates, kind, size, [all(gate.passed for gate in gates) for gates, _ in verdicts])
            put(rates, f"paired_brier_{kind}", size, [gates[6].passed for gates, _ in verdicts])
            put(seed, kind, size, [passes for _, passes in verdicts])
    del rates["paired_brier_worse"]
    return rates, seed


def put(rates: dict[str, dict[str, float]], kind: str, size: int, passed: list[bool]) -> None:
    rates.setdefault(kind, {})[str(size)] = round(float(np.mean(passed)), 4)


def cycled(pairs: list[tuple[Scores, Scores]], trials: int) -> list[tuple[int, tuple[Scores, Scores]]]:
    return [(trial, pairs[trial % len(pairs)]) for trial in range(trials)]


def judged(
    world: World, pair: tuple[Scores, Scores], size: int, contract: Contract, seed: int
) -> tuple[tuple[GateResult, ...], bool]:
    """All seven gates on freshly drawn rows, and whether six gates on point estimates would promote."""
    drawn = np.random.default_rng([size, seed]).choice(len(world.labels), size, replace=False, shuffle=False)
    rows = evidence(world, pair, drawn)
    gates = judge(rows, CALM, contract.policy.gates, contract.segments)
    f1 = [f1_of(rows.labels, predictions) for predictions in (rows.production_prediction, rows.shadow_prediction)]
    is_gain = f1[1] >= (1 + contract.policy.gates.minimum_gain) * f1[0]
    drop = gates[5].value
    is_harmless = drop is None or drop <= contract.policy.gates.maximum_segment_f1_drop
    return gates, all(gate.passed for gate in gates[:3]) and is_gain and gates[4].passed and is_harmless


def evidence(world: World, pair: tuple[Scores, Scores], drawn: NDArray[np.intp]) -> EvidenceRows:
    production, shadow = pair
    return EvidenceRows(
        row_ids=drawn.astype(object),
        timestamps=np.zeros(len(drawn), dtype="datetime64[us]"),
        labels=world.labels[drawn],
        production_probability=production.probabilities[drawn],
        shadow_probability=shadow.probabilities[drawn],
        production_prediction=production.predictions[drawn],
        shadow_prediction=shadow.predictions[drawn],
        weights=np.ones(len(drawn)),
        segments=world.segments.iloc[drawn],
    )


def f1_of(labels: NDArray[np.int8], predictions: NDArray[np.int8]) -> float:
    return 2 * float((labels & predictions).sum()) / max(float(labels.sum() + predictions.sum()), 1.0)


def rolled_back(world: World, trials: int) -> dict[str, float]:
    """Shares of probations that end in a roll back: equal looked at 5,000 times, worse by 3,000, broken by 1,000."""
    noisy = worse_by(world, PROBATION_WORSE_BY)
    return {
        "equal": reached(world, world.pairs["equal"], PROBATION_LABELS, trials),
        "worse": reached(world, [(world.good, noisy)], 3000, trials),
        "broken": reached(world, [(world.good, world.broken)], 1000, trials),
    }


def reached(world: World, pairs: list[tuple[Scores, Scores]], labels: int, trials: int) -> float:
    significance = default_contract().policy.probation.significance
    hits = 0
    for trial, (previous, new) in cycled(pairs, trials):
        drawn = np.random.default_rng([labels, trial]).choice(len(world.labels), labels, replace=False)
        truth = world.labels[drawn]
        loss = [(model.probabilities[drawn] - truth) ** 2 for model in (new, previous)]
        hits += e_process(loss[0] - loss[1]).max() >= 1 / significance
    return round(float(hits / trials), 4)


def worse_by(world: World, increase: float) -> Scores:
    """The good model with noise on its log odds, as much as raises its Brier score by so much."""
    noise = np.random.default_rng(9).standard_normal(len(world.labels))
    odds = np.log(world.good.probabilities / (1 - world.good.probabilities))
    low, high = 0.0, 10.0
    for _ in range(30):
        middle = (low + high) / 2
        spoilt = 1 / (1 + np.exp(-(odds + middle * noise)))
        is_below = np.mean((spoilt - world.labels) ** 2) < world.good.brier + increase
        low, high = (middle, high) if is_below else (low, middle)
    return Scores(spoilt, world.good.predictions, world.good.brier + increase)


def report(found: dict) -> None:
    print(f"{'':42}" + "".join(f"{size:>8}" for size in SIZES))
    for table in ("promoted", "promoted_seed_gates"):
        for source, rates in found[table].items():
            for kind, by_size in rates.items():
                print(f"{table.removeprefix('promoted_')[:10]:11}{source:10}{kind:22}"[:42].ljust(42), end="")
                print("".join(f"{rate:8.3f}" for rate in by_size.values()))
    print(f"rolled back: {found['rolled_back']}; {found['trials']} trials each, {found['seconds']} s -> {OUTPUT}")


if __name__ == "__main__":
    main()
