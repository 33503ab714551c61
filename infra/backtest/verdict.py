"""The outcome in a sentence."""

from collections.abc import Mapping

from infra.backtest.records import PolicyResult

# A gap in Brier score below this share of the frozen model's is no gap.
SMALLEST_GAP = 0.005


def regained(brier: float, frozen: float | None, oracle: float | None) -> float | None:
    """The share of the gap between frozen and oracle that a Brier score closes; None where there is no gap."""
    if frozen is None or oracle is None or frozen - oracle <= SMALLEST_GAP * frozen:
        return None
    return (frozen - brier) / (frozen - oracle)


def verdict_of(policies: Mapping[str, PolicyResult]) -> str:
    """What somebody who has no time should know."""
    healed, frozen, always = (policies.get(name) for name in ("healed", "frozen", "always"))
    if healed is None:
        return f"Healing wasn't among the policies that were compared: {', '.join(policies)}."
    if frozen is None or "oracle" not in policies:
        beside = f", for {frozen.brier:.4f} of a frozen model," if frozen else ""
        return f"Healing ended at a Brier score of {healed.brier:.4f}{beside} after {_moves(healed)}."
    if healed.regained is None:
        return f"There was nothing to heal: no later version would have been better. Healing made {_moves(healed)}."
    beside = f"; retraining every period and promoting blindly {_share(always)}" if always else ""
    return (
        f"Healing regained {healed.regained:.0%} of what could be had over a frozen model (Brier score "
        f"{frozen.brier:.4f} to {healed.brier:.4f}) with {_moves(healed)}{beside}."
    )


def _share(always: PolicyResult) -> str:
    gained = "nothing" if always.regained is None else f"{always.regained:.0%}"
    return f"regained {gained} with {always.promotions:g} promotions, {always.harmful_promotions:g} of them harmful"


def _moves(result: PolicyResult) -> str:
    promotions = f"{result.promotions:g} promotion{'' if result.promotions == 1 else 's'}"
    harmful = f"{result.harmful_promotions:g} of them harmful" if result.promotions else "none"
    back = f" and {result.rollbacks} taken back" if result.rollbacks else ""
    return f"{promotions} ({harmful}){back}" if result.promotions else "no promotion"
