"""What several functional tests share."""

from collections.abc import Iterator

import pytest
from moto.server import ThreadedMotoServer

from tests.support.mlflow_server import running_server
from tests.support.small_life import SmallLife


@pytest.fixture(scope="session")
def moto_endpoint() -> Iterator[str]:
    """AWS on this machine, for what doesn't go through the SDK."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an MLflow server, empty at first."""
    with running_server(tmp_path_factory.mktemp("mlflow")) as address:
        yield address


@pytest.fixture(scope="session")
def small_life() -> SmallLife:
    """A life of three days from end to end, for tests that only read what it left."""
    lived = SmallLife()
    lived.live()
    return lived
