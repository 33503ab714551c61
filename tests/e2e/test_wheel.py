"""The wheel, installed where there is no checkout: commands and functions work, and what can't says what it needs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
UV = ROOT / ".tools" / "bin" / "uv"


def run(*command: str | Path, at: Path = ROOT, **more: str) -> subprocess.CompletedProcess:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    return subprocess.run([*map(str, command)], check=False, cwd=at, capture_output=True, text=True, env=clean | more)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder beside no checkout, and the programs of an environment with the wheel and what it asks for."""
    uv = shutil.which("uv") or UV
    folder = tmp_path_factory.mktemp("installed")
    steps = (
        (uv, "build", "--wheel", "--out-dir", folder / "dist", ROOT),
        (uv, "venv", "--python", sys.executable, folder / "venv"),
    )
    for step in steps:
        made = run(*step)
        assert made.returncode == 0, made.stderr
    (wheel,) = (folder / "dist").glob("*.whl")
    # The versions that are tested; without them the newest would be.
    pins = ("--constraint", ROOT / "requirements-dev.txt")
    made = run(uv, "pip", "install", "--python", folder / "venv" / "bin" / "python", *pins, wheel)
    assert made.returncode == 0, made.stderr
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"income": rng.normal(size=1200), "plan": rng.choice(["a", "b"], 1200)})
    rows["left"] = (rng.random(1200) < 1 / (1 + np.exp(-2 * rows["income"]))).astype(int)
    rows.to_csv(folder / "rows.csv", index=False)
    return folder


@pytest.mark.slow
def test_the_wheel_installs_two_packages_and_nothing_called_infra(installed):
    """`selfheal` and `selfheal_tools` can be imported, `infra` and `tests` can't."""
    code = (
        "from importlib.util import find_spec as f; print(*map(f, ('selfheal', 'selfheal_tools', 'infra')), sep='\\n')"
    )
    found = run(installed / "venv" / "bin" / "python", "-c", code, at=installed).stdout.splitlines()
    assert [line.startswith("ModuleSpec") for line in found] == [True, True, False]


@pytest.mark.slow
def test_commands_that_need_no_checkout_work(installed):
    """A contract is drafted, a backtest run, two files compared, the bill of a stage told, the version shown."""
    selfheal = installed / "venv" / "bin" / "selfheal"
    commands = {
        ("--version",): 0,
        ("contract", "infer", "rows.csv", "--target", "left", "--out", "contract.toml"): 0,
        ("backtest", "--contract", "contract.toml", "--data", "rows.csv", "--periods", "2", "--policies", "healed"): 0,
        ("drift", "--contract", "contract.toml", "--reference", "rows.csv", "--current", "rows.csv"): 0,
        ("cost", "--requests-per-day", "1000"): 0,
    }
    for arguments, code in commands.items():
        done = run(selfheal, *arguments, at=installed)
        assert done.returncode == code, (arguments, done.stdout, done.stderr)


@pytest.mark.slow
def test_what_needs_the_checkout_says_so(installed):
    """The demo deploys the template, which the wheel doesn't hold."""
    done = run(installed / "venv" / "bin" / "selfheal", "demo", at=installed)
    assert done.returncode == 1
    assert "checkout" in done.stderr


@pytest.mark.slow
def test_functions_work_where_the_wheel_is_installed(installed):
    """`import selfheal as sh` judges a frame, and the backtest finds the operator's tools."""
    code = (
        "import pandas as pd, selfheal as sh; rows = pd.read_csv('rows.csv')\n"
        "print(sh.drift(rows, rows).verdict)\n"
        "print(list(sh.backtest(rows, target='left', periods=2, policies=['frozen']).to_frame().index))\n"
    )
    done = run(installed / "venv" / "bin" / "python", "-c", code, at=installed)
    assert done.stdout.split("\n")[:2] == ["no_drift", "['frozen']"], done.stderr
