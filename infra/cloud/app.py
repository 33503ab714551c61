"""The CDK app: `python -m infra.cloud.app` synthesises every template into `cdk.out`, without Docker or an account."""

import json
import os
from pathlib import Path
from typing import Any

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks

from infra.cloud.data_stack import DataStack
from infra.cloud.service_stack import ServiceStack
from infra.cloud.stage import stage_of

ROOT = Path(__file__).parents[2]


def build_app(outdir: Path, context: dict[str, Any] | None = None) -> App:
    """The app with all its stacks; what the CDK command line passes as context goes before `context`."""
    configured = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    app = App(outdir=str(outdir), context={**configured, **(context or {})}, analytics_reporting=False)
    stage = stage_of(app.node)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    data = DataStack(app, f"selfheal-{stage.name}-data", stage=stage)
    ServiceStack(app, f"selfheal-{stage.name}-service", stage=stage, data=data)
    return app


if __name__ == "__main__":
    build_app(Path(os.environ.get("CDK_OUTDIR", ROOT / "cdk.out"))).synth()
