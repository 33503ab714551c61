import json
import os

from selfheal.composition import system_clock

calls = []


def handler(event, context):
    calls.append(event)
    seen = {"event": event, "now": system_clock().isoformat(), "calls": len(calls), "pid": os.getpid()}
    if event.get("rawPath") == "/fail":
        raise RuntimeError("asked to")
    if event.get("rawPath") == "/exit":
        os._exit(3)
    if event.get("rawPath") == "/plain":
        return {"no": "status"}
    if event.get("rawPath") == "/bytes":
        return {"statusCode": 203, "headers": {"Content-Type": "image/png"}, "body": "AAH/", "isBase64Encoded": True}
    return {
        "statusCode": 201,
        "headers": {"content-type": "application/json", "x-remaining": str(context.get_remaining_time_in_millis())},
        "cookies": ["a=1", "b=2"],
        "body": json.dumps(seen),
    }
