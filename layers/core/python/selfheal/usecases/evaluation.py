"""Since when labelled rows are kept back to judge the next shadow model."""

from datetime import datetime

import numpy as np

from selfheal.composition import Stores
from selfheal.data.dataset import Dataset
from selfheal.gates.evaluation_rows import evaluation_start
from selfheal.records.manifest import Manifest
from selfheal.usecases.evidence import judged_until, row_ids_behind


def evaluation_start_of(
    stores: Stores, production: Manifest, labelled: Dataset, *, unhurried: bool = False
) -> datetime | None:
    """The moment from which labelled rows are kept back from the next shadow model; None where too few are unseen.

    They are newer than every row that fitted, tuned or gated the production model, and `minimum_samples` of them have
    judged no earlier attempt; more where nothing presses (see `evaluation_start`).
    """
    decisions = stores.ledger.decisions()
    gated = judged_until(decisions, production.version)
    attempts = [decision for decision in decisions if decision.previous_version == production.version]
    return evaluation_start(
        labelled.timestamps,
        labelled.labels,
        after=max(production.taught_until, gated or production.taught_until),
        minimum_samples=production.contract.policy.gates.minimum_samples,
        is_used=np.isin(labelled.row_ids.astype(str), sorted(row_ids_behind(stores, attempts))),
        unhurried=unhurried,
    )
