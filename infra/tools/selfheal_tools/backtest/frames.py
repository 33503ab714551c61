"""`selfheal.backtest`: a history in a data frame or file replayed from a notebook or script."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import pandas as pd

from selfheal.composition import system_clock
from selfheal.contract import Contract
from selfheal.frames.functions import StatedContract, infer, stated
from selfheal.frames.results import framed
from selfheal.frames.tabular import Rows, tabular
from selfheal_tools.backtest.errors import BacktestImpossible
from selfheal_tools.backtest.history import read_history
from selfheal_tools.backtest.overrides import overridden
from selfheal_tools.backtest.page import render_page
from selfheal_tools.backtest.records import Backtest, Settings
from selfheal_tools.backtest.run import DEFAULT_POLICIES, RUNS_PER_PERIOD, Ticked, check_policies
from selfheal_tools.backtest.run import backtest as run
from selfheal_tools.backtest.words import WORDS

# A line a policy, of these columns after its metrics.
SHOWN = ["retrainings", "promotions", "harmful_promotions", "rollbacks", "regained"]


@dataclass(frozen=True, eq=False)
class BacktestResult:
    """What each policy came to; `found` is the content of the command's JSON file, `notes` are on the rows."""

    found: Backtest
    notes: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """What healing brought, in a few sentences."""
        return self.found.verdict

    def to_frame(self) -> pd.DataFrame:
        """One row a policy."""
        rows = {
            name: policy.model_dump(exclude={"per_period", "moves", "refusals"})
            for name, policy in self.found.policies.items()
        }
        frame = pd.DataFrame.from_dict(rows, orient="index")
        metrics: list[str] = [name for name in WORDS if name in frame and name != "auc_per_period"]
        return frame[metrics + SHOWN]

    def per_period(self) -> pd.DataFrame:
        """One row a policy and period: what it did there, and the versions that answered."""
        rows = [
            {"policy": name, **period.model_dump(exclude={"intervals"})}
            for name, policy in self.found.policies.items()
            for period in policy.per_period
        ]
        return pd.DataFrame(rows).set_index(["policy", "period"])

    def to_html(self) -> str:
        """The page with curves; it loads nothing."""
        return render_page(self.found)

    def _repr_html_(self) -> str:
        return framed(self.to_html())

    def __repr__(self) -> str:
        return f"<{self.verdict}>"


def backtest(
    rows: Rows,
    *,
    target: str | None = None,
    time: str | None = None,
    contract: StatedContract | None = None,
    periods: int = 20,
    initial: float = 0.2,
    label_delay: int = 0,
    label_rate: float = 1.0,
    policies: Sequence[str] = DEFAULT_POLICIES,
    what_if: Mapping[str, object] | None = None,
    processes: int = 0,
    seed: int = 0,
    ticked: Ticked | None = None,
) -> BacktestResult:
    """Replay a history as traffic, and compare healing with other policies of retraining on the same rows.

    Args:
        rows: labelled rows: a path, or a data frame.
        target: the column to predict, where there is no contract yet: a first one is drafted.
        time: the column that says when a row was made, likewise.
        contract: the contract, or the path of its TOML file.
        periods: equal periods of traffic.
        initial: share of the rows, the oldest, that trains the first version.
        label_delay: periods by which labels come later than at the end of their own.
        label_rate: share of rows that ever get a label.
        policies: names of those to compare.
        what_if: other values of the policy, such as {"gates.minimum_gain": 0.01}.
        processes: so many train ahead; a script needs `if __name__ == "__main__":` around its work then.
        seed: of everything random.
        ticked: hears of each policy's periods; without it a notebook shows a bar.

    Raises:
        DraftImpossible, ContractInvalid, DataInvalid, BacktestImpossible: each says what is in the way.
    """
    data, agreed = tabular(rows, "history"), _contract(rows, target, time, contract)
    agreed, overrides = overridden(agreed, [f"{name}={value}" for name, value in (what_if or {}).items()])
    check_policies(policies)
    history = read_history(data, agreed, now=system_clock())
    settings = Settings(
        periods=periods,
        initial=initial,
        label_delay=label_delay,
        label_rate=label_rate,
        seed=seed,
        runs_per_period=RUNS_PER_PERIOD,
        overrides=overrides,
    )
    with nullcontext(ticked) if ticked else _progress(len(policies), periods) as told:
        found = run(
            history.rows,
            history.contract,
            dataset=data.name,
            settings=settings,
            policies=policies,
            processes=processes,
            ticked=told,
        )
    return BacktestResult(found, history.notes)


def _contract(rows: Rows, target: str | None, time: str | None, contract: StatedContract | None) -> Contract:
    if contract is not None:
        return stated(contract)
    if target is None:
        raise BacktestImpossible("nothing says what is predicted: give target=, or a contract=")
    return infer(rows, target=target, time=time).contract


def _progress(policies: int, periods: int) -> AbstractContextManager[Ticked]:
    """A bar where a notebook shows one; elsewhere nothing is printed that nobody asked for."""
    if "ipykernel" not in sys.modules:
        return nullcontext(lambda _, __: None)
    from selfheal_tools.backtest.notebook import bar

    return bar(policies * periods)
