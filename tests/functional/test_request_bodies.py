"""How a body may be packed and written, and that no packing gets around the limit."""

import base64
import gzip
import json
import tracemalloc

import pytest

from predictor.body import MAXIMUM_BODY, json_text
from selfheal.errors import BodyTooLarge
from tests.support.serving import ROW, Reply, World, event, serving_world

TEXT = json.dumps({"rows": [ROW, {**ROW, "age": 60}]})
BOMB = gzip.compress(b" " * 100_000_000, 1)


def send(world: World, path: str, body: bytes, **headers: str) -> Reply:
    request = event("http_predict")
    request["rawPath"] = request["requestContext"]["http"]["path"] = path
    request["headers"] |= {name.replace("_", "-"): value for name, value in headers.items()}
    request["body"], request["isBase64Encoded"] = base64.b64encode(body).decode(), True
    return world.send(request)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (gzip.compress(TEXT.encode()), "gzip"),
        (gzip.compress(TEXT.encode()), " X-GZIP "),
        (TEXT.encode(), "identity"),
        (TEXT.encode("utf-8-sig"), ""),
        (TEXT.encode("utf-16"), ""),
        (TEXT.encode("utf-16-le"), ""),
        (TEXT.encode("utf-16-be"), ""),
        (gzip.compress(TEXT.encode("utf-16")), "gzip"),
    ],
)
def test_a_body_is_read_however_it_is_packed_and_written(body: bytes, encoding: str):
    """gzip, a byte-order mark and UTF-16 change nothing of the answer."""
    plain, packed = serving_world(), serving_world()
    expected = send(plain, "/predict", TEXT.encode()).json["predictions"]
    reply = send(packed, "/predict", body, content_encoding=encoding)
    assert reply.status == 200
    assert [row["probability"] for row in reply.json["predictions"]] == [row["probability"] for row in expected]
    assert len(packed.logged()) == 2


def test_a_retry_may_be_packed_otherwise():
    """A key belongs to what is asked, not to its packing."""
    world = serving_world()
    first = send(world, "/predict", TEXT.encode(), idempotency_key="k")
    again = send(world, "/predict", gzip.compress(TEXT.encode()), idempotency_key="k", content_encoding="gzip")
    assert again.json == first.json


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, gzip", "gzip\x00"])
def test_another_packing_is_a_415_that_names_gzip(encoding: str):
    """What isn't unpacked is refused as such, not as wrong JSON."""
    reply = send(serving_world(), "/predict", TEXT.encode(), content_encoding=encoding)
    assert (reply.status, reply.headers["content-type"]) == (415, "application/problem+json")
    assert "gzip" in reply.json["detail"]


@pytest.mark.parametrize(
    ("body", "encoding", "told"),
    [
        (TEXT.encode(), "gzip", "is not gzip"),
        (gzip.compress(TEXT.encode())[:-9], "gzip", "not one whole gzip stream"),
        (gzip.compress(TEXT.encode()) * 2, "gzip", "not one whole gzip stream"),
        (b"", "gzip", "not one whole gzip stream"),
        (gzip.compress(TEXT.encode()), "", "Content-Encoding: gzip"),
        (b"\xff\xfe{", "", "not text in UTF-16"),
    ],
)
@pytest.mark.parametrize("path", ["/predict", "/labels"])
def test_a_body_that_is_not_what_it_promises_is_told_so(path: str, body: bytes, encoding: str, told: str):
    """One sentence instead of a complaint about JSON; nothing is logged."""
    world = serving_world()
    reply = send(world, path, body, content_encoding=encoding)
    assert reply.status == 422
    assert told in reply.json["errors"][0]["message"]
    assert list(world.data.keys("")) == []


@pytest.mark.parametrize("path", ["/predict", "/labels"])
def test_the_limit_is_for_what_a_body_unfolds_to(path: str):
    """Half a megabyte that unfolds to 100 are refused as too large."""
    reply = send(serving_world(), path, BOMB, content_encoding="gzip")
    assert reply.status == 413


def test_a_bomb_costs_no_more_than_the_limit():
    """It is unpacked up to the limit and no further."""
    tracemalloc.start()
    with pytest.raises(BodyTooLarge):
        json_text(BOMB, "gzip")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 4 * MAXIMUM_BODY
