"""A version that answers data frames, by the evaluation that serves requests."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from selfheal.contract.model import Feature, FileSection
from selfheal.data.files import missing_columns, problem_text
from selfheal.errors import DataInvalid
from selfheal.files.features import feature_values
from selfheal.files.table import Table, reading, table_of
from selfheal.frames.tabular import Rows, tabular
from selfheal.models.ports import Model

AS_WRITTEN = FileSection()


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """What `selfheal.load` returns; classes: their names, where the version came with its manifest."""

    model: Model
    classes: tuple[str, ...] = ()

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the columns that it reads."""
        return self.model.feature_names

    def predict(self, rows: Rows) -> pd.DataFrame:
        """A row for each of the rows, in their order.

        Of two values: `probability` of the positive one and `prediction`, 1 or 0. Of several classes: `prediction`, the
        likeliest class (of a bare `model.json`, which has no names, its position in the contract), and its
        `probability`; what errors cost plays no part here. Of numbers: `prediction`.

        Raises:
            DataInvalid: a column is missing or holds something else than the model was trained on.
        """
        with reading(tabular(rows, "table"), AS_WRITTEN) as source:
            if faults := missing_columns(source, self.features):
                raise DataInvalid(faults)
            table = table_of(source, AS_WRITTEN, self.features)
        index = rows.index if isinstance(rows, pd.DataFrame) else None
        return pd.DataFrame(self._answers(_columns(table, self.model)), index=index)

    def _answers(self, columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        model, said = self.model, self.model.probabilities_of(columns)
        if said.ndim > 1:
            likeliest = said.argmax(axis=1)
            names = np.array(self.classes, dtype=object)[likeliest] if self.classes else likeliest
            return {"probability": said.max(axis=1), "prediction": names}
        if np.isnan(model.threshold):
            return {"prediction": said}
        return {"probability": said, "prediction": (said >= model.threshold).astype(np.int8)}


def _columns(table: Table, model: Model) -> dict[str, np.ndarray]:
    columns, faults = {}, list[str]()
    for name in model.feature_names:
        cells = table.columns[name]
        found = feature_values(cells, _typed(cells, is_category=name in model.category_features), table.spec)
        faults.extend(problem_text(table, name, problem) for problem in found.problems)
        columns[name] = found.column
    if faults:
        raise DataInvalid(faults)
    return columns


def _typed(cells: pa.Array, *, is_category: bool) -> Feature:
    if is_category:
        return Feature(type="category", nullable=True)
    return Feature(type="boolean" if pa.types.is_boolean(cells.type) else "number", nullable=True)
