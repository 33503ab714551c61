"""A prediction service that keeps itself healthy: all the thinking (pure modules and use cases) and all the storage.

From Python, on data frames or files:

    import selfheal as sh

    sh.drift(reference, current)                 # has the data changed?
    sh.infer(frame, target="default")            # a first contract
    sh.backtest(frame, target="default")         # what would healing have brought? (needs the operator's tools)
    sh.gates(evidence)                           # may the new model replace the old one?
    sh.load("model.json").predict(frame)         # a version's answers
    sh.load("production", stage="dev")           # the one that answers now (needs the operator's tools)

Each returns a result with a verdict, `to_frame()`, and a page that notebooks show. What does the work is imported when
it is called: a function that starts pays for none of it.
"""

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from selfheal.frames.functions import drift, gates, infer, load

FUNCTIONS = {
    "drift": "selfheal.frames.functions",
    "gates": "selfheal.frames.functions",
    "infer": "selfheal.frames.functions",
    "load": "selfheal.frames.functions",
    "backtest": "selfheal_tools.backtest.frames",
}

__all__ = ["drift", "gates", "infer", "load"]


class _Package(ModuleType):
    """Two packages in here are called as functions are; `selfheal.drift` is the function whatever was imported."""

    def __getattr__(self, name: str) -> Any:
        if name not in FUNCTIONS:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        from importlib import import_module

        found = getattr(import_module(FUNCTIONS[name]), name)
        super().__setattr__(name, found)
        return found

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in FUNCTIONS and isinstance(value, ModuleType)):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *FUNCTIONS]


sys.modules[__name__].__class__ = _Package
