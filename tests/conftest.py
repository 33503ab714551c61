"""What several kinds of test share."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def assembly_folder() -> Path:
    """The synthesised app, third-party packages left out; from `build/` where nothing changed."""
    from infra.local.synthesis import synthesised

    return synthesised()
