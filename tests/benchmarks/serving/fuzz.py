"""`make fuzz-api`: Schemathesis against the API of the local cloud, with at least 5,000 examples.

Every answer has to have the documented status, media type and shape; none may be a 5xx; what the document allows has to
be accepted and what it forbids refused.
"""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from infra.local import LocalCloud
from infra.local.synthesis import synthesised
from tests.benchmarks.environments import BUILD, environment
from tests.support.serving import promote, write_version

EXAMPLES = 5000
# POST /predict and POST /labels get most of them; the others take no input.
EXAMPLES_PER_OPERATION = 2600
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,negative_data_rejection,positive_data_acceptance,unsupported_method"
)


def main() -> int:
    """Deploy, fuzz, and say how many examples were sent; 0 where nothing was found."""
    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with LocalCloud.deploy(synthesised(), start=start, work_dir=BUILD / "fuzz") as cloud:
        write_version(cloud.stores, "v1")
        promote(cloud.stores, "v1")
        status = _schemathesis(cloud.url)
    sent = _sent(BUILD / "fuzz" / "report.ndjson")
    print(f"{sent} examples")
    return status if sent >= EXAMPLES else 1


def _schemathesis(url: str) -> int:
    python = environment("schemathesis", "schemathesis>=4.32,<5")
    command = [str(python.parent / "schemathesis"), "run", f"{url}/openapi.json", "--checks", CHECKS, "--seed", "1"]
    command += ["--max-examples", str(EXAMPLES_PER_OPERATION), "--phases", "examples,coverage,fuzzing", "--no-color"]
    command += ["--report", "ndjson", "--report-ndjson-path", str(BUILD / "fuzz" / "report.ndjson")]
    command += ["--suppress-health-check", "all", "--continue-on-failure"]
    hooks = {**os.environ, "SCHEMATHESIS_HOOKS": "fuzz_hooks", "PYTHONPATH": str(Path(__file__).parent)}
    return subprocess.run(command, check=False, cwd=BUILD, env=hooks).returncode


def _sent(report: Path) -> int:
    lines = report.read_text(encoding="utf-8").splitlines()
    return sum(len(json.loads(line).get("ScenarioFinished", {}).get("recorder", {}).get("cases", {})) for line in lines)


if __name__ == "__main__":
    sys.exit(main())
