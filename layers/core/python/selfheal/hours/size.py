"""How large an hour of the log is, by the names and sizes of its objects, and into what parts it is divided."""

from collections.abc import Iterator, Mapping

# As many objects as one function reads in a minute, at some 800 a second.
LARGE_OBJECTS = 50_000
# Lines of a million predictions of ten features or so: one function needs some 900 MB to roll them up.
LARGE_BYTES = 400_000_000
# A part, with room to spare in a function of 1,769 MB and 15 minutes. A stream's object has 128 MB of lines at most.
PART_OBJECTS = 20_000
PART_BYTES = 128_000_000
# Bytes of lines in a byte that a stream delivers: rather too many, so that parts come out smaller than they may be.
EXPANSION, COMPRESSED = 10, ".gz"

# The objects of an hour by key, in the order of a listing, with their sizes in bytes.
type Objects = Mapping[str, int]


def is_large(objects: Objects) -> bool:
    """Whether the objects are more than one function should hold."""
    return len(objects) > LARGE_OBJECTS or sum(map(_lines, objects.keys(), objects.values())) > LARGE_BYTES


def parts_of(objects: Objects) -> Iterator[tuple[str, ...]]:
    """The keys part by part: as many neighbours as fit, and one object at the least."""
    part: list[str] = []
    size = 0
    for key, stored in objects.items():
        lines = _lines(key, stored)
        if part and (size + lines > PART_BYTES or len(part) >= PART_OBJECTS):
            yield tuple(part)
            part, size = [], 0
        part.append(key)
        size += lines
    if part:
        yield tuple(part)


def _lines(key: str, stored: int) -> int:
    """Bytes of an object's lines."""
    return stored * EXPANSION if key.endswith(COMPRESSED) else stored
