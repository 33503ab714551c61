"""The container engine: the one that runs here, or Debian's, started for as long as it is needed."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

from infra.local.errors import LocalCloudError

PACKAGES = ("docker.io", "debootstrap", "iproute2")
START_SECONDS, STOP_SECONDS = 60.0, 60.0


class NoEngine(LocalCloudError):
    """No container engine runs here, and none can be started; the message says why."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A container engine. `address`: None for the one that Docker's client finds by itself; ours has a socket."""

    address: str | None

    @property
    def is_own(self) -> bool:
        """Whether it was started here: then it can't ask an image registry, and its containers reach nobody."""
        return self.address is not None

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment of a process that is to use it. SAM speaks to the classic builder, so that we do too."""
        found = {} if self.address is None else {"DOCKER_HOST": self.address}
        return {**os.environ, **found, "DOCKER_BUILDKIT": "0"}

    def docker(self, *arguments: str) -> str:
        """What a command of Docker's client prints.

        Raises:
            LocalCloudError: it failed; the message ends with what it printed.
        """
        command = ["docker", *arguments]
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=self.environment)  # noqa: S603
        if done.returncode:
            raise LocalCloudError(f"`{' '.join(command)}` failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        return done.stdout.strip()

    def gateway(self) -> str:
        """The address of this machine as containers see it."""
        (network,) = json.loads(self.docker("network", "inspect", "bridge"))
        configured = network["IPAM"]["Config"][0]
        # Older engines name it only where somebody chose it; otherwise it is the first address.
        return str(configured.get("Gateway") or next(ip_network(configured["Subnet"]).hosts()))

    def answers(self) -> bool:
        """Whether it runs."""
        try:
            self.docker("version", "--format", "{{.Server.Version}}")
        except (LocalCloudError, OSError):
            return False
        return True


@contextmanager
def container_engine(folder: Path, *, networked: bool) -> Iterator[Engine]:
    """The engine that runs here; else one of our own below a folder, ended with the block.

    networked: whether images are to be built, which takes registries of packages, but no network between containers.
    Otherwise containers are to run: this thread, and all that it starts from now on, leaves the machine's network for
    good, so that they reach nothing but what runs beside them.

    Raises NoEngine.
    """
    found = Engine(address=None)
    if found.answers():
        yield found
        return
    install_engine()
    if not networked:
        _leave_network()
    with _daemon(folder, bridge=not networked) as own:
        yield own


def install_engine() -> None:
    """Have Debian's engine installed. Raises NoEngine where that can't be."""
    if shutil.which("dockerd") and shutil.which("debootstrap"):
        return
    if os.geteuid() or not shutil.which("apt-get"):
        raise NoEngine("no container engine runs here: start Docker, or be root on Debian, where one can be installed")
    command = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *PACKAGES]
    for step in (["apt-get", "update", "--quiet"], command):
        done = subprocess.run(step, check=False, capture_output=True, text=True)  # noqa: S603 - our own command
        if done.returncode:
            raise NoEngine(f"`{' '.join(step)}` failed: {done.stderr[-500:]}")


def _leave_network() -> None:
    try:
        os.unshare(os.CLONE_NEWNET)
    except OSError as error:
        raise NoEngine(f"this machine lets nobody make a network namespace: {error}") from error
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)  # noqa: S607 - from the path, as the shell would


@contextmanager
def _daemon(folder: Path, *, bridge: bool) -> Iterator[Engine]:
    """Docker's daemon by itself: no rules of its own in the machine's firewall, no forwarding."""
    folder.mkdir(parents=True, exist_ok=True)
    address, log = f"unix://{folder}/docker.sock", folder / "dockerd.log"
    engine = Engine(address)
    command = ["dockerd", "--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec", "--host", address]
    command += ["--pidfile", f"{folder}/dockerd.pid", "--iptables=false", "--ip-forward=false"]
    command += [] if bridge else ["--bridge=none"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)  # noqa: S603
    try:
        _wait_until_it_answers(engine, process, log)
        yield engine
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


def _wait_until_it_answers(engine: Engine, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not engine.answers():
        if process.poll() is not None or time.monotonic() > deadline:
            raise NoEngine(f"Docker's daemon doesn't start here:\n{log.read_text(encoding='utf-8')[-1000:]}")
        time.sleep(0.2)
