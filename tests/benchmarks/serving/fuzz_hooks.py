"""Loaded by Schemathesis: a key is a new one with every request, as a key with another body is refused rightly."""

from itertools import count

import schemathesis

KEY = "Idempotency-Key"
MAXIMUM = 255
numbers = count()


@schemathesis.hook
def before_call(context, case, kwargs):
    key = (case.headers or {}).get(KEY)
    if isinstance(key, str) and 0 < len(key) <= MAXIMUM:
        case.headers[KEY] = f"{next(numbers)}-{key}"[:MAXIMUM]
