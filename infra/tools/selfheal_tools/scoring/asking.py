"""One part of a file asked of the API: tried again under its key, without the rows that the API refuses."""

import hashlib
import json
import re
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

from selfheal.errors import SelfhealError
from selfheal_tools.signed_api import CallFailed

# A body may have five megabytes; Lambda takes six, in which a body may be written in base64.
MAXIMUM_BYTES = 4_000_000
# Seconds between attempts: half a minute in all.
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
AGAIN = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}
_ROW = re.compile(r"rows\.(\d+)\.?(.*)")


class ScoringStopped(SelfhealError):
    """The API answers no more: the same command goes on from where this one ended."""


class Api(Protocol):
    """What is asked."""

    def send(self, path: str, payload: bytes | None, headers: Mapping[str, str]) -> tuple[int, str]:
        """Status and text of an answer. Raises CallFailed where there is none."""
        ...


type Row = dict[str, Any]
type Sleep = Callable[[float], object]


@dataclass(frozen=True)
class Asked:
    """What became of n rows, by position: the prediction, or why there is none. unlogged: answered, not logged yet."""

    predictions: Mapping[int, Mapping[str, Any]]
    refusals: Mapping[int, str]
    unlogged: int


def ask(api: Api, rows: Sequence[Row], key: str, sleep: Sleep = time.sleep) -> Asked:
    """Ask for predictions of rows. `key` makes a retry one: the same rows under it are logged once, within two days.

    Raises:
        ScoringStopped: the API doesn't answer, or refuses more than rows.
    """
    predictions: dict[int, Mapping[str, Any]] = {}
    refusals: dict[int, str] = {}
    unlogged, waiting = 0, [list(range(len(rows)))] if rows else []
    while waiting:
        part = waiting.pop()
        body = json.dumps({"rows": [rows[row] for row in part]}, separators=(",", ":")).encode()
        if len(body) > MAXIMUM_BYTES and len(part) > 1:
            half = len(part) // 2
            waiting += [part[half:], part[:half]]
            continue
        status, answer = _answered(api, body, key, sleep)
        if status == HTTPStatus.OK:
            predictions.update(zip(part, _predictions(answer), strict=True))
            unlogged += 0 if answer["logged"] else len(part)
            continue
        refused = _refused(status, answer)
        refusals.update({part[row]: reason for row, reason in refused.items()})
        if rest := [row for number, row in enumerate(part) if number not in refused]:
            waiting.append(rest)
    return Asked(predictions, refusals, unlogged)


def _predictions(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**row, "model_version": answer["model_version"]} for row in answer["predictions"]]


def _answered(api: Api, body: bytes, key: str, sleep: Sleep) -> tuple[int, dict[str, Any]]:
    headers = {"idempotency-key": hashlib.sha256(key.encode() + b"\n" + body).hexdigest()}
    problem = ""
    for pause in (*PAUSES, None):
        try:
            status, text = api.send("/predict", body, headers)
        except CallFailed as error:
            problem = str(error)
        else:
            if status not in AGAIN:
                return status, json.loads(text)
            problem = f"the API answers {status}"
        if pause is not None:
            sleep(pause)
    raise ScoringStopped(f"{problem}, {len(PAUSES) + 1} times; the same command goes on from where this one ended")


def _refused(status: int, answer: dict[str, Any]) -> dict[int, str]:
    """The rows that an answer refuses, and why."""
    reasons: defaultdict[int, list[str]] = defaultdict(list)
    for error in answer.get("errors", []):
        if (found := _ROW.fullmatch(error["field"])) is not None:
            reasons[int(found[1])].append(f"{found[2]} {error['message']}".strip())
    if status != HTTPStatus.UNPROCESSABLE_CONTENT or not reasons:
        raise ScoringStopped(f"the API answers {status}: {answer.get('detail') or answer.get('message', '')}")
    return {row: "; ".join(told) for row, told in reasons.items()}
