"""Gate evaluation: production and shadow on the same unseen rows, seven gates, one verdict."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from selfheal.composition import settings_of, stores_of, system_clock
from selfheal.records.healing import Healing, Training
from selfheal.settings import GateEvaluationSettings
from selfheal.stores.collection import Stores
from selfheal.usecases.heal.evaluate_gates import evaluate_gates

logger = Logger(service="gate_evaluation")


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda passes it
    """The state machine's state in, `Verdict` out."""
    verdict = evaluate_gates(
        _stores(), Healing.model_validate(event["healing"]), Training.model_validate(event["training"]), system_clock()
    )
    logger.info(verdict.reason)
    return verdict.model_dump(mode="json")


@cache
def _stores() -> Stores:
    return stores_of(settings_of(GateEvaluationSettings))
