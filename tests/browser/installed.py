"""The browser that is installed on this machine; none is downloaded."""

import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = "no Chromium is installed here: apt-get install chromium"


def chromium_path() -> str | None:
    """Where it is; None where there is none."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)
