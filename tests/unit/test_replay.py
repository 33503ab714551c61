"""Replay lines: a log object that couldn't be written comes back byte by byte."""

import json

from hypothesis import given
from hypothesis import strategies as st

from selfheal.replay import CHARACTERS, KIND, LINE_LIMIT, Replayed, replay_lines, replayed

A, B = "01KJKBP0Y0ECGN4B354JGSDT2A", "01KJKBP0Y0ECGN4B354JGSDT2B"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_body_survives(text: str):
    """Whatever the features hold."""
    body = text.encode() or b"\n"
    (found,) = replayed(replay_lines(A, body))
    assert found.body == body


def test_no_line_is_longer_than_the_limit():
    """In the worst cases: characters of four bytes, and characters that have to be escaped."""
    for character in ("\U0001f600", '"', "\\", "\x01", "a"):
        body = json.dumps(character * CHARACTERS * 2, ensure_ascii=False).encode()
        lines = replay_lines(A, body)
        assert max(len(line.encode()) for line in lines) <= LINE_LIMIT
        assert replayed(lines)[0].body == body


def test_lines_may_be_shuffled_repeated_prefixed_wrapped_and_mixed():
    """CloudWatch's exports put a time before a line, a JSON log format puts the line into a string."""
    first, second = replay_lines(A, b"x" * CHARACTERS * 2), replay_lines(B, b"y")
    wrapped = json.dumps({"timestamp": "2026-03-01T12:00:00Z", "message": second[0]})
    log = ["START RequestId: 1", "{broken", "2026-03-01T12:00:00 " + first[1], wrapped, first[0], first[0], "{}"]
    assert [(r.request_id, r.body) for r in replayed(log)] == [(A, b"x" * CHARACTERS * 2), (B, b"y")]


def test_a_missing_part_is_told():
    """Half a request isn't put back."""
    lines = replay_lines(A, b"x" * CHARACTERS * 3)
    assert [found.body for found in replayed(lines[:1] + lines[2:])] == [None]


def test_what_only_looks_like_a_replay_line_is_passed_over():
    """A cut line, another program's object, a mention in a message: no request comes of them."""
    (whole,) = replay_lines(A, b"x")
    others = [
        whole[:-1],
        whole.replace('"part"', '"side"'),
        whole.replace('"part":1', '"part":"1"'),
        whole.replace(A, "../models/x"),
        whole.replace("01KJ", "7ZZZ"),
        f"about {KIND} {{",
        f'["{KIND}"]',
        f'{{"message": "{KIND}"}}',
    ]
    assert replayed(others) == []
    assert replayed([f"[{{INFO}}] {whole}\n"]) == [Replayed(A, b"x")]
