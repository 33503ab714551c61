"""Large hours by their numbers: when an hour is one, how it is divided, and what lies in two of its parts."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from selfheal.hours.repeats import Seen, repeated
from selfheal.hours.size import EXPANSION, LARGE_BYTES, LARGE_OBJECTS, PART_BYTES, PART_OBJECTS, is_large, parts_of
from selfheal.tables.sample import id_hashes

SIZES = st.lists(st.integers(0, 2 * PART_BYTES), max_size=40)


@given(SIZES)
def test_each_object_is_in_one_part_and_no_part_is_larger_than_it_may_be(sizes: list[int]):
    """In order, none left out; a part is beyond its bytes only where it is one object, and could take no other."""
    objects = {f"{number:04d}.jsonl": size for number, size in enumerate(sizes)}
    parts = list(parts_of(objects))
    assert [key for part in parts for key in part] == list(objects)
    held = [sum(objects[key] for key in part) for part in parts]
    assert all(size <= PART_BYTES or len(part) == 1 for size, part in zip(held, parts, strict=True))
    following = [objects[part[0]] for part in parts[1:]]
    assert all(size + first > PART_BYTES for size, first in zip(held, following, strict=False))


def test_an_hour_is_large_by_its_objects_or_by_its_lines():
    """Just above each limit and not at it; a compressed byte stands for several."""
    many = {f"{number}.jsonl": 1 for number in range(LARGE_OBJECTS)}
    assert not is_large(many)
    assert is_large({**many, "one more": 1})
    assert not is_large({"a.jsonl": LARGE_BYTES})
    assert is_large({"a.jsonl": LARGE_BYTES, "b.jsonl": 1})
    assert is_large({"a.jsonl.gz": LARGE_BYTES // EXPANSION + 1})
    assert len(next(parts_of(many))) == PART_OBJECTS


@given(st.lists(st.lists(st.integers(0, 30).map(str), unique=True), max_size=6))
def test_of_what_lies_in_several_parts_the_first_one_keeps_it(parts: list[list[str]]):
    """Whatever the parts: together they keep each id once, in the first part that has it."""
    ids = [np.array(part, dtype=object) for part in parts]
    seen = Seen(repeated(map(id_hashes, ids)))
    kept = [part[seen.are_new(part)].tolist() for part in ids]
    assert sorted(key for part in kept for key in part) == sorted(set().union(*parts))
    assert all(key not in part for number, some in enumerate(kept) for key in some for part in parts[:number])
