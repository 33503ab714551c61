"""What the functions on data frames return: the verdict, a frame of its parts, and a page that notebooks show."""

import html
from dataclasses import dataclass

import pandas as pd

from selfheal.contract import Contract
from selfheal.drafting import Draft
from selfheal.records.ledger import GateResult
from selfheal.records.monitoring import DriftSummary, MonitoringVerdict
from selfheal.report import render_report

PAGE_HEIGHT = 600


def framed(page: str) -> str:
    """A whole page within another one, such as a notebook; neither's style reaches the other."""
    return (
        f'<iframe srcdoc="{html.escape(page)}" sandbox="allow-scripts" '
        f'style="width:100%;height:{PAGE_HEIGHT}px;border:0"></iframe>'
    )


@dataclass(frozen=True, eq=False)
class DriftResult:
    """Two tables compared. `contract` says which columns were compared, as what; `summary` is all that was found."""

    summary: DriftSummary
    contract: Contract

    @property
    def verdict(self) -> MonitoringVerdict:
        """`no_drift`, `drift`, `widespread_drift`, `not_enough_data` or `pipeline_fault`."""
        return self.summary.verdict

    @property
    def sentence(self) -> str:
        """The verdict in a sentence."""
        return self.summary.sentence

    def to_frame(self) -> pd.DataFrame:
        """One row a feature, drifted ones first; columns as in FeatureDrift."""
        rows = [feature.model_dump(exclude={"sketch"}) for feature in self.summary.features]
        return pd.DataFrame(rows).set_index("feature") if rows else pd.DataFrame()

    def to_html(self) -> str:
        """The report, a page that loads nothing."""
        return render_report(self.summary).decode()

    def _repr_html_(self) -> str:
        return framed(self.to_html())

    def __repr__(self) -> str:
        return f"<{self.verdict}: {self.sentence}>"


@dataclass(frozen=True, eq=False)
class GatesResult:
    """A shadow model judged by rows that both models have answered."""

    gates: tuple[GateResult, ...]

    @property
    def verdict(self) -> str:
        """`promote` where every gate passed, else `reject`."""
        return "promote" if all(gate.passed for gate in self.gates) else "reject"

    def to_frame(self) -> pd.DataFrame:
        """One row a gate; columns as in GateResult."""
        rows = [gate.model_dump(exclude={"schema_version"}) for gate in self.gates]
        return pd.DataFrame(rows).set_index("gate")

    def _repr_html_(self) -> str:
        shown = self.to_frame().drop(columns="groups")
        return f"<p><strong>{self.verdict}</strong></p>{shown.to_html(escape=True, na_rep='unknown')}"

    def __repr__(self) -> str:
        failed = ", ".join(gate.gate for gate in self.gates if not gate.passed)
        return f"<{self.verdict}{f': {failed} failed' if failed else ''}>"


@dataclass(frozen=True, eq=False)
class InferResult:
    """A first contract. `text` is its TOML file, with comments on what to check; `left_out` names other columns."""

    contract: Contract
    text: str
    left_out: tuple[str, ...]

    @classmethod
    def of(cls, draft: Draft) -> "InferResult":
        """A draft."""
        return cls(draft.contract, draft.text, draft.left_out)

    def to_frame(self) -> pd.DataFrame:
        """One row a feature: its type, limits, and whether it may be missing."""
        rows = {name: feature.model_dump() for name, feature in self.contract.features.items()}
        return pd.DataFrame.from_dict(rows, orient="index")

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(self.text)}</pre>"

    def __repr__(self) -> str:
        return f"<contract {self.contract.model.name!r}: {len(self.contract.features)} features>"
