"""`answer_often.py module event.json calls`: seconds of each call of a warm handler, as a JSON list."""

import importlib
import json
import sys
import time
from pathlib import Path

module, path, calls = sys.argv[1:]
handler, event = importlib.import_module(module).handler, json.loads(Path(path).read_text())
for _ in range(max(3, int(calls) // 10)):
    if (answer := handler(event, None))["statusCode"] != 200:
        sys.exit(json.dumps(answer))
seconds = []
for _ in range(int(calls)):
    started = time.perf_counter()
    handler(event, None)
    seconds.append(time.perf_counter() - started)
print(json.dumps(seconds))
