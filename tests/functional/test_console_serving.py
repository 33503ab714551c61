"""The console's server: on this machine alone, at an address that it names, until it is told to end."""

import socket

import httpx
import pytest

from selfheal_tools.console.desk import Settings
from selfheal_tools.console.serving import HOST, PortTaken, served
from tests.support.console import environment_of
from tests.support.healing import DAY, START, healed_environment


@pytest.fixture
def environment():
    return environment_of(healed_environment()[0], START + 10 * DAY)


def test_the_address_that_is_named_opens_now(environment):
    """With its key; the same address without it is refused, and nothing answers once it has ended."""
    with served(environment, Settings(actor="console:ann")) as address, httpx.Client(follow_redirects=True) as client:
        assert address.startswith(f"http://{HOST}:")
        assert httpx.get(address.split("/?")[0]).status_code == 403
        assert "v1" in client.get(address).text
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)


def test_a_port_that_is_taken_is_named(environment):
    """And how to name another one."""
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=f"{port} .*--port"), served(environment, Settings(actor="x"), port):
            pass
