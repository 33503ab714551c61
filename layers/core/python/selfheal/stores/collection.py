"""The collection of all stores: what a use case is handed.

Stores are made when first asked for, and imported then: the predictor's package holds no pandas, and never asks for one
that needs it.
"""

from functools import cached_property
from typing import TYPE_CHECKING

from selfheal.stores.bucket import Bucket

if TYPE_CHECKING:
    from selfheal.stores.batches import BatchStore
    from selfheal.stores.evidence import EvidenceStore
    from selfheal.stores.fault_periods import FaultPeriods
    from selfheal.stores.history import PredictionHistory
    from selfheal.stores.hour_parts import HourParts
    from selfheal.stores.id_index import IdIndex
    from selfheal.stores.idempotency import IdempotencyStore
    from selfheal.stores.labels import LabelStore
    from selfheal.stores.labels_by_id import LabelsById
    from selfheal.stores.ledger import Ledger
    from selfheal.stores.monitoring import MonitoringStore
    from selfheal.stores.pointer import ProductionPointer
    from selfheal.stores.prediction_log import PredictionLog
    from selfheal.stores.probations import ProbationStore
    from selfheal.stores.progress import TrainingProgress
    from selfheal.stores.registry import ModelRegistry
    from selfheal.stores.rollups import HourlyRollups
    from selfheal.stores.stream import Stream
    from selfheal.stores.summaries import SummaryStore
    from selfheal.stores.undelivered import UndeliveredLog


class Stores:
    """All stores over the two buckets, each made when first asked for.

    stream: what requests are logged by, None where that is the prediction log itself.
    """

    def __init__(self, data: Bucket, registry: Bucket, stream: "Stream | None" = None) -> None:
        self.data = data
        self.registry_bucket = registry
        self.stream = stream

    @cached_property
    def prediction_log(self) -> "PredictionLog":
        """Where the predictor logs, by itself or by a stream."""
        from selfheal.stores.prediction_log import PredictionLog

        return PredictionLog(self.data)

    @cached_property
    def undelivered(self) -> "UndeliveredLog":
        """What a stream couldn't place."""
        from selfheal.stores.undelivered import UndeliveredLog

        return UndeliveredLog(self.data)

    @cached_property
    def idempotency(self) -> "IdempotencyStore":
        """Which requests are retries."""
        from selfheal.stores.idempotency import IdempotencyStore

        return IdempotencyStore(self.data)

    @cached_property
    def history(self) -> "PredictionHistory":
        """What was logged, as tables."""
        from selfheal.stores.history import PredictionHistory

        return PredictionHistory(self.data)

    @cached_property
    def rollups(self) -> "HourlyRollups":
        """Closed hours of the prediction log."""
        from selfheal.stores.rollups import HourlyRollups

        return HourlyRollups(self.data)

    @cached_property
    def hour_parts(self) -> "HourParts":
        """Parts of large closed hours."""
        from selfheal.stores.hour_parts import HourParts

        return HourParts(self.data)

    @cached_property
    def summaries(self) -> "SummaryStore":
        """Whole hours of predictions in fixed size."""
        from selfheal.stores.summaries import SummaryStore

        return SummaryStore(self.data)

    @cached_property
    def id_index(self) -> "IdIndex":
        """Which predictions were made under a user's id."""
        from selfheal.stores.id_index import IdIndex

        return IdIndex(self.data)

    @cached_property
    def labels(self) -> "LabelStore":
        """True labels."""
        from selfheal.stores.labels import LabelStore

        return LabelStore(self.data)

    @cached_property
    def labels_by_id(self) -> "LabelsById":
        """True labels that name their predictions by users' ids."""
        from selfheal.stores.labels_by_id import LabelsById

        return LabelsById(self.data)

    @cached_property
    def batches(self) -> "BatchStore":
        """Files of rows that are to be answered."""
        from selfheal.stores.batches import BatchStore

        return BatchStore(self.data)

    @cached_property
    def monitoring(self) -> "MonitoringStore":
        """Summaries and reports."""
        from selfheal.stores.monitoring import MonitoringStore

        return MonitoringStore(self.data)

    @cached_property
    def progress(self) -> "TrainingProgress":
        """At which step trainings are."""
        from selfheal.stores.progress import TrainingProgress

        return TrainingProgress(self.data)

    @cached_property
    def fault_periods(self) -> "FaultPeriods":
        """When the data pipeline was broken."""
        from selfheal.stores.fault_periods import FaultPeriods

        return FaultPeriods(self.data)

    @cached_property
    def probations(self) -> "ProbationStore":
        """What the looks at a probation have judged."""
        from selfheal.stores.probations import ProbationStore

        return ProbationStore(self.data)

    @cached_property
    def models(self) -> "ModelRegistry":
        """Trained versions."""
        from selfheal.stores.registry import ModelRegistry

        return ModelRegistry(self.registry_bucket)

    @cached_property
    def pointer(self) -> "ProductionPointer":
        """Which version answers."""
        from selfheal.stores.pointer import ProductionPointer

        return ProductionPointer(self.registry_bucket)

    @cached_property
    def ledger(self) -> "Ledger":
        """What was decided."""
        from selfheal.stores.ledger import Ledger

        return Ledger(self.registry_bucket)

    @cached_property
    def evidence(self) -> "EvidenceStore":
        """What it was decided on."""
        from selfheal.stores.evidence import EvidenceStore

        return EvidenceStore(self.registry_bucket)
