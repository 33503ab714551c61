def handler(event, _):
    return {"kind": "promote", "saw": sorted(event)}
