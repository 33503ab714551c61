"""`answer_once.py module event.json`: a whole process from its start to its first answer; prints its peak memory in kB.

From /proc: what wait4 tells counts the parent's memory before the program was loaded.
"""

import importlib
import json
import sys
from pathlib import Path

module, event = sys.argv[1:]
answer = importlib.import_module(module).handler(json.loads(Path(event).read_text()), None)
if answer["statusCode"] != 200:
    sys.exit(json.dumps(answer))
(peak,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
print(peak.split()[1])
