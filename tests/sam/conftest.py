"""The deployed functions in containers, once for all tests here. `make sam` runs them; no other target does."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.local import LocalCloud
from infra.local.sam import Images, NoEngine, SamHosting, assembly_for_sam, built, container_engine
from infra.local.synthesis import ROOT
from tests.sam.life import Life, say

# Images are kept from run to run; `make clean` removes them.
FOLDER = ROOT / "build" / "containers"


@pytest.fixture(scope="session")
def assembly() -> Path:
    say("synthesising the template, packages and all")
    return assembly_for_sam(schedule_minutes=360)


@pytest.fixture(scope="session")
def images(assembly) -> Images:
    try:
        with container_engine(FOLDER, networked=True) as engine:
            say("building: " + ("on a stand-in for AWS's base image" if engine.is_own else "on AWS's base image"))
            made = built(engine, assembly, FOLDER)
    except NoEngine as reason:
        pytest.skip(str(reason))
    say(f"image {made.size / 1e6:.0f} MB, of which the base is {made.base_size / 1e6:.0f} MB")
    return made


@pytest.fixture(scope="session")
def life(assembly, images, tmp_path_factory) -> Iterator[Life]:
    """A service that has lived from its first version to its second."""
    work_dir = tmp_path_factory.mktemp("cloud")
    with container_engine(FOLDER, networked=False) as engine:
        hosting = SamHosting(engine, images, work_dir)
        with LocalCloud.deploy(assembly, start=datetime.now(UTC), work_dir=work_dir, hosting=hosting) as cloud:
            say(f"deployed; `sam local` serves {cloud.url}")
            lived = Life(cloud, hosting, engine)
            lived.live()
            yield lived
            lived.close()
