"""Log lines from which an unwritten log object can be put back: each at most 200 KB, numbered, in any order."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any

import orjson

from selfheal.records.predictions import is_prediction_id, prediction_id

KIND = "selfheal-replay"
START = f'{{"kind":"{KIND}",'
LINE_LIMIT = 200_000
# A character takes at most four bytes, an escaped one two; the rest of a line takes less than 8,000.
CHARACTERS = 48_000


@dataclass(frozen=True, slots=True)
class Replayed:
    """What lines hold of one request: the log object's bytes, None where a part is missing."""

    request_id: str
    body: bytes | None


@dataclass(frozen=True, slots=True)
class _Part:
    request_id: str
    part: int
    parts: int
    body: str


_FIELDS = {"request_id": str, "part": int, "parts": int, "body": str}


def replay_lines(request_id: str, body: bytes) -> list[str]:
    """The lines that hold a request's log object."""
    text = body.decode()
    pieces = [text[start : start + CHARACTERS] for start in range(0, len(text), CHARACTERS)]
    return [
        orjson.dumps({"kind": KIND, **asdict(_Part(request_id, part, len(pieces), piece))}).decode()
        for part, piece in enumerate(pieces, start=1)
    ]


def replayed(lines: Iterable[str]) -> list[Replayed]:
    """The requests that a log holds, by request id; a line may carry a prefix, repeat, or lie in a JSON log record."""
    parts: defaultdict[str, dict[int, _Part]] = defaultdict(dict)
    for line in lines:
        for found in _parts(line):
            parts[found.request_id][found.part] = found
    return [Replayed(request_id, _joined(parts[request_id])) for request_id in sorted(parts)]


def _joined(parts: dict[int, _Part]) -> bytes | None:
    count = next(iter(parts.values())).parts
    if parts.keys() != set(range(1, count + 1)):
        return None
    return "".join(parts[part].body for part in sorted(parts)).encode()


def _parts(line: str) -> Iterator[_Part]:
    start = line.find(START)
    if start >= 0:
        yield from _part(_object_at(line, start))
    elif KIND in line:
        # A log that wraps what a function prints holds it as a string.
        wrapping = _object_at(line, line.find("{"))
        yield from chain.from_iterable(_parts(value) for value in wrapping.values() if isinstance(value, str))


def _part(found: dict[str, Any]) -> Iterator[_Part]:
    # Anything else is a line that was cut, or made by something else.
    if all(isinstance(found.get(name), kind) for name, kind in _FIELDS.items()):
        part = _Part(**{name: found[name] for name in _FIELDS})
        if is_prediction_id(prediction_id(part.request_id, 0)):
            yield part


def _object_at(line: str, start: int) -> dict[str, Any]:
    try:
        found, _ = json.JSONDecoder().raw_decode(line, max(start, 0))
    except json.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
