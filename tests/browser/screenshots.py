"""`make screenshots`: the pictures of docs/console.md, taken of a demo while it runs.

The demo runs in a folder of its own, until it has healed; pages are photographed then.
"""

import base64
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.installed import chromium_path

IMAGES = Path(__file__).parents[2] / "docs" / "images"
LARGEST = 150_000
# The line after the healing, before wrong labels are delivered.
HEALED = "labels go wrong"
QUALITY = 0.85
TO_WEBP = """async ([png, quality]) => {
  const picture = new Image();
  picture.src = png;
  await picture.decode();
  const canvas = document.createElement("canvas");
  canvas.width = picture.width;
  canvas.height = picture.height;
  canvas.getContext("2d").drawImage(picture, 0, 0);
  return canvas.toDataURL("image/webp", quality);
}"""


@dataclass(frozen=True)
class Shot:
    """A page, how wide and high it is shown, in which theme."""

    name: str
    path: str
    width: int
    height: int
    scheme: str


def main() -> None:
    """Run the demo until it has healed, and write the pictures."""
    with healed_demo() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"])
        IMAGES.mkdir(parents=True, exist_ok=True)
        for shot in shots(browser, address):
            picture = taken(browser, address, shot)
            if len(picture) >= LARGEST:
                raise SystemExit(f"{shot.name} has {len(picture):,} bytes, {LARGEST:,} are allowed")
            (IMAGES / f"{shot.name}.webp").write_bytes(picture)
            print(f"{shot.name}: {len(picture):,} bytes")
        browser.close()


@contextmanager
def healed_demo() -> Iterator[str]:
    """A demo that has healed, and goes on; the address of its console."""
    folder = tempfile.mkdtemp(prefix="selfheal-screenshots-")
    command = [str(Path(sys.executable).parent / "selfheal"), "demo", "--keep"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as demo:
        try:
            yield address_once_healed(demo)
        finally:
            demo.send_signal(signal.SIGINT)


def address_once_healed(demo: subprocess.Popen[str]) -> str:
    """Read what the demo says until it has healed."""
    address = ""
    for line in demo.stdout or ():
        address = address or "".join(re.findall(r"watch it: (\S+)", line))
        if HEALED in line:
            return address
    raise SystemExit("the demo ended before it had healed")


def shots(browser: Browser, address: str) -> list[Shot]:
    """Now and the promotion on a desk, Time on a phone in the dark."""
    page = browser.new_page()
    page.goto(address)
    page.goto(f"{origin(address)}/decisions")
    promotion = page.locator("li", has=page.locator(".kind", has_text="promote")).first.get_by_role("link")
    path = str(promotion.get_attribute("href"))
    page.close()
    return [
        Shot("console-now", "/", 1280, 860, "light"),
        Shot("console-decision", path, 1280, 1180, "light"),
        Shot("console-time", "/time?days=7", 390, 940, "dark"),
    ]


def taken(browser: Browser, address: str, shot: Shot) -> bytes:
    """The picture as WebP, which the browser makes of its own PNG."""
    context = browser.new_context(viewport={"width": shot.width, "height": shot.height}, color_scheme=shot.scheme)
    page = context.new_page()
    page.goto(address)
    page.goto(f"{origin(address)}{shot.path}", wait_until="networkidle")
    png = base64.b64encode(page.screenshot()).decode()
    blank = context.new_page()
    data = blank.evaluate(TO_WEBP, [f"data:image/png;base64,{png}", QUALITY])
    context.close()
    return base64.b64decode(data.partition(",")[2])


def origin(address: str) -> str:
    return address.split("/?", maxsplit=1)[0]


if __name__ == "__main__":
    main()
