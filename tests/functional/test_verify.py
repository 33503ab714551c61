"""`verify` recomputes what the registry claims, and names the first thing that is off."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from selfheal.composition import Stores
from selfheal.errors import LedgerBroken, ReferenceTampered, SelfhealError, VerificationFailed
from selfheal.records.healing import Verdict
from selfheal.records.ledger import LedgerEntry
from selfheal.usecases.check_probation import check_probation
from selfheal.usecases.conclude import conclude
from selfheal.usecases.evaluate_gates import evaluate_gates
from selfheal.usecases.promote import force_promotion
from selfheal.usecases.verify import verify
from tests.support.healing import DAY, START, FakeNotifications, healed_environment, healing_of, traffic, trained

LATER = START + 10 * DAY


def eventful() -> Stores:
    """A bootstrap, a rejection, a promotion by gates, a rollback in probation, a forced promotion."""
    stores, healing = healed_environment()
    traffic(stores, since=START + 9 * DAY, rows=300)
    judged = evaluate_gates(stores, healing, trained(), LATER)
    early = evaluate_gates(stores, healing, trained(), START + 9.1 * DAY)
    assert (early.kind, judged.kind) == ("reject", "promote")
    conclude(stores, healing, early, START + 9.1 * DAY)
    conclude(stores, healing_of(stores, "v1-1"), judged, LATER)
    traffic(stores, since=LATER, rows=300, slope=-2.0, seed=1)
    check_probation(stores, FakeNotifications(), LATER + DAY)
    force_promotion(stores, "v2", reason="I know better", actor="ann", now=LATER + 2 * DAY)
    return stores


@pytest.fixture(scope="module")
def past() -> dict[str, bytes]:
    """Every object of an eventful registry."""
    registry = eventful().registry_bucket
    return {key: registry.get(key).body for key in registry.keys("")}


@pytest.fixture
def stores(past: dict[str, bytes]) -> Stores:
    fresh, _ = healed_environment()
    for key, body in past.items():
        fresh.registry_bucket.put(key, body)
    return fresh


def test_a_whole_registry_is_found_whole(stores: Stores):
    """Five decisions, four of them with outcomes, three versions; two gate verdicts and one of probation recomputed."""
    found = verify(stores)
    assert (found.entries, found.versions, found.artefacts, found.verdicts) == (9, 3, 11, 3)


def rewrite(stores: Stores, key: str, change: Callable[[dict[str, Any]], None]) -> None:
    content = json.loads(stores.registry_bucket.get(key).body)
    change(content)
    stores.registry_bucket.put(key, json.dumps(content).encode())


def rewrite_ledger(stores: Stores, change: Callable[[dict[str, Any]], None]) -> None:
    """Change entries and forge all hashes after them, as somebody who can write anywhere would."""
    previous = "0" * 64
    for key in list(stores.registry_bucket.keys("ledger/")):
        content = json.loads(stores.registry_bucket.get(key).body)
        change(content)
        forged = LedgerEntry.model_validate(content | {"previous_hash": previous}).sealed()
        stores.registry_bucket.put(key, forged.to_json())
        previous = forged.hash


def key_of(stores: Stores, prefix: str, suffix: str = "") -> str:
    return next(key for key in stores.registry_bucket.keys(prefix) if key.endswith(suffix))


def test_a_changed_ledger_entry_is_named(stores: Stores):
    """One word changed in a decision breaks its hash."""
    key = "ledger/000000000003.json"
    rewrite(stores, key, lambda entry: entry["decision"].update(reason="because"))
    with pytest.raises(LedgerBroken, match=key):
        verify(stores)


def test_a_missing_ledger_entry_is_named(stores: Stores):
    """Gaps can't be hidden: the numbers don't fit any more."""
    bodies = {key: stores.registry_bucket.get(key).body for key in stores.registry_bucket.keys("ledger/")}
    del stores.registry_bucket._objects["ledger/000000000004.json"]
    with pytest.raises(LedgerBroken, match="entry 4 belongs"):
        verify(stores)
    assert len(bodies) == 9


def test_a_changed_artefact_is_named(stores: Stores):
    """Another model.json than was written."""
    key = key_of(stores, "models/v2", "model.json")
    stores.registry_bucket.put(key, stores.registry_bucket.get(key).body + b" ")
    with pytest.raises(ReferenceTampered, match=r"model\.json of version v2"):
        verify(stores)


def test_a_changed_manifest_is_named(stores: Stores):
    """A manifest that was rewritten, hashes and all, isn't the one that was promoted."""
    rewrite(stores, "models/v2/manifest.json", lambda manifest: manifest.update(threshold=0.9))
    with pytest.raises(VerificationFailed, match="manifest of v2"):
        verify(stores)


def test_changed_evidence_is_named(stores: Stores):
    """Evidence has the hash that the decision records, or it is none."""
    key = next(known.evidence.key for known in stores.ledger.decisions() if known.evidence)
    stores.registry_bucket.put(key, b"something else")
    with pytest.raises(ReferenceTampered, match=key):
        verify(stores)


def lie_about_the_gates(entry: dict[str, Any]) -> None:
    if entry["decision"] and entry["decision"]["kind"] == "reject":
        for gate in entry["decision"]["gates"]:
            gate["passed"] = True


def lie_about_a_value(entry: dict[str, Any]) -> None:
    if entry["decision"] and entry["decision"]["gates"]:
        entry["decision"]["gates"][3]["value"] += 0.01


def promote_against_the_gates(entry: dict[str, Any]) -> None:
    if entry["decision"] and entry["decision"]["kind"] == "reject":
        entry["decision"]["kind"] = "promote"


def lose_the_evidence(entry: dict[str, Any]) -> None:
    if entry["decision"] and entry["decision"]["kind"] == "promote":
        entry["decision"]["evidence"] = None


@pytest.mark.parametrize(
    ("lie", "named"),
    [
        (lie_about_the_gates, "gate sufficient_samples of decision v1-0"),
        (lie_about_a_value, "gate metric_gain of decision v1-0"),
        (promote_against_the_gates, "against its own gates"),
        (lose_the_evidence, "has no evidence"),
    ],
)
def test_a_forged_chain_is_caught_by_its_evidence(stores: Stores, lie: Callable[[dict[str, Any]], None], named: str):
    """Somebody rewrites a verdict and every hash after it: the evidence disagrees."""
    rewrite_ledger(stores, lie)
    with pytest.raises(VerificationFailed, match=named):
        verify(stores)


def test_a_pointer_that_no_decision_set_is_named(stores: Stores):
    """Production moved by hand, behind the ledger's back."""
    rewrite(stores, "pointers/production.json", lambda pointer: pointer.update(version="v1"))
    with pytest.raises(VerificationFailed, match="production is v1 by no decision"):
        verify(stores)


def test_whatever_is_off_is_an_error_of_ours(stores: Stores):
    """A manifest that is gone is named, too."""
    del stores.registry_bucket._objects["models/v1/manifest.json"]
    with pytest.raises(SelfhealError, match="v1"):
        verify(stores)


def test_a_promotion_without_evidence_is_caught():
    """Only a forced promotion goes without."""
    stores, healing = healed_environment()
    conclude(stores, healing, Verdict(version="v2", kind="promote", reason="", gates=(), evidence=None), LATER)
    with pytest.raises(VerificationFailed, match="v1-0"):
        verify(stores)
