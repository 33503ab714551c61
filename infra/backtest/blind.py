"""Policies that promote whatever they train, whenever their rule says so; and the one that knows the future."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from infra.backtest.courses import Change, Course, joined
from infra.backtest.evidently_rule import drifted_columns
from infra.backtest.scoring import Answers
from infra.backtest.stream import Span
from infra.backtest.versions import Version, Versions
from selfheal.data.moments import as_datetime64, as_utc
from selfheal.drift import Reference, judge
from selfheal.gates.evaluation_rows import evaluation_start
from selfheal.performance.realised import brier_losses
from selfheal.usecases.train import reference_of

# At the end of a period: the version to go on with, why there is none, or None where nothing is due.
type Rule = Callable[[Span, Version], Version | str | None]


@dataclass(frozen=True, eq=False)
class Walk:
    """A rule followed through all periods."""

    versions: Versions
    ticked: Callable[[int], None] = lambda _: None

    def course(self, rule: Rule) -> Course:
        """Each period is answered by the version that was in production when it began."""
        stream, shelf = self.versions.stream, self.versions.shelf
        spent = shelf.seconds
        current = self.versions.first()
        used, changes = [], []
        for span in stream.spans:
            used.append(current)
            found = rule(span, current)
            if found is not None:
                changes.append(_change(span, current, found))
            current = found if isinstance(found, Version) else current
            self.ticked(span.number)
        trained = sum(change.kind == "promote" for change in changes)
        return course_of(self.versions, used, tuple(changes), trained, shelf.seconds - spent)


def course_of(
    versions: Versions, used: list[Version], changes: tuple[Change, ...], retrainings: int, seconds: float
) -> Course:
    """The course in which the versions of `used` answered one period each."""
    spans = versions.stream.spans
    answers = [versions.answers(version, span) for version, span in zip(used, spans, strict=True)]
    names = np.repeat(np.array([version.name for version in used], dtype=object), [len(part) for part in answers])
    known = {version.name: version for version in versions.made()}

    def scorer(name: str, start: int, stop: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        parts = [versions.answers(known[name], span).probabilities for span in spans if span.stop > start]
        return np.concatenate(parts)[-(len(versions.stream.traffic) - start) :][: stop - start]

    return Course(joined(answers), names, changes, retrainings, seconds, scorer)


def never(_: Span, __: Version) -> None:
    """Frozen: the first version answers for ever."""
    return


def every(versions: Versions, periods: int = 1) -> Rule:
    """Every so many periods, on everything known."""

    def rule(span: Span, _: Version) -> Version | str | None:
        return versions.on_everything(span.number) if span.number % periods == 0 else None

    return rule


def on_any_drift(versions: Versions) -> Rule:
    """On everything known, as soon as a common tool's defaults call any feature of the period's inputs drifted."""

    def rule(span: Span, current: Version) -> Version | str | None:
        contract = versions.contract
        before = reference_of(current.rows, seed=0).features
        after = versions.stream.traffic.features.iloc[span.rows]
        verdict = judge(Reference(before, contract), after, contract.policy.monitoring, 0.05)
        drifted = drifted_columns(before, after, verdict.features)
        return versions.on_everything(span.number) if drifted else None

    return rule


class HeldOut:
    """Every period, on everything known but the rows that a healing would keep back to judge the new version."""

    def __init__(self, versions: Versions) -> None:
        self._versions = versions
        self._after = versions.stream.initial.timestamps[-1]

    def __call__(self, span: Span, _: Version) -> Version | str | None:
        """The version of the end of this period."""
        known = self._versions.rows_known(span.number)
        unseen = known.take(known.timestamps > self._after)
        policy = self._versions.contract.policy
        start = evaluation_start(
            unseen.timestamps,
            unseen.labels,
            after=as_utc(self._after),
            minimum_samples=policy.gates.minimum_samples,
            unhurried=True,
        )
        if start is None:
            return "too few labels are new"
        self._after = known.timestamps[-1]
        older = known.take(known.timestamps < as_datetime64(start))
        return self._versions.trained(f"held-out-{span.number}", span.number, older)


def oracle(versions: Versions) -> Course:
    """For each period the version with the lowest Brier score in it, of those that `always` had by its beginning."""
    spent = versions.shelf.seconds
    made, used, changes = [versions.first()], [], []
    for span in versions.stream.spans:
        used.append(min(made, key=lambda version: _brier(versions.answers(version, span))))
        if len(used) > 1 and used[-1] is not used[-2]:
            changes.append(_promotion(span, used[-2], used[-1]))
        found = versions.on_everything(span.number)
        made.extend([found] if isinstance(found, Version) else [])
    return course_of(versions, used, tuple(changes), len(made) - 1, versions.shelf.seconds - spent)


def random_courses(versions: Versions, promotions: int, schedules: int, seed: int) -> Iterator[Course]:
    """Retraining at so many ends of periods, drawn at random, on everything known; nobody looks at the result."""
    rng = np.random.default_rng([seed, 2])
    possible, seconds = {}, {}
    for span in versions.stream.spans[:-1]:
        spent = versions.shelf.seconds
        found = versions.on_everything(span.number)
        if isinstance(found, Version):
            possible[span.number], seconds[span.number] = found, versions.shelf.seconds - spent
    for _ in range(schedules):
        drawn = rng.choice(list(possible), min(promotions, len(possible)), replace=False).tolist() if possible else []
        course = Walk(versions).course(_at({number: possible[number] for number in drawn}))
        yield replace(course, training_seconds=course.training_seconds + sum(seconds[number] for number in drawn))


def _at(chosen: Mapping[int, Version]) -> Rule:
    return lambda span, _: chosen.get(span.number)


def _brier(answers: Answers) -> float:
    return float(brier_losses(answers.probabilities, answers.labels).mean())


def _change(span: Span, current: Version, found: Version | str) -> Change:
    if isinstance(found, Version):
        return Change(
            "promote", span.number, span.ends, span.stop, found.name, current.name, f"trained on {len(found.rows)} rows"
        )
    return Change("skip", span.number, span.ends, span.stop, None, current.name, found)


def _promotion(span: Span, before: Version, after: Version) -> Change:
    return Change("promote", span.number - 1, span.begins, span.start, after.name, before.name, "best in hindsight")
