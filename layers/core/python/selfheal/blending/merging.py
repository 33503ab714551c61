"""The document of a blend: the members' blocks and estimators side by side, as one flat weighted sum."""

import math
from collections.abc import Sequence
from typing import Any

from selfheal.artefact import FORMAT, FORMAT_VERSION
from selfheal.blending.members import Member


def merged(members: Sequence[Member]) -> dict[str, Any]:
    """The document but for its threshold; a single member's is its own, so that its bits don't change."""
    if len(members) == 1:
        return members[0].document
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "features": members[0].document["features"],
        "blocks": [block for member in members for block in member.document["blocks"]],
        "estimator": {"kind": "sum", "parts": [part for member in members for part in member.parts]},
        "calibration": {"slope": 1.0, "intercept": math.fsum(member.intercept for member in members)},
    }
