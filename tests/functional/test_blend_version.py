"""The version that is promoted: a blend of what was trained, served as one model, and recomputed from its evidence."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from selfheal.errors import VerificationFailed
from selfheal.gates.evidence import evidence_from_parquet, evidence_to_parquet
from selfheal.models.formats import model_of
from selfheal.records.healing import Healing
from selfheal.records.manifest import Manifest
from selfheal.stores.collection import Stores
from selfheal.usecases.heal.conclude import conclude
from selfheal.usecases.heal.evaluate_gates import evaluate_gates
from selfheal.usecases.heal.evidence import read_evidence
from selfheal.usecases.heal.members import trained_versions
from selfheal.usecases.registry.verify import verify
from tests.support.healing import CONTRACT, DAY, START, healed_environment, healing_of, traffic, trained, write_version

LATER = START + 10 * DAY


@pytest.fixture
def promoted() -> tuple[Stores, Manifest]:
    """v2, right about x, was judged beside v1, which is blind to it; their blend is in production."""
    stores, healing = healed_environment()
    traffic(stores, since=START + 9 * DAY, rows=1000)
    return stores, promote(stores, healing)


def promote(stores: Stores, healing: Healing) -> Manifest:
    verdict = evaluate_gates(stores, healing, trained(), LATER)
    conclude(stores, healing, verdict, LATER)
    assert verdict.kind == "promote"
    return stores.models.manifest(stores.pointer.read().pointer.version)


def test_what_is_promoted_answers_as_the_weighted_mean_of_its_members(promoted: tuple[Stores, Manifest]):
    """One model.json: the mean of 2x and 0 in log-odds, half each while the newcomer is new."""
    stores, blend = promoted
    assert blend.kind == "blend"
    assert [member.version for member in blend.members] == ["v2", "v1"]
    weights = [member.weight for member in blend.members]
    assert weights == pytest.approx([0.5, 0.5])
    x = np.linspace(-2, 2, 9)
    said = model_of(blend, stores.models.artefact).probabilities_of({"x": x, "group": np.full(9, "a", dtype=object)})
    assert said == pytest.approx(expit(weights[0] * 2 * x))


def test_a_blend_promises_what_its_members_did_on_rows_they_had_not_seen(promoted: tuple[Stores, Manifest]):
    """Its Brier score is that of the evidence, and its card names the members."""
    stores, blend = promoted
    decision = list(stores.ledger.decisions())[-1]
    rows = read_evidence(stores, decision.evidence)
    assert blend.metrics["brier"] == pytest.approx(np.mean((rows.shadow_probability - rows.labels) ** 2))
    card = stores.models.artefact(blend, "card.html")
    assert b"v2" in card
    assert b"v1" in card


def test_a_blend_is_no_member_of_the_next_one(promoted: tuple[Stores, Manifest]):
    """Members are what was trained, so that a version isn't counted twice."""
    stores, _ = promoted
    assert [one.version for one in trained_versions(stores, CONTRACT)] == ["v2", "v1"]


def test_a_blend_that_its_newcomer_makes_worse_is_refused():
    """v3 is right about x and would carry the blend; the newest version, the wrong way round, is all that is new."""
    stores, healing = healed_environment()
    write_version(stores, "v3", slope=-2.0, created_at=START + DAY, newest=START + 9.4 * DAY)
    traffic(stores, since=START + 9 * DAY, rows=1000)
    verdict = evaluate_gates(stores, healing, trained("v3"), LATER)
    assert verdict.kind == "reject"
    assert "metric_gain" in [gate.gate for gate in verdict.gates if not gate.passed]


def test_an_evaluation_done_twice_writes_one_blend():
    """A retry finds the version that is there."""
    stores, healing = healed_environment()
    traffic(stores, since=START + 9 * DAY, rows=1000)
    first, again = (evaluate_gates(stores, healing, trained(), LATER) for _ in range(2))
    assert first.version == again.version
    assert len(list(stores.models.versions())) == 3


def test_a_rejected_healing_writes_no_blend():
    """The world is the other way round: v2 is worse than v1, and is itself what was rejected."""
    stores, healing = healed_environment()
    traffic(stores, since=START + 9 * DAY, rows=1000, slope=-2.0)
    verdict = evaluate_gates(stores, healing, trained(), LATER)
    assert (verdict.kind, verdict.version) == ("reject", "v2")
    assert list(stores.models.versions()) == ["v1", "v2"]


def test_the_ledger_verifies_a_blend_and_its_weights(promoted: tuple[Stores, Manifest]):
    """Answers, weights and gates are recomputed from the evidence alone."""
    stores, _ = promoted
    assert verify(stores).verdicts == 1


def test_answers_that_no_member_gave_are_seen():
    """A blend's answer in the evidence was made up: verification names the decision."""
    stores, healing = healed_environment()
    traffic(stores, since=START + 9 * DAY, rows=1000)
    verdict = evaluate_gates(stores, healing, trained(), LATER)
    rows = read_evidence(stores, verdict.evidence)
    made_up = rows.shadow_probability.copy()
    made_up[0] = 1 - made_up[0]
    key, sha256 = stores.evidence.write("forged", evidence_to_parquet(replace(rows, shadow_probability=made_up)))
    forged = verdict.evidence.model_copy(update={"key": key, "sha256": sha256})
    conclude(stores, healing, verdict.model_copy(update={"evidence": forged}), LATER)
    with pytest.raises(VerificationFailed, match="answers that its members don't give"):
        verify(stores)


def test_a_blend_of_other_members_than_its_evidence_weighs_is_seen():
    """What was promoted isn't what the rows spoke for."""
    stores, healing = healed_environment()
    traffic(stores, since=START + 9 * DAY, rows=1000)
    verdict = evaluate_gates(stores, healing, trained(), LATER)
    conclude(stores, healing, verdict.model_copy(update={"version": "v2"}), LATER)
    with pytest.raises(VerificationFailed, match="the members of v2"):
        verify(stores)


def test_evidence_keeps_its_members():
    """Versions, answers with their gaps, operating points: as they were written."""
    stores, _ = healed_environment()
    traffic(stores, since=START + 9 * DAY, rows=300)
    verdict = evaluate_gates(stores, healing_of(stores), trained(), LATER)
    rows = read_evidence(stores, verdict.evidence)
    again = evidence_from_parquet(evidence_to_parquet(rows)).members
    assert again.versions == ("v2", "v1")
    assert again.thresholds.tolist() == [0.5, 0.5]
    np.testing.assert_array_equal(again.probabilities, rows.members.probabilities)
