"""The shape of the house: imports run one way only, and boto3 lives in one place."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from selfheal_tools.backtest.stores import NothingToRollUp, RememberedHistory, ReplayStores

LIBRARY = Path(__file__).parents[2] / "layers" / "core" / "python" / "selfheal"
FUNCTIONS = Path(__file__).parents[2] / "functions"
INFRA = Path(__file__).parents[2] / "infra"
COMMANDS = INFRA / "tools" / "selfheal_tools" / "cli"

IMPURE = {"boto3", "botocore", "os", "logging", "aws_lambda_powertools"}


def modules_below(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def kind_of(path: Path) -> str:
    first = path.relative_to(LIBRARY).parts[0]
    kinds = {"stores": "store", "usecases": "use case", "composition.py": "root", "frames": "entry point"}
    return kinds.get(first, "pure")


def modules_of(*kinds: str) -> list[Path]:
    return [path for path in modules_below(LIBRARY) if kind_of(path) in kinds]


def named(path: Path) -> str:
    return str(path.relative_to(LIBRARY))


@pytest.mark.parametrize("path", modules_of("pure"), ids=named)
def test_pure_modules_import_neither_stores_nor_use_cases_nor_the_outside(path: Path):
    """A pure module takes numbers and gives verdicts: no storage, no environment, no logging."""
    for name in imports_of(path):
        assert name.split(".")[0] not in IMPURE, f"{name} in a pure module"
        assert not name.startswith(("selfheal.stores", "selfheal.usecases", "selfheal.composition")), name


def test_what_judges_knows_targets_by_their_port_alone():
    """Gates, bets, monitoring and use cases work for every kind of target: none of them imports one kind's module."""
    rooms = ("gates", "healing", "monitoring", "performance", "drift", "usecases", "stores")
    kinds = tuple(f"selfheal.tasks.{kind.name}" for kind in (LIBRARY / "tasks").iterdir() if kind.is_dir())
    paths = [path for room in rooms for path in modules_below(LIBRARY / room)]
    assert [path for path in paths if any(name.startswith(kinds) for name in imports_of(path))] == []


@pytest.mark.parametrize("path", modules_of("store"), ids=named)
def test_stores_import_no_use_case(path: Path):
    """Storage doesn't know what it is used for."""
    assert not any(name.startswith(("selfheal.usecases", "selfheal.composition")) for name in imports_of(path))


@pytest.mark.parametrize("path", modules_of("use case"), ids=named)
def test_use_cases_get_the_outside_handed_in(path: Path):
    """A use case makes no SDK client and reads no environment: it works on whatever stores it is given."""
    assert not {name.split(".")[0] for name in imports_of(path)} & {"boto3", "botocore", "os"}


@pytest.mark.parametrize("path", modules_below(LIBRARY), ids=named)
def test_models_are_known_by_their_ports_alone(path: Path):
    """Whoever judges, monitors or stores knows neither what a format holds nor how a trainer works."""
    room = path.relative_to(LIBRARY).parts[0]
    inside = ("selfheal.models.native", "selfheal.training")
    known = {name for name in imports_of(path) if name.startswith(inside)}
    if room not in {"models", "training"}:
        assert not known
    if path.parent.name == "models":
        assert path.name in {"formats.py", "trainers.py"} or not known
    if "native" in path.parts:
        assert not any(name.startswith("selfheal.training") for name in known)


def test_what_faces_the_internet_loads_models_without_what_fits_them():
    """Importing the formats imports neither scikit-learn, scipy nor pandas."""
    code = "import sys, selfheal.models.formats; print({'sklearn', 'scipy', 'pandas'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_entry_points_alone_know_the_composition_root():
    """What reads clock and environment is called where a process begins: by handlers, commands and programs."""
    everything = [*modules_below(LIBRARY), *modules_below(FUNCTIONS), *modules_below(INFRA)]
    users = {p for p in everything if any(name.startswith("selfheal.composition") for name in imports_of(p))}
    handlers = {p for p in modules_below(FUNCTIONS) if p.name in {"handler.py", "start.py"}}
    from_python = {LIBRARY / "frames" / "functions.py", COMMANDS.parent / "backtest" / "frames.py"}
    connection = COMMANDS.parent / "connection.py"
    assert users <= handlers | from_python | {connection} | set(modules_below(COMMANDS))
    assert users >= {FUNCTIONS / "drift" / "handler.py", connection}


def test_only_stores_and_the_composition_root_know_boto3():
    """The SDK appears where storage is, and where its clients are made."""
    users = {
        kind_of(p) for p in modules_below(LIBRARY) if any(n.startswith(("boto3", "botocore")) for n in imports_of(p))
    }
    assert users <= {"store", "root"}


@pytest.mark.parametrize("path", modules_of("pure", "store", "use case"), ids=named)
def test_nothing_below_the_root_reads_a_clock(path: Path):
    """Time is an argument, so that a month can be replayed in a second."""
    called = {
        f"{node.func.value.id}.{node.func.attr}"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name)
    }
    assert not called & {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time"}


def public_functions(body: list[ast.stmt]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node.body)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node


def raised_in(node: ast.AST) -> Iterator[str]:
    """Names of the errors that a function itself raises; functions within it and helpers left out."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(child, ast.Raise) and isinstance(child.exc, ast.Call) and isinstance(child.exc.func, ast.Name):
            yield from [child.exc.func.id] if child.exc.func.id[0].isupper() else []
        yield from raised_in(child)


def test_every_public_function_that_raises_lists_it():
    """Its docstring names each error, or says with "See" whose it shares; a command's docstring is its help instead."""
    everything = [*modules_below(LIBRARY), *modules_below(FUNCTIONS), *modules_below(INFRA)]
    silent = [
        f"{path}: {function.name} raises {error}"
        for path in everything
        if path.parent != COMMANDS
        for function in public_functions(ast.parse(path.read_text(encoding="utf-8")).body)
        for error in raised_in(function)
        if not any(word in (ast.get_docstring(function) or "") for word in (error, "See "))
    ]
    assert silent == []


def test_nothing_on_the_operators_side_imports_the_commands():
    """Commands call the demo, the backtest and the rest; none of these knows that there are commands."""
    others = [path for path in modules_below(INFRA) if path.parent != COMMANDS]
    assert [path for path in others if any(name.startswith("selfheal_tools.cli") for name in imports_of(path))] == []


def mypy_settings() -> dict[str, Any]:
    return tomllib.loads((FUNCTIONS.parent / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]


def test_every_function_is_type_checked():
    """mypy is given packages by name: a new function's belongs to them."""
    deployed = {path.parent.name for path in FUNCTIONS.glob("*/handler.py")}
    assert deployed <= set(mypy_settings()["packages"])


def test_what_is_used_of_the_cdk_keeps_its_types():
    """mypy passes over the CDK's other services: whatever is imported of it has to be named."""
    named = {
        name
        for each in mypy_settings()["overrides"]
        if each.get("follow_imports") == "normal"
        for name in each["module"]
    }
    names = {name for path in modules_below(INFRA) for name in imports_of(path) if name.startswith("aws_cdk.aws_")}
    assert {".".join(name.split(".")[:2]) for name in names} <= named


@pytest.mark.parametrize("path", modules_below(FUNCTIONS), ids=lambda path: str(path.relative_to(FUNCTIONS)))
def test_handlers_are_thin(path: Path):
    """A handler only translates: sixty lines at the most."""
    if path.name == "handler.py":
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 60


def test_one_place_makes_consoles_and_columns_of_text_take_no_markup():
    """What commands print is data: rich reads markup in it unless it is told not to, and one module tells it."""
    for path in modules_below(INFRA):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id != "Console" or path.name == "terminal.py", path
                if node.func.id == "TextColumn":
                    assert any(keyword.arg == "markup" for keyword in node.keywords), path


def test_the_backtests_stores_leave_private_methods_of_stores_alone():
    """A replay keeps what it has parsed by overriding what stores offer to all, and by handing in a parser."""
    for kind in (RememberedHistory, NothingToRollUp, ReplayStores):
        inherited = {name for base in kind.__mro__[1:] for name in vars(base) if not name.startswith("__")}
        assert [name for name in vars(kind) if name.startswith("_") and name in inherited] == []
