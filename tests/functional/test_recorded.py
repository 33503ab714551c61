"""What one small life of an environment leaves behind, held against what was recorded of an earlier release."""

import json
import re
from typing import Any

import pytest

from selfheal.usecases.registry.verify import verify
from tests.support.small_life import RECORDED, SmallLife, texts_of

RECORDS = json.loads(RECORDED.read_text(encoding="utf-8"))
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.])")
# Records that later releases may add fields to; their readers ignore what they don't know.
GROWING = ("ledger/", "models/")


@pytest.fixture(scope="module")
def texts(small_life: SmallLife) -> dict[str, str]:
    return texts_of(small_life)


def test_the_same_objects_are_written(texts: dict[str, str]):
    """Neither more nor fewer, under the same keys."""
    assert list(texts) == list(RECORDS)


@pytest.mark.parametrize("key", RECORDS)
def test_a_record_is_written_as_it_was(texts: dict[str, str], key: str):
    """Each text byte for byte; its numbers to nine digits, since processors differ in the last ones."""
    written, recorded = _comparable(key, texts[key]), _comparable(key, RECORDS[key])
    assert NUMBER.sub("#", written) == NUMBER.sub("#", recorded)
    numbers = [[float(number) for number in NUMBER.findall(text)] for text in (written, recorded)]
    assert numbers[0] == pytest.approx(numbers[1], rel=1e-9, abs=1e-9)


def test_the_same_history_through_a_stream_leaves_the_same_behind(texts: dict[str, str]):
    """Summaries, verdicts, models, ledger and messages don't depend on which log the predictions came through."""
    streamed = SmallLife(streamed=True)
    streamed.live()
    assert texts_of(streamed) == texts


def test_every_verdict_of_that_life_follows_from_its_evidence(small_life: SmallLife):
    """Two healings that promote; all is as it was written, and each verdict is recomputed from its rows."""
    assert verify(small_life.stores).verdicts == 2


def _comparable(key: str, text: str) -> str:
    """A record that may grow without the fields that it didn't have when it was recorded."""
    if not (key.startswith(GROWING) and key.endswith(".json")) or key.endswith("/model.json"):
        return text
    return json.dumps(_without_new_fields(json.loads(text), json.loads(RECORDS[key])))


def _without_new_fields(written: Any, recorded: Any) -> Any:
    if isinstance(written, dict) and isinstance(recorded, dict):
        return {name: _without_new_fields(part, recorded[name]) for name, part in written.items() if name in recorded}
    if isinstance(written, list) and isinstance(recorded, list):
        return [_without_new_fields(*both) for both in zip(written, recorded, strict=True)]
    return written
