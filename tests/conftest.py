"""What several kinds of test share."""

from pathlib import Path

import pytest
from hypothesis import settings

# No test asserts a time: on a busy machine any example may take long.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def assembly_folder() -> Path:
    """The synthesised app, third-party packages left out; from `build/` where nothing changed."""
    from infra.local.synthesis import synthesised

    return synthesised()
