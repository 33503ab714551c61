"""`python -m tests.benchmarks.refusals.predictor ROUNDS CALLS SHARE`: a warm predictor's answers, one after another.

In turn CALLS answers while S3 refuses nothing and CALLS while it refuses a share of its calls. Standard output holds
the function's log, as in Lambda; the last line of standard error holds what was measured.
"""

import json
import os
import sys
import time
from urllib.request import urlopen

from predictor.handler import handler
from tests.support.serving import ROW, event

WARM_UP = 50
REQUEST = {**event("http_predict"), "body": json.dumps(ROW)}


def main() -> None:
    """Answer, and tell: predictions a second of each round, without and with refusals, and every answer's id."""
    rounds, calls, share = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    answers = [handler(REQUEST, None) for _ in range(WARM_UP)]
    rates = []
    for _ in range(rounds):
        pair = []
        for refused in (0.0, share):
            urlopen(f"{os.environ['AWS_ENDPOINT_URL']}/refuse/{refused}").close()  # noqa: S310 - on this machine
            started = time.perf_counter()
            answers += [handler(REQUEST, None) for _ in range(calls)]
            pair.append(calls / (time.perf_counter() - started))
        rates.append(pair)
    bodies = [json.loads(answer["body"]) for answer in answers if answer["statusCode"] == 200]
    told = {"rates": rates, "asked": len(answers), "ids": [body["prediction_id"] for body in bodies]}
    print(json.dumps(told), file=sys.stderr)


if __name__ == "__main__":
    main()
