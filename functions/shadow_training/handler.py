"""Shadow training: a new version from production's training set and the rows labelled since."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from selfheal.composition import budget_of, settings_of, stores_of, system_clock
from selfheal.records.healing import Healing
from selfheal.settings import ShadowTrainingSettings
from selfheal.stores.collection import Stores
from selfheal.usecases.heal.train_shadow import train_shadow

logger = Logger(service="shadow_training")


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda passes it
    """The state machine's state in, `Training` out."""
    budget = budget_of(settings_of(ShadowTrainingSettings).budget_seconds)
    training = train_shadow(_stores(), Healing.model_validate(event["healing"]), system_clock(), check_budget=budget)
    logger.info(training.reason)
    return training.model_dump(mode="json")


@cache
def _stores() -> Stores:
    return stores_of(settings_of(ShadowTrainingSettings))
