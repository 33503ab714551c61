"""Releases come and go back: each reads the records of those before it and after it, or says that it can't."""

import json
from pathlib import Path

import pytest

from selfheal.errors import RecordIncompatible
from tests.support.records import every_record, example_of, of_the_future

# What this release writes, kept from the day that it did. Later releases add files of their own and change none.
RELEASES = sorted(Path(__file__).parent.glob("records_of_release_*.json"))
RECORDS = every_record()


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.__name__)
def test_a_record_with_fields_of_the_future_is_read_as_without_them(kind):
    """A deployment is rolled back: what the later release added, on whatever level, stops no reader."""
    record = example_of(kind)
    assert kind.model_validate_json(of_the_future(record)) == record


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.__name__)
def test_a_record_that_would_be_misread_is_refused_by_name(kind):
    """The message says which record, which version it has, and what to do."""
    later = of_the_future(example_of(kind), schema_version=7)
    with pytest.raises(RecordIncompatible, match=r"has schema version 7 and this release reads up to \d: deploy"):
        kind.model_validate_json(later)


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.stem)
def test_every_record_of_a_release_can_still_be_read(release):
    """What lies in S3 was written by every release that there ever was."""
    written = json.loads(release.read_text(encoding="utf-8"))
    kinds = {kind.__name__: kind for kind in RECORDS}
    for name, content in written.items():
        kinds[name].model_validate_json(json.dumps(content))


def test_every_record_of_this_release_is_kept():
    """A new kind of record joins the newest file, so that the releases after it are held to it."""
    kept = json.loads(RELEASES[-1].read_text(encoding="utf-8"))
    assert {kind.__name__ for kind in RECORDS} <= kept.keys()
