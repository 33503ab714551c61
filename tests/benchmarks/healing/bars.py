"""What must hold, and whether it does."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.benchmarks.healing.histories import DRIFTING, STEADY
from tests.benchmarks.healing.results import Replays, broken, few_rows, figures, outcomes, pooled, worst_period

SHARE_OF_ALWAYS, SHARE_ON_EACH = 0.97, 0.90
SHARE_OF_PROMOTIONS, SHARE_HARMFUL = 0.45, 0.05
# Of what `always` regains, by rows.
FEW_ROWS = {"2000": 0.40, "6000": 0.65}
WORST_PERIOD = 1.3


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of the table; `holds` is None where nothing was measured."""

    name: str
    found: str
    holds: bool | None


def bars(replays: Replays) -> list[Bar]:
    """All bars."""
    compared = {job: found for job, found in replays.items() if job.is_compared}
    return [
        *_regained(compared),
        *_promotions(compared),
        *_steady(compared),
        *_broken(replays),
        *_visitors(replays),
        *_few(replays),
    ]


def _regained(compared: Replays) -> Iterator[Bar]:
    shares = {
        name: pooled(compared, name)["regained"] for name in ("healed", "always", "always_held_out", "seed-gates")
    }
    ours = shares["healed"]
    for rival, least in (("always_held_out", 1.0), ("seed-gates", 1.0), ("always", SHARE_OF_ALWAYS)):
        yield _at_least(f"regains {least:.0%} of what {rival} does", ours, shares[rival], least)
    for history in DRIFTING:
        own, blind = (figures(outcomes(compared, history, name))["regained"] for name in ("healed", "always"))
        yield _at_least(f"{history}: regains {SHARE_ON_EACH:.0%} of what always does", own, blind, SHARE_ON_EACH)


def _promotions(compared: Replays) -> Iterator[Bar]:
    healed, always = (pooled(compared, name) for name in ("healed", "always"))
    name = f"at most {SHARE_OF_PROMOTIONS:.0%} of the promotions of always"
    yield _at_most(name, healed["promotions"], always["promotions"], SHARE_OF_PROMOTIONS)
    name = f"at most {SHARE_HARMFUL:.0%} of promotions harmful"
    yield _at_most(name, healed["harmful"], healed["promotions"], SHARE_HARMFUL)


def _steady(compared: Replays) -> Iterator[Bar]:
    found = outcomes(compared, STEADY, "healed")
    harmful = sum(one.harmful for one in found)
    yield Bar(f"{STEADY}: no harmful promotion", f"{harmful:g}", harmful == 0 if found else None)


def _broken(replays: Replays) -> Iterator[Bar]:
    for kind, counts in broken(replays).items():
        name = f"every fourth version {kind}: at most {SHARE_HARMFUL:.0%} of promotions harmful"
        yield _at_most(name, counts["healed_harmful"], counts["healed_promotions"], SHARE_HARMFUL)


def _visitors(replays: Replays) -> Iterator[Bar]:
    for job, found in replays.items():
        if job.is_visited:
            worst, blind = (worst_period(found, name) for name in ("healed", "always"))
            name = f"{job.dataset}: no period above {WORST_PERIOD} times the frozen model's Brier score"
            yield Bar(name, f"{worst:.2f} (always: {blind:.2f})", worst <= WORST_PERIOD)


def _few(replays: Replays) -> Iterator[Bar]:
    found = few_rows(replays)
    for rows, least in FEW_ROWS.items():
        share = found[rows]["share"] if rows in found else None
        said = "not measured yet" if share is None else f"{share:.0%}"
        yield Bar(f"{rows} rows: {least:.0%} of what always regains", said, None if share is None else share >= least)


def _at_least(name: str, ours: float | None, theirs: float | None, least: float) -> Bar:
    if ours is None or theirs is None:
        return Bar(name, "not measured yet", None)
    return Bar(name, f"{ours:.1%} for {theirs:.1%}", ours >= least * theirs)


def _at_most(name: str, count: float | None, of: float | None, most: float) -> Bar:
    if count is None or not of:
        return Bar(name, "not measured yet", None)
    return Bar(name, f"{count:g} of {of:g}: {count / of:.1%}", count <= most * of)
