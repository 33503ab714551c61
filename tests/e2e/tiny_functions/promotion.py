def handler(event, _):
    kind = "failed" if "failure" in event else event["verdict"]["kind"]
    return {"decision": {"kind": kind}, "applied": True, "sentence": f"concluded with {sorted(event)}"}
