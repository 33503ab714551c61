"""`answer_once.py module event.json`: a whole process from its start to its first answer."""

import importlib
import json
import sys
from pathlib import Path

module, event = sys.argv[1:]
answer = importlib.import_module(module).handler(json.loads(Path(event).read_text()), None)
if answer["statusCode"] != 200:
    sys.exit(json.dumps(answer))
