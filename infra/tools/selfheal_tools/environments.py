"""What the stages of cdk.json consist of, written down so that a bill needs no synthesis of ten seconds.

`python -m selfheal_tools.environments` writes the file anew; a test fails where it isn't what the templates say.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from selfheal_tools.checkout import check_checkout, is_checkout
from selfheal_tools.cost import Environment, environment_of

PATH = Path(__file__).parent / "environments.json"
SETTINGS = Path(__file__).parents[3] / "cdk.json"


def environment(stage: str) -> Environment:
    """A stage as it would be deployed now: as written down, or synthesised where cdk.json has changed since.

    Raises:
        SynthesisFailed: with what the CDK app printed.
        CheckoutMissing: the installed package doesn't know the stage.
    """
    written = json.loads(PATH.read_text(encoding="utf-8"))
    if stage in written["environments"] and (not is_checkout() or written["context"] == _context()):
        found = written["environments"][stage]
        return Environment(**{**found, "snapshots": tuple(found["snapshots"])})
    return synthesised_environment(stage)


def synthesised_environment(stage: str) -> Environment:
    """The same from the stage's templates. Raises SynthesisFailed, CheckoutMissing."""
    check_checkout(f"the bill of stage {stage!r}")
    from infra.local.synthesis import synthesised  # the local cloud is heavy

    folder = synthesised(stage=stage)
    service, data = (
        json.loads((folder / f"selfheal-{stage}-{name}.template.json").read_text(encoding="utf-8"))
        for name in ("service", "data")
    )
    return environment_of(service, data)


def text() -> str:
    """The file as it is committed."""
    context = _context()
    environments = {stage: asdict(synthesised_environment(stage)) for stage in context["stages"]}
    return json.dumps({"context": context, "environments": environments}, indent=2) + "\n"


def _context() -> dict[str, Any]:
    context: dict[str, Any] = json.loads(SETTINGS.read_text(encoding="utf-8"))["context"]
    return context


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
