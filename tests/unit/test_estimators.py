"""What people bring is served exactly: each estimator and task here is exported and proven on probes.

docs/trainers.md has the table of them, written by `python -m tests.support.estimators`.
"""

import numpy as np
import pytest

from selfheal.models.formats import WRITTEN
from selfheal.tables.table import columns_of
from tests.support.estimators import (
    CASES,
    ENSEMBLES,
    PREPARATIONS,
    TABLE,
    TASKS,
    Case,
    contract_of,
    fitted_model,
    rows_of,
    written,
)


@pytest.mark.filterwarnings(
    "ignore:categorical_feature keyword:UserWarning",
    "ignore:Please use categ:UserWarning",
    "ignore:Found unknown categories:UserWarning",
    "ignore:X does not have valid feature names:UserWarning",
)
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("case", [*CASES, *ENSEMBLES, *PREPARATIONS], ids=lambda case: case.name)
def test_it_answers_as_the_library_does(case: Case, task: str):
    """On ordinary rows, on missing and unseen values and on both sides of each threshold; export raises otherwise."""
    if task not in case.makers:
        pytest.skip("the library has no such estimator")
    rows = rows_of(task)
    model = fitted_model(case, task)
    served = WRITTEN.loaded(WRITTEN.exported(model, rows.features, contract_of(task)))
    answers = served.probabilities_of(columns_of(rows.features))
    assert answers.shape == model.probabilities(rows.features).shape
    assert np.abs(answers - model.probabilities(rows.features)).max() <= model.tolerance * max(1, np.abs(answers).max())
    assert len(np.unique(answers)) > 5


def test_the_table_in_the_docs_is_this_one():
    """`python -m tests.support.estimators` writes it."""
    text = TABLE.read_text(encoding="utf-8")
    assert text == written(text)
