"""The local cloud's plumbing: every way in reaches the right function as AWS would."""

import time
from datetime import UTC, datetime

import httpx
import pytest

from infra.local import FunctionFailed, LocalCloud

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def cloud(tiny_assembly, tmp_path_factory):
    with LocalCloud.deploy(tiny_assembly, start=START, work_dir=tmp_path_factory.mktemp("cloud")) as deployed:
        yield deployed


def test_all_functions_of_the_template_are_there(cloud):
    """The deployed functions are the nine of the template."""
    around = ["batch_scoring", "drift", "hour_roll_up", "labels", "predictor"]
    healing = ["gate_evaluation", "label_wait", "promotion", "shadow_training"]
    assert cloud.functions == sorted([*around, *healing])


def test_a_request_becomes_an_http_api_event(cloud):
    """Method, path, query, headers, cookies and body arrive as payload format 2.0 has them."""
    url = f"{cloud.url}/some%20path?a=1&a=2&b="
    answer = httpx.put(url, json={"x": 1}, headers={"X-Custom": "one"}, cookies={"k": "v"}).json()
    event = answer["event"]
    assert event["version"] == "2.0"
    assert event["requestContext"]["http"]["method"] == "PUT"
    assert (event["rawPath"], event["rawQueryString"]) == ("/some path", "a=1&a=2&b=")
    assert event["queryStringParameters"] == {"a": "1,2", "b": ""}
    assert event["headers"]["x-custom"] == "one"
    assert event["cookies"] == ["k=v"]
    assert (event["body"], event["isBase64Encoded"]) == ('{"x":1}', False)


def test_a_body_that_is_not_text_arrives_in_base64(cloud):
    """Bytes of an unknown kind are handed over unharmed."""
    event = httpx.post(cloud.url, content=b"\x00\xff", headers={"content-type": "image/png"}).json()["event"]
    assert (event["body"], event["isBase64Encoded"]) == ("AP8=", True)


def test_an_answer_becomes_a_response(cloud):
    """Status, headers and cookies of the function's answer are those of the response."""
    response = httpx.get(f"{cloud.url}/any")
    assert response.status_code == 201
    assert response.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert 0 < int(response.headers["x-remaining"]) <= 29_000


def test_an_answer_in_base64_becomes_bytes(cloud):
    """A binary answer is decoded before it is sent."""
    response = httpx.get(f"{cloud.url}/bytes")
    assert (response.status_code, response.headers["content-type"], response.content) == (203, "image/png", b"\0\1\xff")


def test_an_answer_without_a_status_is_the_body_of_a_200(cloud):
    """API Gateway infers the response where the function gives none."""
    response = httpx.get(f"{cloud.url}/plain")
    assert (response.status_code, response.json()) == (200, {"no": "status"})


def test_an_error_in_a_function_is_an_internal_server_error(cloud):
    """A request whose function raises is answered with API Gateway's own 500, and nothing of the error."""
    response = httpx.get(f"{cloud.url}/fail")
    assert (response.status_code, response.json()) == (500, {"message": "Internal Server Error"})
    assert "asked to" in cloud.function_log("predictor")


def test_a_function_keeps_its_process_between_invocations(cloud):
    """Warm invocations run in the process that the first one started."""
    first, second = (httpx.get(cloud.url).json() for _ in range(2))
    assert (second["pid"], second["calls"]) == (first["pid"], first["calls"] + 1)


def test_a_crashed_process_is_made_anew(cloud):
    """A function that kills its process fails that invocation only."""
    before = httpx.get(cloud.url).json()["pid"]
    assert httpx.get(f"{cloud.url}/exit").status_code == 500
    after = httpx.get(cloud.url).json()
    assert (after["calls"], after["pid"] == before) == (1, False)


def test_an_uploaded_file_reaches_the_labels_function(cloud):
    """An object below labels/incoming/ wakes the function, its key unharmed by the encoding of S3 events."""
    cloud.stores.data.put("labels/incoming/märz 1+2.csv", b"a,b")
    cloud.settle()
    assert cloud.stores.data.get("labels/accepted/märz 1+2.csv").body == b"a,b"


def test_an_upload_elsewhere_wakes_nobody(cloud):
    """The notification's prefix holds."""
    cloud.stores.data.put("labels/elsewhere/a.csv", b"a,b")
    cloud.settle()
    assert list(cloud.stores.data.keys("labels/accepted/a.csv")) == []


def test_a_failure_in_the_background_is_raised_where_everything_settles(cloud):
    """Nobody waits for an upload's function, so its failure is raised by `settle`, once, with the log's end."""
    cloud.stores.data.put("labels/incoming/broken.csv", b"")
    with pytest.raises(FunctionFailed, match="can't read it") as failure:
        cloud.settle()
    assert (failure.value.function, failure.value.error_type) == ("labels", "ValueError")
    cloud.settle()


def test_a_timeout_is_the_templates(cloud):
    """A function that runs longer than the template allows is ended, says so, and works again afterwards."""
    started = time.monotonic()
    with pytest.raises(FunctionFailed, match=r"Task timed out after 1\.00 seconds") as failure:
        cloud.invoke("label_wait", {"sleep": 30})
    assert failure.value.error_type == "Sandbox.Timedout"
    assert time.monotonic() - started < 20
    assert cloud.invoke("label_wait", {})["wait_seconds"] == 3600
