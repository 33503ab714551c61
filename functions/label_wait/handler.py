"""Label wait: has enough truth arrived for the gates to judge?"""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from selfheal.composition import settings_of, stores_of, system_clock
from selfheal.records.healing import Healing, Training
from selfheal.settings import LabelWaitSettings
from selfheal.stores.collection import Stores
from selfheal.usecases.heal.await_labels import await_labels

logger = Logger(service="label_wait")


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda passes it
    """The state machine's state in, `LabelProgress` out."""
    progress = await_labels(
        _stores(), Healing.model_validate(event["healing"]), Training.model_validate(event["training"]), system_clock()
    )
    logger.info(progress.reason)
    return progress.model_dump(mode="json")


@cache
def _stores() -> Stores:
    return stores_of(settings_of(LabelWaitSettings))
