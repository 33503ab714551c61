"""Strangers are kept out of the console: other sites, other names for this machine, other users of it."""

import pytest
from starlette.responses import PlainTextResponse

from selfheal_tools.console.guard import Guard, Keys
from tests.support.asgi import AsgiClient

PORT = 8321
OWN = f"http://127.0.0.1:{PORT}"


@pytest.fixture
def keys() -> Keys:
    return Keys(PORT)


@pytest.fixture
def client(keys) -> AsgiClient:
    """Whoever reaches the port, without a key."""
    return AsgiClient(Guard(PlainTextResponse("inside"), keys), OWN)


@pytest.fixture
def let_in(client, keys) -> AsgiClient:
    """The same once the printed address was opened."""
    assert client.get("/time", params={"key": keys.key, "days": "30"}).headers["location"] == "/time?days=30"
    return client


def test_the_printed_address_opens_the_console_and_leaves_no_key_in_the_address(keys, let_in):
    """The key becomes a cookie that no script can read; the address that is left holds none."""
    assert let_in.get("/").text == "inside"
    cookie = let_in.get("/", params={"key": keys.key}).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()


@pytest.mark.parametrize("key", [None, "", "guess"])
def test_without_the_key_nothing_is_shown(client, key: str | None):
    """Other users of this machine reach the port, but not the pages."""
    answer = client.get("/", params={} if key is None else {"key": key})
    assert answer.status_code == 403
    assert "inside" not in answer.text


@pytest.mark.parametrize("host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "127.0.0.1:1", ""])
def test_another_name_for_this_machine_is_refused(let_in, host: str):
    """DNS rebinding: a name that points here is not the console's own, whatever cookie comes with it."""
    assert let_in.get("/", headers={"host": host}).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "null"},
        {"origin": "https://evil.example"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": f"https://127.0.0.1:{PORT}"},
        {"origin": OWN, "sec-fetch-site": "cross-site"},
        {"origin": OWN, "sec-fetch-site": "same-site"},
    ],
)
def test_what_another_page_sends_is_refused(let_in, headers: dict[str, str]):
    """What changes anything comes from a page of this console: its Origin says so."""
    assert let_in.post("/acts/pause", headers=headers).status_code == 403


def test_what_its_own_page_sends_is_taken(let_in):
    """By either name of this machine."""
    assert let_in.post("/", headers={"origin": OWN}).text == "inside"
    local = {"host": f"localhost:{PORT}", "origin": f"http://localhost:{PORT}"}
    cookie = {"cookie": "; ".join(f"{name}={value}" for name, value in let_in.cookies.items())}
    assert let_in.post("/", headers=local | cookie).text == "inside"


def test_every_answer_tells_browsers_what_a_page_may_do(client, let_in):
    """No script that isn't the console's own, no frame around it, no copy kept; refusals included."""
    for answer in (let_in.get("/"), let_in.get("/", headers={"host": "evil.example"})):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"


def test_a_path_of_two_slashes_leads_nowhere_else(client, keys):
    """The redirect that takes the key out of the address stays on this machine."""
    answer = client.get(f"{OWN}//evil.example/x?key={keys.key}")
    assert answer.headers["location"] == "/evil.example/x"


def test_each_start_has_a_key_of_its_own():
    """A form or a cookie of yesterday's console is worth nothing today."""
    one, other = Keys(PORT), Keys(PORT)
    assert not other.is_key(one.key)
    assert not other.is_token(one.token)
    assert one.is_token(one.token)
    assert not one.is_token(None)
