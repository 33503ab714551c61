"""What the Firehose stream sends, beside what boto3 sends for the same; how lines travel together; how it fails."""

import base64
import json

import boto3
import pytest
from botocore.config import Config
from hypothesis import given
from hypothesis import strategies as st

from selfheal.errors import StoreUnavailable
from selfheal.stores.firehose import LINES, RECORD_BYTES, TRIES, FirehoseStream, records_of
from tests.support.recorder import Recorder, recording

REGION = "eu-central-1"
TAKEN = {"FailedPutCount": 0, "Encrypted": True, "RequestResponses": [{"RecordId": "1"}]}


@pytest.fixture
def recorder():
    with recording() as server:
        yield server


@pytest.fixture(autouse=True)
def credentials(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session-token")


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def stream(recorder, pauses) -> FirehoseStream:
    return FirehoseStream("predictions", region=REGION, endpoint=recorder.endpoint, pause=pauses.append)


def answers(recorder: Recorder, *contents: dict) -> None:
    recorder.answers += [(200, json.dumps(content).encode()) for content in contents]


def records_in(request: dict) -> list[bytes]:
    return [base64.b64decode(record["Data"]) for record in json.loads(request["body"])["Records"]]


def refusing(*places: int, of: int) -> dict:
    told = [{"ErrorCode": "ServiceUnavailableException"} if n in places else {"RecordId": str(n)} for n in range(of)]
    return {"FailedPutCount": len(places), "RequestResponses": told}


def test_it_asks_as_boto3_does(recorder, stream):
    """The same operation, the same body, signed for the same service and region."""
    answers(recorder, TAKEN, TAKEN)
    stream.put([b"{}", b"[]"])
    client = boto3.Session().client(
        "firehose", region_name=REGION, endpoint_url=recorder.endpoint, config=Config(retries={"max_attempts": 0})
    )
    client.put_record_batch(DeliveryStreamName="predictions", Records=[{"Data": b"{}\n[]\n"}])
    ours, theirs = recorder.requests
    assert json.loads(ours["body"]) == json.loads(theirs["body"])
    for name in ("x-amz-target", "content-type", "x-amz-security-token"):
        assert ours["headers"][name] == theirs["headers"][name]
    scopes = [request["headers"]["authorization"].split(",")[0].split("/")[2:] for request in (ours, theirs)]
    assert scopes[0] == scopes[1] == [REGION, "firehose", "aws4_request"]


@given(st.lists(st.binary(min_size=1, max_size=50).map(bytes.hex).map(str.encode), max_size=1200))
def test_records_hold_every_line_once_and_in_order(lines):
    """Whole lines, never more of them than Firehose takes apart again."""
    records = list(records_of(lines))
    assert b"".join(records).splitlines() == lines
    assert all(0 < record.count(b"\n") <= LINES for record in records)


def test_what_is_more_than_one_call_may_hold_goes_in_several(recorder, stream):
    """Ten thousand lines of 450 bytes: records below a megabyte, calls below four, in base64 as well."""
    lines = [str(number).encode().rjust(450) for number in range(10_000)]
    answers(recorder, *[TAKEN] * 2)
    stream.put(lines)
    assert len(recorder.requests) == 2
    assert all(len(request["body"]) < 4 * 2**20 for request in recorder.requests)
    records = [record for request in recorder.requests for record in records_in(request)]
    assert max(map(len, records)) <= RECORD_BYTES
    assert b"".join(records).splitlines() == lines


def test_what_is_refused_is_tried_again_and_nothing_else(recorder, stream, pauses):
    """Of three records the second is refused twice: it alone comes again, each time after a short pause."""
    lines = [letter * 600_000 for letter in (b"a", b"b", b"c")]
    answers(recorder, refusing(1, of=3), refusing(0, of=1), TAKEN)
    stream.put(lines)
    assert [len(records_in(request)) for request in recorder.requests] == [3, 1, 1]
    assert records_in(recorder.requests[2]) == [lines[1] + b"\n"]
    assert len(pauses) == 2
    assert max(pauses) < 0.05


def test_what_stays_refused_is_told(recorder, stream):
    """After three times, with the stream's own word for it."""
    answers(recorder, *[refusing(0, of=1)] * TRIES)
    with pytest.raises(StoreUnavailable, match=r"refused 1 of 1 records: ServiceUnavailableException"):
        stream.put([b"{}"])


def test_a_stream_that_isn_t_there_is_told(recorder, stream):
    """The service's word, not ours."""
    recorder.answers = [(400, b'{"__type": "com.amazonaws#ResourceNotFoundException"}')]
    with pytest.raises(StoreUnavailable, match="400 ResourceNotFoundException"):
        stream.put([b"{}"])


def test_a_line_too_long_for_any_record_is_refused_before_anything_is_sent(recorder, stream):
    """A megabyte of text in one row: the caller's lines go elsewhere, whole."""
    with pytest.raises(StoreUnavailable, match="too long"):
        stream.put([b"{}", b"x" * RECORD_BYTES])
    assert recorder.requests == []
