"""What was measured of scale, each part in a run of its own: build/bench/scale.json."""

import json
from collections.abc import Mapping
from typing import Any

from tests.benchmarks.environments import BUILD

OUT = BUILD / "scale.json"


def earlier() -> dict[str, Any]:
    """All figures so far; none before the first run."""
    found: dict[str, Any] = json.loads(OUT.read_text(encoding="utf-8")) if OUT.exists() else {}
    return found


def tell(found: Mapping[str, Any]) -> None:
    """Print these figures, and put them beside those of the other parts in place of their own earlier ones."""
    BUILD.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps({**earlier(), **found}, indent=2) + "\n", encoding="utf-8")
    print(json.dumps({name: value for name, value in found.items() if name != "sizes"}, indent=2))
