"""The console's web server, on this machine alone."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

import uvicorn

from selfheal.errors import SelfhealError
from selfheal_tools.console.app import create_app
from selfheal_tools.console.desk import Desk, Settings
from selfheal_tools.console.guard import Keys
from selfheal_tools.environment import Environment

HOST = "127.0.0.1"


class PortTaken(SelfhealError):
    """Something else listens on the port; another one has to be named."""


def serve(environment: Environment, settings: Settings, port: int, started: Callable[[str], None]) -> None:
    """Serve until Ctrl-C; `started` gets the address. Raises PortTaken."""
    with closing(_listening(port)) as listening:
        keys = Keys(listening.getsockname()[1])
        started(keys.address)
        with suppress(KeyboardInterrupt):
            _server(environment, settings, keys).run([listening])


@contextmanager
def served(environment: Environment, settings: Settings, port: int = 0) -> Iterator[str]:
    """Serve in the background as long as the block lasts; its address. Raises PortTaken."""
    with closing(_listening(port)) as listening:
        keys = Keys(listening.getsockname()[1])
        server = _server(environment, settings, keys)
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        try:
            yield keys.address
        finally:
            server.should_exit = True
            thread.join(5.0)


def _server(environment: Environment, settings: Settings, keys: Keys) -> uvicorn.Server:
    desk = Desk(environment, settings, keys)
    app = create_app(desk, keys)
    threading.Thread(target=desk.warm, daemon=True).start()
    return uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, server_header=False, lifespan="off"))


def _listening(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
    except OSError as error:
        listening.close()
        raise PortTaken(f"port {port} can't be had ({error.strerror}): name another one with --port") from error
    listening.listen(64)
    return listening
