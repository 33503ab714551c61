"""BentoML as its documentation shows it for scikit-learn."""

from __future__ import annotations

from typing import Any

import bentoml
import pandas as pd


@bentoml.service
class Peer:
    def __init__(self) -> None:
        self.model = bentoml.sklearn.load_model("peer:latest")

    @bentoml.api
    def predict(self, row: dict[str, Any]) -> float:
        return float(self.model.predict_proba(pd.DataFrame([row]).astype("float64"))[0, 1])
