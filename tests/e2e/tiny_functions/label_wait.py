import time

from selfheal.composition import system_clock


def handler(event, _):
    if "sleep" in event:
        time.sleep(event["sleep"])
    return {"ready": system_clock().hour >= 12, "wait_seconds": 3600}
