"""Our own policy: the deployed functions' use cases over buckets in memory, on a clock that jumps from event to event.

Requests are answered as they come. Labels are uploaded at the ends of periods. Monitoring runs so many times a period,
the last time at its end, when the labels are in; a version promoted then answers from the next period on.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from itertools import batched
from typing import Any

import numpy as np
import orjson
import pandas as pd
from numpy.typing import NDArray

from selfheal.contract import Contract
from selfheal.contract.request import Row, Rows
from selfheal.data.labels import TargetValues
from selfheal.data.moments import as_datetime64
from selfheal.files.limits import UPLOAD
from selfheal.models.formats import model_of
from selfheal.models.ports import Model
from selfheal.records.healing import Conclusion, Healing, Training
from selfheal.records.labels import Upload
from selfheal.records.ledger import Decision
from selfheal.records.monitoring import DriftSummary
from selfheal.records.predictions import Prediction
from selfheal.stores.collection import Stores
from selfheal.tables.table import columns_of
from selfheal.tasks import task_for
from selfheal.tasks.coding import coded_answers
from selfheal.tasks.port import Floats
from selfheal.usecases.heal.train_shadow import train_shadow
from selfheal.usecases.labels.ingest import ingest_labels
from selfheal.usecases.monitor.monitor import monitor
from selfheal.usecases.registry.bootstrap import bootstrap
from selfheal.usecases.serve.predict import predict
from selfheal.usecases.serve.production_model import ProductionModel
from selfheal_tools.backtest.executions import InProcessExecutions
from selfheal_tools.backtest.looks import looks_of
from selfheal_tools.backtest.model_cache import ModelCache
from selfheal_tools.backtest.policy_runs import Change, PolicyRun, Scorer
from selfheal_tools.backtest.records import Looks
from selfheal_tools.backtest.scoring import Answers
from selfheal_tools.backtest.stores import ReplayStores
from selfheal_tools.backtest.stream import Request, Span, Stream

ACTOR = "backtest"
SAID = {"probability", "prediction", "probabilities"}


@dataclass(frozen=True, eq=False)
class Served:
    """What production answered: `said` has a prediction a row of traffic, `versions` who made it, shape (rows,).

    decisions: the whole ledger.
    """

    said: Sequence[Mapping[str, Any]]
    versions: NDArray[np.object_]
    decisions: tuple[Decision, ...]
    stores: Stores
    trainings: int
    looks: Looks

    def policy_run(self, stream: Stream, contract: Contract, seconds: float) -> PolicyRun:
        """The same as a policy's run that can be compared."""
        traffic, task = stream.traffic, task_for(contract, stream.initial.labels)
        answers = Answers(traffic.timestamps, traffic.labels, *coded_answers(self.said, contract), task)
        decided = [decision for decision in self.decisions if decision.kind != "bootstrap"]
        changes = tuple(_change(decision, stream) for decision in decided)
        return PolicyRun(answers, self.versions, changes, self.trainings, seconds, self._scorer(stream))

    def _scorer(self, stream: Stream) -> Scorer:
        @cache
        def model(version: str) -> Model:
            return model_of(self.stores.models.manifest(version), self.stores.models.artefact)

        def scorer(version: str, start: int, stop: int) -> Floats:
            features = stream.traffic.features.iloc[start:stop]
            return model(version).probabilities_of(columns_of(features))

        return scorer


def _change(decision: Decision, stream: Stream) -> Change:
    decided_at = as_datetime64(decision.decided_at)
    kind: Any = decision.kind
    return Change(
        kind=kind,
        period=next(span.number for span in stream.spans if decision.decided_at <= span.ends),
        at=decision.decided_at,
        row=int(np.searchsorted(stream.traffic.timestamps, decided_at)),
        version=decision.version,
        previous_version=decision.previous_version or "",
        reason=decision.reason,
        gates=tuple(gate.gate for gate in decision.gates if not gate.passed),
    )


@dataclass
class Silence:
    """People who needn't be told."""

    sent: list[tuple[str, str]] = field(default_factory=list)

    def send(self, subject: str, body: str) -> None:
        """Keep a message."""
        self.sent.append((subject, body))


class HealedReplay:
    """One replay. `runs` is how often monitoring runs in a period; `cache` trains; `ticked` hears of each period."""

    def __init__(
        self,
        stream: Stream,
        contract: Contract,
        cache: ModelCache,
        *,
        runs: int,
        ticked: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._stream, self._contract, self._cache = stream, contract, cache
        self._runs, self._ticked = runs, ticked
        self._classes = contract.model.classes
        self.stores = ReplayStores()
        self.executions = InProcessExecutions(self.stores, self._train, self._concluded)
        self._notifications = Silence()
        self._model = ProductionModel(self.stores.pointer, self.stores.models, check_seconds=0)
        self._trainings = 0
        self._looks: list[DriftSummary] = []
        self._said: list[Mapping[str, Any]] = []
        self._versions = np.empty(len(stream.traffic), dtype=object)

    def run(self) -> Served:
        """Live through all periods."""
        values = TargetValues(positive="1", negative="0", classes=self._contract.model.classes or ())
        bootstrap(
            self.stores,
            self._stream.initial,
            self._contract,
            values,
            now=self._stream.begins,
            actor=ACTOR,
            fit=self._cache.fit,
        )
        for span in self._stream.spans:
            self._live(span)
            self._ticked(span.number)
        return Served(
            self._said,
            self._versions,
            tuple(self.stores.ledger.decisions()),
            self.stores,
            self._trainings,
            looks_of(self._looks, self._stream),
        )

    def _live(self, span: Span) -> None:
        looks = [span.begins + (span.ends - span.begins) * look / self._runs for look in range(1, self._runs)]
        events: list[tuple[datetime, Request | None]] = [(request.moment, request) for request in span.requests]
        events += [(moment, None) for moment in looks]
        for moment, request in sorted(events, key=lambda event: event[0]):
            self._heal_until(moment)
            if request is None:
                self._monitor(moment)
            else:
                self._answer(request)
        self._heal_until(span.ends)
        self._deliver(span)
        self._monitor(span.ends)

    def _heal_until(self, moment: datetime) -> None:
        """Let healings under way go on up to a moment, each state at its own time."""
        while (due := self.executions.due()) is not None and due <= moment:
            self.executions.step(due)

    def _monitor(self, now: datetime) -> None:
        minutes = max(1, round(self._interval / timedelta(minutes=1)))
        result = monitor(self.stores, self.executions, self._notifications, now=now, schedule_minutes=minutes)
        self._looks.append(DriftSummary.model_validate_json(self.stores.monitoring.read(result.summary)))
        self._heal_until(now)

    @property
    def _interval(self) -> timedelta:
        spans = self._stream.spans
        return (spans[-1].ends - spans[0].begins) / (len(spans) * self._runs)

    def _answer(self, request: Request) -> None:
        rows = self._rows(request)
        model = self._model.current(request.moment)
        answer = predict(model, self.stores.prediction_log, rows, now=request.moment, request_id=request.identifier)
        self._said.extend(_what_was_said(prediction) for prediction in answer.predictions)
        self._versions[request.start : request.stop] = model.version

    def _rows(self, request: Request) -> Rows:
        features = self._stream.traffic.features.iloc[request.start : request.stop]
        return Rows(_as_values(features), many=True, columns=columns_of(features))

    def _deliver(self, span: Span) -> None:
        """Upload the labels that arrive at the end of a period, as many a file as one may have, and take them in."""
        due = self._stream.traffic.take(self._stream.delivered(span.number))
        labels = due.labels.tolist()
        texts = [self._classes[label] for label in labels] if self._classes else map(str, labels)
        pairs = zip(due.row_ids, texts, strict=True)
        for number, part in enumerate(batched(pairs, UPLOAD.rows, strict=False)):
            lines = b"".join(
                orjson.dumps({"prediction_id": row, "label": label}, option=orjson.OPT_APPEND_NEWLINE)
                for row, label in part
            )
            key = self.stores.labels.receive(f"period-{span.number:04d}-{number}.jsonl", lines)
            upload = Upload(key=key, size=len(lines), uploaded_at=span.ends)
            ingest_labels(self.stores, upload)

    def _train(self, stores: Stores, healing: Healing, now: datetime) -> Training:
        training = train_shadow(stores, healing, now, fit=self._cache.fit)
        self._trainings += training.outcome == "trained"
        return training

    def _concluded(self, conclusion: Conclusion) -> None:
        self._notifications.send(f"selfheal: {conclusion.decision.kind}", conclusion.sentence)


def _what_was_said(prediction: Prediction) -> Mapping[str, Any]:
    """Without the row that was asked about, which is in the log."""
    return {name: value for name, value in prediction.items() if name in SAID}


def _as_values(features: pd.DataFrame) -> list[Row]:
    """Rows as a request holds them: missing as None."""
    columns = {str(name): _plain(features[name]) for name in features}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _plain(column: pd.Series) -> list[float | str | None]:
    if column.dtype == np.float64:
        return [None if value != value else value for value in column.tolist()]  # noqa: PLR0124 - NaN isn't itself
    return column.tolist()
