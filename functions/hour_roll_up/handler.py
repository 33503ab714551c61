"""The roll-up of a large hour: the three steps that its state machine asks for."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger

from selfheal.composition import settings_of, stores_of
from selfheal.records.hours import HourAsked, HourPlan, HourRolledUp, PartDone
from selfheal.settings import HourRollUpSettings
from selfheal.stores.collection import Stores
from selfheal.usecases.roll_up.part import roll_up_part
from selfheal.usecases.roll_up.plan import plan_hour
from selfheal.usecases.roll_up.reduce import reduce_hour

logger = Logger(service="hour_roll_up")


def handler(event: dict[str, Any], _: object) -> dict[str, Any]:
    """`plan`: an hour in, `HourPlan` out; `part` and `reduce`: that plan in, what became of it out."""
    done = _done(event).model_dump(mode="json")
    logger.info(event["step"], extra={"done": done})
    return done


def _done(event: dict[str, Any]) -> HourPlan | PartDone | HourRolledUp:
    if event["step"] == "plan":
        return plan_hour(_stores(), HourAsked.model_validate(event).hour)
    plan = HourPlan.model_validate(event["plan"])
    if event["step"] == "part":
        return roll_up_part(_stores(), plan, event["part"])
    return reduce_hour(_stores(), plan)


@cache
def _stores() -> Stores:
    return stores_of(settings_of(HourRollUpSettings))
