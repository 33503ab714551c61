"""Policies that choose among versions made beforehand: blindly, by point estimates, or knowing the future."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from selfheal.tasks.port import Floats
from selfheal_tools.backtest.policy_runs import Change, PolicyRun, joined
from selfheal_tools.backtest.stream import Span
from selfheal_tools.backtest.versions import Blend, Version, Versions


@dataclass(frozen=True, eq=False)
class Rejected:
    """A version that was trained and isn't to answer. gates: those that it failed."""

    version: Version | Blend
    gates: tuple[str, ...]


# At the end of a period: the version to go on with, why there is none, or None where nothing is due.
type Rule = Callable[[Span, Version | Blend], Version | Blend | Rejected | str | None]


@dataclass(frozen=True, eq=False)
class Walk:
    """A rule followed through all periods."""

    versions: Versions
    ticked: Callable[[int], None] = lambda _: None

    def policy_run(self, rule: Rule) -> PolicyRun:
        """Each period is answered by the version that was in production when it began."""
        stream, cache = self.versions.stream, self.versions.cache
        spent = cache.seconds
        current: Version | Blend = self.versions.first()
        used, changes = [], []
        for span in stream.spans:
            used.append(current)
            found = rule(span, current)
            if found is not None:
                changes.append(_change(span, current, found))
            current = found if isinstance(found, Version | Blend) else current
            self.ticked(span.number)
        return run_of(self.versions, used, tuple(changes), cache.seconds - spent)


def run_of(
    versions: Versions, used: Sequence[Version | Blend], changes: tuple[Change, ...], seconds: float
) -> PolicyRun:
    """The run in which the versions of `used` answered one period each."""
    spans = versions.stream.spans
    answers = [versions.answers(version, span) for version, span in zip(used, spans, strict=True)]
    names = np.repeat(np.array([version.name for version in used], dtype=object), [len(part) for part in answers])

    def scorer(name: str, start: int, stop: int) -> Floats:
        return versions.probabilities(versions.named(name), np.arange(start, stop))

    trained = sum(change.kind in {"promote", "reject"} for change in changes)
    return PolicyRun(joined(answers), names, changes, trained, seconds, scorer)


def never(_: Span, __: Version | Blend) -> None:
    """Frozen: the first version answers for ever."""
    return


def every(versions: Versions, periods: int = 1) -> Rule:
    """Every so many periods, on everything known."""

    def rule(span: Span, _: Version | Blend) -> Version | str | None:
        return versions.on_everything(span.number) if span.number % periods == 0 else None

    return rule


def held_out(versions: Versions) -> Rule:
    """Every period, on everything known but the rows that a healing would keep back to judge the new version."""

    def rule(span: Span, _: Version | Blend) -> Version | str:
        trial = versions.trial(span.number)
        return trial if isinstance(trial, str) else trial.shadow

    return rule


def oracle(versions: Versions) -> PolicyRun:
    """For each period the version with the lowest mean loss in it, of those that `always` had by its beginning."""
    spent = versions.cache.seconds
    made, used, changes = [versions.first()], [], []
    for span in versions.stream.spans:
        used.append(min(made, key=lambda version: float(versions.answers(version, span).losses.mean())))
        if len(used) > 1 and used[-1] is not used[-2]:
            changes.append(_promotion(span, used[-2], used[-1]))
        found = versions.on_everything(span.number)
        made.extend([found] if isinstance(found, Version) else [])
    policy_run = run_of(versions, used, tuple(changes), versions.cache.seconds - spent)
    return replace(policy_run, retrainings=len(made) - 1)


def random_runs(versions: Versions, promotions: int, schedules: int, seed: int) -> Iterator[PolicyRun]:
    """Retraining at so many ends of periods, drawn at random, on everything known; nobody looks at the result."""
    rng = np.random.default_rng([seed, 2])
    possible, seconds = {}, {}
    for span in versions.stream.spans[:-1]:
        spent = versions.cache.seconds
        found = versions.on_everything(span.number)
        if isinstance(found, Version):
            possible[span.number], seconds[span.number] = found, versions.cache.seconds - spent
    for _ in range(schedules):
        drawn = rng.choice(list(possible), min(promotions, len(possible)), replace=False).tolist() if possible else []
        policy_run = Walk(versions).policy_run(_at({number: possible[number] for number in drawn}))
        yield replace(
            policy_run, training_seconds=policy_run.training_seconds + sum(seconds[number] for number in drawn)
        )


def _at(chosen: Mapping[int, Version]) -> Rule:
    return lambda span, _: chosen.get(span.number)


def _change(span: Span, current: Version | Blend, found: Version | Blend | Rejected | str) -> Change:
    at = (span.number, span.ends, span.stop)
    if isinstance(found, Blend):
        members = ", ".join(member.name for member in found.members)
        return Change("promote", *at, found.name, current.name, f"a blend of {members}")
    if isinstance(found, Version):
        return Change("promote", *at, found.name, current.name, f"trained on {len(found.rows)} rows")
    if isinstance(found, Rejected):
        failed = ", ".join(found.gates)
        return Change("reject", *at, found.version.name, current.name, f"failed {failed}", found.gates)
    return Change("skip", *at, None, current.name, found)


def _promotion(span: Span, before: Version, after: Version) -> Change:
    return Change("promote", span.number - 1, span.begins, span.start, after.name, before.name, "best in hindsight")
