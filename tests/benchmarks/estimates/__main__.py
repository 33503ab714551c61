"""`python -m tests.benchmarks.estimates`: how far estimates before labels are from what labels say, on the same chunks.

Beside ours stand NannyML's two methods as its documentation describes them, restated here: direct loss estimation
(LightGBM learns the absolute error from features and answer) and confidence-based estimation (each class's probability
calibrated by isotonic regression against the rest). All learn from the same tuning rows, which no model had seen.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from lightgbm import LGBMRegressor
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

from selfheal.contract import Contract
from selfheal.data.files import read_labelled
from selfheal.drift import Reference
from selfheal.models.trainer import TrainedModel
from selfheal.tables.dataset import Dataset
from selfheal.tasks import Scored, Task, Unlabelled, task_for
from selfheal.training import train
from selfheal_tools.contract_file import read_contract
from tests.benchmarks.environments import BUILD

DATA = Path(__file__).parents[4] / "shared" / "data"
OUT = BUILD / "estimates.json"
# Of each file: rows that train, and then chunks that are judged.
TRAINING, CHUNKS, CHUNK = 8_000, 8, 1_000
FILES = {
    "bike_hour": ("contract.toml", "mae"),
    "hotel_bookings": ("contract_adr.toml", "mae"),
    "lendingclub_2007_2011": ("contract_grade.toml", "accuracy"),
}

type Floats = NDArray[np.float64]
type Estimator = Callable[[pd.DataFrame, Floats], float]


@dataclass(frozen=True, eq=False)
class Case:
    """A model, the rows that tuned it, and chunks of the rows that came next."""

    contract: Contract
    task: Task
    model: TrainedModel
    tuning: Dataset
    reference: Reference
    chunks: tuple[Dataset, ...]
    metric: str

    @classmethod
    def of(cls, folder: str) -> "Case":
        name, metric = FILES[folder]
        now = datetime.now(UTC)
        asked = read_contract(DATA / folder / name)
        file = read_labelled(DATA / folder / "data.csv.gz", asked, end=now, now=now)
        contract = asked.with_classes(file.label_values.classes) if file.label_values.classes else asked
        taught = file.rows.take(slice(0, TRAINING))
        model = train(taught, contract)
        tuning = taught.take(slice(TRAINING - len(model.tuning_probabilities), None))
        starts = range(TRAINING, TRAINING + CHUNKS * CHUNK, CHUNK)
        chunks = tuple(file.rows.take(slice(start, start + CHUNK)) for start in starts)
        task = task_for(contract, taught.labels)
        return cls(contract, task, model, tuning, Reference(taught.features, contract), chunks, metric)

    def ours(self, features: pd.DataFrame, said: Floats) -> float:
        tuning = Scored(
            self.model.tuning_probabilities, self.tuning.labels, self.reference.traits(self.tuning.features)
        )
        rows = Unlabelled(said, self.task.predictions(said, float("nan")), self.reference.traits(features))
        return _value(self.task.estimated(rows, tuning).metrics[self.metric].value)

    def theirs(self) -> Estimator:
        return self._direct_losses() if self.contract.model.task == "regression" else self._confidence()

    def _direct_losses(self) -> Estimator:
        said, labels = self.model.tuning_probabilities, self.tuning.labels
        learnt = LGBMRegressor(random_state=0, n_jobs=1, verbose=-1)
        learnt.fit(self._coded(self.tuning.features, said), np.abs(said - labels))
        return lambda features, answers: float(np.mean(np.asarray(learnt.predict(self._coded(features, answers)))))

    def _confidence(self) -> Estimator:
        said, labels = self.model.tuning_probabilities, self.tuning.labels
        classes = range(said.shape[1])
        fits = [IsotonicRegression(out_of_bounds="clip").fit(said[:, code], labels == code) for code in classes]

        def accuracy(_: pd.DataFrame, answers: Floats) -> float:
            calibrated = np.column_stack([fit.predict(answers[:, code]) for code, fit in enumerate(fits)])
            calibrated /= np.maximum(calibrated.sum(axis=1, keepdims=True), 1e-12)
            return float(calibrated[np.arange(len(answers)), answers.argmax(axis=1)].mean())

        return accuracy

    def _coded(self, features: pd.DataFrame, said: Floats) -> pd.DataFrame:
        """Categories as codes of what the tuning rows hold, -1 for others, and the answer as one more column."""
        columns = [
            pd.Index(self.tuning.features[name].dropna().unique()).get_indexer(features[name])
            if feature.is_category
            else features[name].to_numpy()
            for name, feature in self.contract.features.items()
        ]
        return pd.DataFrame({**{f"f{place}": column for place, column in enumerate(columns)}, "said": said})

    def errors(self) -> Iterator[dict[str, float]]:
        theirs = self.theirs()
        usual = self._realised(self.model.tuning_probabilities, self.tuning.labels)
        for chunk in self.chunks:
            said = self.model.fitted.probabilities(chunk.features)
            truth = self._realised(said, chunk.labels)
            estimates = {"ours": self.ours(chunk.features, said), "theirs": theirs(chunk.features, said), "none": usual}
            yield {"truth": truth, **estimates}

    def _realised(self, said: Floats, labels: NDArray[Any]) -> float:
        measured = self.task.realised(said, self.task.predictions(said, float("nan")), labels)
        return _value(measured.metrics[self.metric].value)


def main() -> None:
    """Print and keep the mean distance to the truth; `none`: of whoever takes the tuning rows' own figure."""
    result = {}
    for folder in FILES:
        case = Case.of(folder)
        chunks = list(case.errors())
        names = ("ours", "theirs", "none")
        off = {name: float(np.mean([abs(chunk[name] - chunk["truth"]) for chunk in chunks])) for name in names}
        result[folder] = {"metric": case.metric, "mean_distance": off, "chunks": chunks}
        print(folder, case.metric, *(f"{name} {value:.4f}" for name, value in off.items()), flush=True)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def _value(value: float | None) -> float:
    if value is None:
        raise ValueError("these rows don't define the metric")
    return value


if __name__ == "__main__":
    main()
