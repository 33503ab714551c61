"""The roll-up of a large hour: the three steps that its state machine asks for."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger

from selfheal.composition import settings_of, stores_of
from selfheal.records.hours import HourAsked, HourPlan
from selfheal.settings import HourRollUpSettings
from selfheal.stores.collection import Stores
from selfheal.usecases.roll_up.part import roll_up_part
from selfheal.usecases.roll_up.plan import plan_hour
from selfheal.usecases.roll_up.reduce import reduce_hour

logger = Logger(service="hour_roll_up")


def handler(event: dict[str, Any], _: object) -> dict[str, Any]:
    """`plan`: an hour in, `HourPlan` out; `part` and `reduce`: that plan in, what became of it out."""
    match event["step"]:
        case "plan":
            done = plan_hour(_stores(), HourAsked.model_validate(event).hour)
        case "part":
            done = roll_up_part(_stores(), HourPlan.model_validate(event["plan"]), event["part"])
        case _:
            done = reduce_hour(_stores(), HourPlan.model_validate(event["plan"]))
    logger.info(event["step"], extra={"done": done.model_dump(mode="json")})
    return done.model_dump(mode="json")


@cache
def _stores() -> Stores:
    return stores_of(settings_of(HourRollUpSettings))
