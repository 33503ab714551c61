"""How often the gates let a single model in: one against another, on freshly drawn rows."""

import numpy as np
from numpy.typing import NDArray

from selfheal.contract import Contract
from selfheal.gates import EvidenceRows, judge_gates
from selfheal.records.ledger import GateResult
from tests.benchmarks.gates.circumstances import CALM
from tests.benchmarks.gates.worlds import Scores, World

SIZES = (200, 500, 1000, 2000, 5000)


def promoted(world: World, trials: int) -> tuple[dict, dict]:
    """Shares of trials by kind and size: all gates and the paired test alone, gates 1 to 6 on points."""
    contract = world.kind.contract
    rates: dict[str, dict[str, float]] = {}
    seed: dict[str, dict[str, float]] = {}
    for kind, pairs in world.pairs.items():
        for size in SIZES:
            verdicts = [judged(world, pair, size, contract, seed=trial) for trial, pair in cycled(pairs, trials)]
            put(rates, kind, size, [all(gate.passed for gate in gates) for gates, _ in verdicts])
            put(rates, f"paired_loss_{kind}", size, [gates[6].passed for gates, _ in verdicts])
            put(seed, kind, size, [passes for _, passes in verdicts])
    del rates["paired_loss_worse"]
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
    gates = judge_gates(rows, CALM, contract.policy.gates, contract.segments)
    metric = rows.task.gate_metrics[contract.policy.gates.gain_metrics[0]]
    before, after = rows.sums(metric, np.zeros(size, dtype=np.intp))
    is_gain = float(metric.gain(before, after)[0]) >= contract.policy.gates.minimum_gain
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
        task=world.kind.task,
    )
