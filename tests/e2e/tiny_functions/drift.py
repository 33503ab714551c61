import json

import boto3

from selfheal.composition import settings_of, stores_of, system_clock
from selfheal.settings import DriftSettings


def handler(event, _):
    settings = settings_of(DriftSettings)
    now = system_clock().isoformat()
    stores_of(settings).data.put(f"monitoring/{now}", json.dumps(event).encode())
    if event.get("heal"):
        boto3.client("stepfunctions").start_execution(
            stateMachineArn=settings.state_machine_arn,
            name=event["heal"],
            input=json.dumps({"healing": {"production_version": "v1", "execution": event["heal"]}}),
        )
    return {"now": now}
