"""The local cloud with small functions: the real template and packages, whose handlers only show what reaches them."""

import json
import shutil
from pathlib import Path

import pytest

TINY_FUNCTIONS = Path(__file__).parent / "tiny_functions"


@pytest.fixture(scope="session")
def tiny_assembly(assembly_folder, tmp_path_factory) -> Path:
    """A copy of the real assembly with other handlers, and a short timeout for one of them."""
    folder = tmp_path_factory.mktemp("assembly") / "cdk.out"
    shutil.copytree(assembly_folder, folder)
    for package in folder.glob("asset.*/**/__init__.py"):
        replacement = TINY_FUNCTIONS / f"{package.parent.name}.py"
        if replacement.exists() and "selfheal" not in package.parts:
            shutil.copy(replacement, package.parent / "handler.py")
    _shorten_timeout(folder / "selfheal-dev-service.template.json", "label_wait")
    return folder


def _shorten_timeout(template: Path, function: str) -> None:
    content = json.loads(template.read_text(encoding="utf-8"))
    for resource in content["Resources"].values():
        if f"{function}.handler" in json.dumps(resource.get("Properties", {}).get("ImageConfig", {})):
            resource["Properties"]["Timeout"] = 1
    template.write_text(json.dumps(content), encoding="utf-8")
