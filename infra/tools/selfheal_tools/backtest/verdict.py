"""The outcome in a few sentences."""

from collections.abc import Iterator, Mapping

from selfheal_tools.backtest.records import Looks, PolicyResult
from selfheal_tools.backtest.words import WORDS, Words, in_order

# A gap in mean loss below this share of the frozen model's is no gap.
SMALLEST_GAP = 0.005
# Of the things that healing waited for, so many are named.
MOST_NAMED = 2


def regained(loss: float, frozen: float | None, oracle: float | None) -> float | None:
    """The share of the gap between frozen and oracle that a mean loss closes; None where there is no gap."""
    if frozen is None or oracle is None or frozen - oracle <= SMALLEST_GAP * frozen:
        return None
    return (frozen - loss) / (frozen - oracle)


def verdict_of(policies: Mapping[str, PolicyResult], looks: Looks | None = None) -> str:
    """What somebody who has no time should know."""
    healed, frozen, always = (policies.get(name) for name in ("healed", "frozen", "always"))
    if healed is None:
        return f"Healing wasn't among the policies that were compared: {', '.join(policies)}."
    outcome = _outcome(healed, frozen, has_gap=frozen is not None and "oracle" in policies)
    beside = f"; retraining every period and promoting blindly {_reached(always)}" if always else ""
    return " ".join([f"{outcome}{beside}.", *(_about(looks) if looks else ())])


def _outcome(healed: PolicyResult, frozen: PolicyResult | None, *, has_gap: bool) -> str:
    if frozen is None or not has_gap:
        beside = f", for {_told(frozen)} of a frozen model," if frozen else ""
        return f"Healing ended at {_words(healed).said} of {_told(healed)}{beside} after {_moves(healed)}"
    if healed.regained is None:
        return f"There was nothing to heal: no later version would have been better. Healing made {_moves(healed)}"
    return (
        f"Healing regained {healed.regained:.0%} of what could be had over a frozen model ({_words(healed).title} "
        f"{_told(frozen)} to {_told(healed)}) with {_moves(healed)}"
    )


def _reached(always: PolicyResult) -> str:
    gained = "reached" if always.regained is None else f"regained {always.regained:.0%},"
    return f"{gained} {_told(always)} with {_moves(always)}"


def _words(result: PolicyResult) -> Words:
    """Of the metric that a sentence tells."""
    return WORDS[in_order(result.metrics)[0]]


def _told(result: PolicyResult) -> str:
    return _words(result).shown(result.metrics[in_order(result.metrics)[0]])


def _moves(result: PolicyResult) -> str:
    promotions = f"{result.promotions:g} promotion{'' if result.promotions == 1 else 's'}"
    harmful = f"{result.harmful_promotions:g} of them harmful" if result.promotions else "none"
    back = f" and {result.rollbacks} taken back" if result.rollbacks else ""
    return f"{promotions} ({harmful}){back}" if result.promotions else "no promotion"


def _about(looks: Looks) -> Iterator[str]:
    """What monitoring couldn't judge, and what healings waited for; nothing where there is nothing to say."""
    if unjudged := sum(looks.inputs_unjudged.values()):
        why = _named(looks.inputs_unjudged)
        nothing = f"{looks.nothing_judged} nothing at all"
        yield f"Of {looks.runs} looks {unjudged} couldn't judge the inputs, {nothing}: {why}."
    elif looks.labels_unjudged:
        yield f"Of {looks.runs} looks {looks.labels_unjudged} had too few labels to judge by."
    if waited := sum(looks.waited.values()):
        yield f"At {waited} of {looks.runs} looks a healing was wanted and waited: {_named(looks.waited)}."


def _named(counts: Mapping[str, int]) -> str:
    named = [f"{text.rstrip('.')} ({count} times)" for text, count in list(counts.items())[:MOST_NAMED]]
    rest = len(counts) - len(named)
    return "; ".join([*named, *([f"{rest} other reasons"] if rest else [])])
