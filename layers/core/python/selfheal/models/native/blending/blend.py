"""From members and weights to the bytes of one `model.json`, proven before they are handed out."""

import math
from collections.abc import Sequence

import orjson

from selfheal.errors import BlendImpossible
from selfheal.models.native import SIZE_LIMIT, load_artefact
from selfheal.models.native.blending.members import Member
from selfheal.models.native.blending.merging import merged
from selfheal.models.native.blending.proof import check
from selfheal.records.manifest import MOST_MEMBERS

# How far from 1 the weights may add up to; they are divided by their sum.
WEIGHT_TOLERANCE = 1e-9


def blended(members: Sequence[tuple[bytes, float]], threshold: float) -> bytes:
    """The `model.json` that answers the mean of its members' scores and has this operating point, NaN for none.

    Of probabilities that is expit(sum of weight * log-odds), of classes the softmax of sums, of numbers their mean.

    members: each the bytes of a `model.json` and its weight, above 0; the weights add up to 1. The same input gives the
    same bytes. A single member is its own document with another threshold.

    Raises:
        BlendImpossible: no or too many members, weights or a threshold that are none, members with different features,
            or a file larger than a predictor reads.
        ArtefactRefused: a member is not sound.
        ExportInexact: on a probe row the blend differs by more than 1e-12 from its members, or answers one row and many
            rows differently.
    """
    _check_weights([weight for _, weight in members])
    total = math.fsum(weight for _, weight in members)
    parsed = [Member.of(payload, float(weight) / total) for payload, weight in members]
    _check_targets(parsed, threshold)
    _check_features(parsed)
    payload = orjson.dumps({**merged(parsed), "threshold": None if parsed[0].link else float(threshold)})
    if len(payload) > SIZE_LIMIT:
        raise BlendImpossible(
            f"the blend has {len(payload)} bytes, and at most {SIZE_LIMIT} are served: blend fewer members, or train "
            "without features of very many categories"
        )
    check(load_artefact(payload), parsed)
    return payload


def _check_weights(weights: Sequence[float]) -> None:
    if not 1 <= len(weights) <= MOST_MEMBERS:
        raise BlendImpossible(f"a blend has 1 to {MOST_MEMBERS} members, not {len(weights)}")
    # Said so that NaN is refused.
    if not all(weight > 0 for weight in weights) or not abs(math.fsum(weights) - 1) <= WEIGHT_TOLERANCE:
        raise BlendImpossible(f"the weights {list(weights)} are not all above 0 with a sum of 1: normalise them first")


def _check_targets(members: Sequence[Member], threshold: float) -> None:
    """All answer in the same way, and what has an operating point gets one."""
    if any(member.link != members[0].link or member.outputs != members[0].outputs for member in members):
        raise BlendImpossible("the members answer for other tasks or classes: blend versions of one target only")
    if not members[0].link and not 0 <= threshold <= 1:
        raise BlendImpossible(f"the threshold {threshold} is not between 0 and 1")


def _check_features(members: Sequence[Member]) -> None:
    """The same names and kinds in the same order: a row means the same to every member."""
    first = members[0].document["features"]
    for member in members[1:]:
        other = member.document["features"]
        if other != first:
            names, others = ({(feature["name"], feature["kind"]) for feature in each} for each in (first, other))
            listed = sorted(name for name, _ in names ^ others)
            what = f"differ in {', '.join(listed)}" if listed else "stand in another order"
            raise BlendImpossible(
                f"the members' features {what}, as after a change of the contract: blend versions of one contract only"
            )
