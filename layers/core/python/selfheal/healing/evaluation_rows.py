"""Which labelled rows judge the next shadow model, and which of them it may not see before."""

from dataclasses import dataclass
from datetime import datetime

from selfheal.data.moments import as_datetime64
from selfheal.gates.evaluation_rows import evaluation_start, evidence_start
from selfheal.records.manifest import Manifest
from selfheal.records.story import Story
from selfheal.tables.dataset import Dataset
from selfheal.tasks import task_of


@dataclass(frozen=True, slots=True)
class EvaluationRows:
    """evidence_from: labelled rows judge from then on. held_out_from: from then on they don't train what is judged."""

    evidence_from: datetime
    held_out_from: datetime


def evaluation_rows_of(
    story: Story, production: Manifest, newest: Manifest | None, labelled: Dataset, *, unhurried: bool = False
) -> EvaluationRows | None:
    """The rows that judge the next shadow model; None where too few are newer than what the versions have seen.

    `newest`: the newest version that was trained before, promoted or not. The rows that are kept back are newer than
    every row that it has seen, that fitted, tuned or judged production, or that judged an attempt to replace it.
    """
    gated, rivals = story.judged_until(production.version), story.rivals_judged_until(production.version)
    seen = max(production.taught_until, gated or production.taught_until)
    after = max([seen, *([newest.taught_until] if newest else []), *([rivals] if rivals else [])])
    new = labelled.take(labelled.timestamps > as_datetime64(after))
    held_out_from = evaluation_start(
        new.timestamps,
        new.labels,
        after=after,
        minimum_samples=production.contract.policy.gates.minimum_samples,
        unhurried=unhurried,
        task=task_of(production),
    )
    if held_out_from is None:
        return None
    begins = evidence_start(labelled.timestamps, newest_of_production=seen, newest_of_members=after)
    return EvaluationRows(evidence_from=begins, held_out_from=held_out_from)
