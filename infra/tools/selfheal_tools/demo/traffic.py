"""A client as users would write one: asks the API over HTTP, keeps the answers and the truth that comes later."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
import pandas as pd
from numpy.typing import NDArray

from selfheal.contract import Contract
from selfheal.errors import SelfhealError


class DemoFailed(SelfhealError):
    """The demo could not go on; the message says at which step, and where the logs are."""


@dataclass(frozen=True, eq=False)
class Rows:
    """n rows that will be asked about: features as the contract types them, and the truth as training takes it."""

    features: pd.DataFrame
    labels: NDArray[Any]

    def __len__(self) -> int:
        return len(self.labels)

    def part(self, start: int, stop: int) -> "Rows":
        """Rows start to stop, stop left out."""
        return Rows(self.features.iloc[start:stop], self.labels[start:stop])


@dataclass(frozen=True, slots=True)
class Answered:
    """One answered row.

    answer: what the model said: a probability, one of each class, or a number. prediction and truth as training takes
    labels; label: the truth as users write it.
    """

    moment: datetime
    act: str
    prediction_id: str
    model_version: str
    answer: Any
    prediction: Any
    truth: Any
    label: Any


class Client:
    """Asks one API and remembers every answer."""

    def __init__(self, url: str, contract: Contract) -> None:
        self._http = httpx.Client(base_url=url, timeout=60)
        self._contract = contract
        self.answered: list[Answered] = []

    def ask(self, rows: Rows, moment: datetime, act: str) -> list[Answered]:
        """Send rows in one request; returns what came back. Raises DemoFailed where the API doesn't answer."""
        answer = self._http.post("/predict", json={"rows": as_json_rows(rows.features, self._contract)})
        if answer.status_code != httpx.codes.OK:
            raise DemoFailed(f"the API answered {answer.status_code} to {len(rows)} rows: {answer.text[:500]}")
        body = answer.json()
        version = body["model_version"]
        answered = [
            Answered(moment, act, row["prediction_id"], version, *self._said(row), truth, self._written(truth))
            for row, truth in zip(body["predictions"], rows.labels.tolist(), strict=True)
        ]
        self.answered.extend(answered)
        return answered

    def _said(self, row: dict[str, Any]) -> tuple[Any, Any]:
        """The answer and the prediction of a row."""
        classes = self._contract.model.classes
        if classes is not None:
            return [row["probabilities"][name] for name in classes], classes.index(row["prediction"])
        return row.get("probability", row["prediction"]), row["prediction"]

    def _written(self, truth: float) -> Any:
        classes = self._contract.model.classes
        return truth if classes is None else classes[int(truth)]

    def close(self) -> None:
        """End the connections."""
        self._http.close()

    def serving_version(self) -> str:
        """The version that the API itself names."""
        return str(self._http.get("/model").json()["model_version"])


def as_json_rows(features: pd.DataFrame, contract: Contract) -> list[dict[str, Any]]:
    """Rows as a client sends them: missing as null, whole numbers as such."""
    columns = {name: _as_json(features[name], contract.features[name].type) for name in contract.feature_names}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _as_json(column: pd.Series, kind: str) -> list[Any]:
    convert = {"category": str, "number": float, "integer": int, "boolean": bool}[kind]
    return [None if pd.isna(value) else convert(value) for value in column]
