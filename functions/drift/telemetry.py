"""What a run tells CloudWatch: at most ten metrics without further dimensions, for each costs money."""

from collections.abc import Mapping

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

RATIOS = frozenset({"PositiveRate", "DriftShare", "LabelCoverage", "RealisedF1", "RealisedBrier", "EstimatedF1"})


def emit(values: Mapping[str, float], namespace: str) -> None:
    """Write one record in CloudWatch's embedded metric format to the function's log."""
    metrics = Metrics(namespace=namespace, service="drift")
    for name, value in values.items():
        metrics.add_metric(name=name, unit=MetricUnit.NoUnit if name in RATIOS else MetricUnit.Count, value=value)
    metrics.flush_metrics()
