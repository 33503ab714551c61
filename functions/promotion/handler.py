"""Promotion: the decision that ends a healing, and the swap that it may bring."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from selfheal.composition import settings_of, stores_of, system_clock
from selfheal.healing.state import result_of
from selfheal.records.healing import Healing
from selfheal.settings import PromotionSettings
from selfheal.stores.collection import Stores
from selfheal.usecases.heal.conclude import conclude

logger = Logger(service="promotion")


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda passes it
    """The state machine's state in, `Conclusion` out."""
    conclusion = conclude(_stores(), Healing.model_validate(event["healing"]), result_of(event), system_clock())
    logger.info(conclusion.sentence, extra={"decision": conclusion.decision.decision_id})
    return conclusion.model_dump(mode="json")


@cache
def _stores() -> Stores:
    return stores_of(settings_of(PromotionSettings))
