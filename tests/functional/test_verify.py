"""`verify` recomputes what the registry claims, and names the first thing that is off."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from selfheal.errors import LedgerBroken, ReferenceTampered, SelfhealError, VerificationFailed
from selfheal.records.healing import Verdict
from selfheal.records.ledger import LedgerEntry
from selfheal.stores.collection import Stores
from selfheal.stores.memory import MemoryBucket
from selfheal.stores.pointer import KEY as POINTER
from selfheal.usecases.heal.conclude import conclude
from selfheal.usecases.heal.evaluate_gates import evaluate_gates
from selfheal.usecases.monitor.check_probation import check_probation
from selfheal.usecases.registry.pause import pause
from selfheal.usecases.registry.promote import force_promotion
from selfheal.usecases.registry.roll_back import roll_back
from selfheal.usecases.registry.verify import verify
from selfheal.usecases.serve.production_model import ProductionModel
from tests.support.healing import (
    DAY,
    START,
    FakeNotifications,
    healed_environment,
    healing_of,
    traffic,
    trained,
    write_version,
)

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
    check_probation(stores, stores.ledger.story(), FakeNotifications(), LATER + DAY)
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
        stores.registry_bucket.put(f"ledger-seals/{forged.sequence:012d}.sha256", forged.hash.encode())
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
    with pytest.raises(ReferenceTampered, match=key):
        verify(stores)


def test_a_changed_manifest_is_named(stores: Stores):
    """A manifest that was rewritten, hashes and all, isn't the one that was promoted."""
    rewrite(stores, "models/v2/manifest.json", lambda manifest: manifest.update(threshold=0.9))
    with pytest.raises(ReferenceTampered, match=r"models/v2/manifest\.json"):
        verify(stores)
    forge_seal(stores, "v2")
    with pytest.raises(VerificationFailed, match=r"models/v2/manifest\.json isn't the manifest of decision"):
        verify(stores)


def forge_seal(stores: Stores, version: str) -> None:
    body = stores.registry_bucket.get(f"models/{version}/manifest.json").body
    stores.registry_bucket.put(f"models/{version}/manifest.sha256", hashlib.sha256(body).hexdigest().encode())


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


@pytest.mark.parametrize(
    "change",
    [
        {"previous_version": "v-other"},
        {"promoted_at": "2020-01-01T00:00:00Z"},
        {"last_pause": 2},
        {"decision_id": "v1-1"},
    ],
    ids=str,
)
def test_a_changed_pointer_is_named(stores: Stores, change: dict[str, Any]):
    """Each field of the pointer is what the decision that it names made of it."""
    rewrite(stores, POINTER, lambda pointer: pointer.update(change))
    with pytest.raises(VerificationFailed, match=POINTER):
        verify(stores)


def test_a_rollback_goes_to_the_version_that_the_ledger_names(stores: Stores):
    """A pointer that was changed by hand doesn't decide what comes back."""
    write_version(stores, "v-other", slope=0.0)
    rewrite(stores, POINTER, lambda pointer: pointer.update(previous_version="v-other"))
    assert roll_back(stores, None, reason="r", actor="ann", now=LATER + 3 * DAY).version == "v1"


def test_a_pointer_at_a_pause_is_whole(stores: Stores):
    """A pause marks the pointer, which `verify` knows from the ledger."""
    pause(stores, reason="an incident", actor="ann", now=LATER + 3 * DAY)
    assert json.loads(stores.registry_bucket.get(POINTER).body)["last_pause"] == 10
    verify(stores)


@pytest.mark.parametrize("key", ["ledger/000000000004.json", "ledger/000000000009.json"], ids=["amid", "the last"])
def test_an_entry_that_is_gone_is_noticed_by_readers_too(stores: Stores, key: str):
    """The chain says it of one in the middle, the seals of the last one; a pause can't be taken away like that."""
    del stores.registry_bucket._objects[key]
    stores.registry_bucket._keys.remove(key)
    with pytest.raises(LedgerBroken, match="is missing"):
        verify(stores)
    with pytest.raises(LedgerBroken, match="is missing"):
        force_promotion(stores, "v1", reason="r", actor="ann", now=LATER + 3 * DAY)


def test_a_chain_that_was_forged_as_a_whole_doesn_t_fit_its_seals(stores: Stores):
    """Every hash is right again, but the seals hold those that were written."""
    sealed = {key: stores.registry_bucket.get(key).body for key in stores.registry_bucket.keys("ledger-seals/")}
    rewrite_ledger(stores, lambda entry: entry["decision"] and entry["decision"].update(actor="bob"))
    for key, body in sealed.items():
        stores.registry_bucket.put(key, body)
    with pytest.raises(LedgerBroken, match=r"ledger-seals/000000000001\.sha256"):
        verify(stores)


def test_a_seal_whose_writer_died_is_made_up_for(stores: Stores):
    """The newest entry may lack its seal; the next append writes both."""
    stores.registry_bucket._objects.pop("ledger-seals/000000000009.sha256")
    stores.registry_bucket._keys.remove("ledger-seals/000000000009.sha256")
    verify(stores)
    pause(stores, reason="an incident", actor="ann", now=LATER + 3 * DAY)
    assert len(list(stores.registry_bucket.keys("ledger-seals/"))) == 10
    verify(stores)


@pytest.mark.parametrize("damage", [lambda body: body.replace(b"0.5", b"0.6"), lambda body: body[:-1], None])
def test_a_manifest_of_a_version_that_never_moved_is_named(stores: Stores, damage: Callable[[bytes], bytes] | None):
    """Changed, cut or gone: v3 was trained, and no decision is about it."""
    key = "models/v3/manifest.json"
    write_version(stores, "v3", slope=1.0)
    verify(stores)
    if damage is None:
        del stores.registry_bucket._objects[key]
        stores.registry_bucket._keys.remove(key)
    else:
        stores.registry_bucket.put(key, damage(stores.registry_bucket.get(key).body))
    with pytest.raises(SelfhealError, match=key):
        verify(stores)


def test_a_rejected_version_is_known_by_its_manifest():
    """The decision that rejects a version holds the hash of its manifest, as one that promotes it does."""
    stores, healing = healed_environment()
    traffic(stores, since=START + 9 * DAY, rows=300)
    verdict = evaluate_gates(stores, healing, trained(), START + 9.1 * DAY)
    assert conclude(stores, healing, verdict, LATER).decision.kind == "reject"
    rewrite(stores, "models/v2/manifest.json", lambda manifest: manifest.update(threshold=0.9))
    forge_seal(stores, "v2")
    with pytest.raises(VerificationFailed, match=r"models/v2/manifest\.json"):
        verify(stores)


@pytest.mark.parametrize("key", ["ledger/000000000003.json", POINTER, "models/v1/manifest.json"])
@pytest.mark.parametrize("damaged", [b"", b"{}", b"[", b"\xff"])
def test_what_cannot_be_read_is_named(stores: Stores, key: str, damaged: bytes):
    """An object that is empty, cut or no JSON is an error of ours with its key, whoever reads it."""
    stores.registry_bucket.put(key, damaged)
    with pytest.raises(SelfhealError, match=key):
        verify(stores)


def test_a_served_manifest_is_of_the_version_asked_for(stores: Stores):
    """The manifest of another version under v2's key is refused by the predictor, not answered from."""
    stores.registry_bucket.put("models/v2/manifest.json", stores.registry_bucket.get("models/v1/manifest.json").body)
    with pytest.raises(ReferenceTampered, match=r"models/v2/manifest\.json is the manifest of 'v1'"):
        stores.models.manifest("v2")
    with pytest.raises(ReferenceTampered, match=r"models/v2/manifest\.json"):
        ProductionModel(stores.pointer, stores.models, 15).current(LATER)


def test_a_served_manifest_is_the_one_that_was_promoted(stores: Stores):
    """A contract that was changed since isn't answered from: the pointer holds the hash of the manifest."""
    rewrite(stores, "models/v2/manifest.json", lambda manifest: manifest.update(threshold=0.9))
    with pytest.raises(ReferenceTampered, match=r"models/v2/manifest\.json isn't the manifest that was promoted"):
        ProductionModel(stores.pointer, stores.models, 15).current(LATER)


@pytest.mark.parametrize("damaged", [b"", b"{}"])
def test_whatever_is_off_is_an_error_of_ours(past: dict[str, bytes], damaged: bytes):
    """Every object of the registry, one after the other, damaged or gone: `verify` fails, and names one by its key."""
    last_seal = max(key for key in past if key.startswith("ledger-seals/"))
    for key in past:
        for body in (damaged, None):
            registry = MemoryBucket()
            for other, content in past.items():
                if other != key or body is not None:
                    registry.put(other, content if other != key else body)
            if body is None and (key == last_seal or key.endswith("manifest.sha256")):
                continue  # their writer may have died before it wrote them
            with pytest.raises(SelfhealError, match=r"(models|ledger|ledger-seals|evidence|pointers)/|bootstrap"):
                verify(Stores(MemoryBucket(), registry))


def test_a_promotion_without_evidence_is_caught():
    """Only a forced promotion goes without."""
    stores, healing = healed_environment()
    conclude(stores, healing, Verdict(version="v2", kind="promote", reason="", gates=(), evidence=None), LATER)
    with pytest.raises(VerificationFailed, match="v1-0"):
        verify(stores)
