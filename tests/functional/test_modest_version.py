"""Where versions were too sure of themselves, a model that passes goes into production less sure of itself."""

from collections.abc import Callable

import orjson
import pytest

from selfheal.composition import Stores
from selfheal.errors import StoreUnavailable
from selfheal.records.healing import Verdict
from selfheal.records.manifest import Confidence
from selfheal.stores.bucket import StoredObject
from selfheal.stores.memory import MemoryBucket
from selfheal.stores.registry import SERVING
from selfheal.usecases.conclude import conclude, promote_first
from selfheal.usecases.evaluate_gates import evaluate_gates
from selfheal.usecases.evidence import judged_until
from selfheal.usecases.roll_back import roll_back
from selfheal.usecases.second_look import refused_for_want_of_evidence
from selfheal.usecases.verify import verify
from tests.support.healing import DAY, HOUR, START, healing_of, memory_stores, traffic, trained, write_version

NOW = START + 10 * DAY
SINCE = START + 9 * DAY
HALF = Confidence(slope=0.5, centre=0.0, answers=1000)


def environment(*, v2: float, modest: float, stores: Stores | None = None) -> Stores:
    """v1 (blind to x) in production; v2 and its modest version, with their slopes in x."""
    stores = stores or memory_stores()
    promote_first(stores, write_version(stores, "v1", slope=0.0), now=START, actor="test")
    write_version(stores, "v2-modest", slope=modest, evaluation_from=SINCE, confidence=HALF)
    write_version(stores, "v2", slope=v2, evaluation_from=SINCE, modest="v2-modest")
    return stores


def healed(stores: Stores, shadow: str = "v2", execution: str = "v1-0", now: object = NOW) -> Verdict:
    """The verdict of a healing that trained `shadow`, as the ledger has it."""
    healing = healing_of(stores, execution, now)
    since = stores.models.manifest(shadow).evaluation_from
    verdict = evaluate_gates(stores, healing, trained(shadow, since), now)
    conclude(stores, healing, verdict, now)
    return verdict


def test_the_modest_version_is_promoted_where_both_pass():
    """The decision is about the version that answers from now on, on the same rows, and recomputes."""
    stores = environment(v2=2.0, modest=1.0)
    traffic(stores, since=SINCE, rows=800)
    verdict = healed(stores)
    assert (verdict.version, verdict.kind) == ("v2-modest", "promote")
    assert "as it was fitted it passes too" in verdict.reason
    assert stores.pointer.read().pointer.version == "v2-modest"
    assert verify(stores).verdicts == 1


def test_a_modest_version_that_does_not_pass_leaves_the_model_as_it_was_fitted():
    """Drawn so far that it is worse than production, it stays out, and the reason says so; v2 goes in."""
    stores = environment(v2=2.0, modest=-0.5)
    traffic(stores, since=SINCE, rows=800)
    verdict = healed(stores)
    assert (verdict.version, verdict.kind) == ("v2", "promote")
    assert "its modest version doesn't pass: " in verdict.reason


def test_no_modest_version_gets_in_where_its_model_does_not():
    """v2 is wrong about x and is refused; that its modest version would pass by itself helps nobody."""
    stores = environment(v2=-2.0, modest=1.0)
    traffic(stores, since=SINCE, rows=800)
    verdict = healed(stores)
    assert (verdict.version, verdict.kind) == ("v2", "reject")


def without_artefacts(body: bytes) -> bytes:
    return orjson.dumps(orjson.loads(body) | {"artefacts": {}})


@pytest.mark.parametrize(
    ("name", "damaged"),
    [(SERVING, lambda _: b"{}"), ("manifest.json", lambda _: b"{}"), ("manifest.json", without_artefacts)],
)
def test_a_modest_version_that_cannot_be_read_stops_nothing(name: str, damaged: Callable[[bytes], bytes]):
    """Somebody damaged it: v2 is promoted as it was fitted."""
    stores = environment(v2=2.0, modest=1.0)
    key = f"models/v2-modest/{name}"
    stores.registry_bucket.put(key, damaged(stores.registry_bucket.get(key).body))
    traffic(stores, since=SINCE, rows=800)
    verdict = healed(stores)
    assert (verdict.version, verdict.kind) == ("v2", "promote")
    assert "couldn't be judged" in verdict.reason


def test_a_registry_that_does_not_answer_makes_nobody_surer():
    """While the modest version can't be fetched the evaluation fails as a whole, and is tried again."""
    registry = SilentBucket()
    stores = environment(v2=2.0, modest=1.0, stores=Stores(MemoryBucket(), registry))
    traffic(stores, since=SINCE, rows=800)
    registry.silent_about = f"models/v2-modest/{SERVING}"
    with pytest.raises(StoreUnavailable):
        healed(stores)
    registry.silent_about = ""
    assert healed(stores).version == "v2-modest"


class SilentBucket(MemoryBucket):
    """Doesn't answer when it is asked for one of its keys."""

    silent_about = ""

    def get(self, key: str) -> StoredObject:
        if key == self.silent_about:
            raise StoreUnavailable(f"{key} couldn't be read")
        return super().get(key)


def test_the_rows_that_judged_a_modest_version_have_judged_its_model():
    """A person goes from v2-modest to v2: what gated the one may not judge the challenger of the other."""
    stores = environment(v2=2.0, modest=1.0)
    traffic(stores, since=SINCE, rows=800)
    healed(stores)
    decisions = stores.ledger.decisions()
    assert judged_until(decisions, "v2") == judged_until(decisions, "v2-modest")


def test_a_second_look_promotes_the_modest_version_too_and_there_is_no_third():
    """v2, refused for want of evidence, is promoted modestly later and taken back: it has had its chance."""
    stores = environment(v2=0.5, modest=0.4)
    traffic(stores, since=SINCE, rows=200, slope=0.5)
    assert healed(stores).kind == "reject"
    write_version(stores, "v3", slope=-0.5, evaluation_from=NOW + HOUR)
    traffic(stores, since=NOW, rows=800, slope=0.5, seed=1)
    verdict = healed(stores, "v3", "v1-1", NOW + 2 * DAY)
    assert (verdict.version, verdict.kind, verdict.also_judged.version) == ("v2-modest", "promote", "v3")
    assert "v2, refused before for want of evidence, has proved itself on 800 rows since" in verdict.reason
    roll_back(stores, None, reason="complaints", actor="ann", now=NOW + 3 * DAY)
    assert refused_for_want_of_evidence(stores.ledger.decisions(), "v1") is None
    assert verify(stores).verdicts == 3
