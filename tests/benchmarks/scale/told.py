"""What was measured of scale, each part in a run of its own: build/bench/scale.json."""

import json
from collections.abc import Mapping
from typing import Any

from tests.benchmarks.environments import BUILD

OUT = BUILD / "scale.json"


def tell(found: Mapping[str, Any]) -> None:
    """Put these figures beside those of the other parts, in place of their own earlier ones."""
    BUILD.mkdir(parents=True, exist_ok=True)
    earlier = json.loads(OUT.read_text(encoding="utf-8")) if OUT.exists() else {}
    OUT.write_text(json.dumps({**earlier, **found}, indent=2) + "\n", encoding="utf-8")
