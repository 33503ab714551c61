"""The functions behind `selfheal.drift`, `selfheal.gates`, `selfheal.infer` and `selfheal.load`."""

import os
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from selfheal.composition import system_clock
from selfheal.contract import Contract, default_contract
from selfheal.contract.file import read_contract
from selfheal.data.files import read_features
from selfheal.drafting import draft_contract
from selfheal.drafting.comparison import comparable
from selfheal.frames.model import LoadedModel
from selfheal.frames.results import DriftResult, GatesResult, InferResult
from selfheal.frames.tabular import Rows, tabular
from selfheal.gates import judge_gates
from selfheal.gates.offline import read_evidence
from selfheal.models.formats import WRITTEN
from selfheal.monitoring.offline import compare

type StatedContract = Contract | str | os.PathLike[str]


def drift(reference: Rows, current: Rows, contract: StatedContract | None = None) -> DriftResult:
    """Has the current table drifted from the reference? The judgement of a monitoring run, on two tables.

    Args:
        reference: what is usual: a path, or a pandas, polars, DuckDB or other data frame.
        current: what came lately, likewise.
        contract: which columns to compare and how to read them, or the path of its TOML file; without one, every
            column of the reference that holds numbers or categories is compared.

    Raises:
        FileUnreadable, DataInvalid: a table can't be read, or lacks what the contract names.
        ContractInvalid: the contract has faults.
        DraftImpossible: no column can be compared.
    """
    before, after = tabular(reference, "reference"), tabular(current, "current table")
    agreed = comparable(before) if contract is None else stated(contract)
    tables = read_features(before, agreed), read_features(after, agreed)
    return DriftResult(compare(*tables, agreed, now=system_clock()), agreed)


def gates(evidence: Rows, contract: StatedContract | None = None) -> GatesResult:
    """May a shadow model replace production? The gates of a healing, on rows that both have answered, oldest first.

    Args:
        evidence: columns `label` (1 or 0, missing where none has come), `production_probability`,
            `shadow_probability`, those that the contract's segments name, and `production_prediction` and
            `shadow_prediction` (1 or 0) where the operating points aren't the contract's. Of several classes `label` is
            one of them, and each has `production_probability.<class>` and `shadow_probability.<class>`; of numbers
            there are `label`, `production_prediction` and `shadow_prediction`.
        contract: its policy and segments count; without one the default policy does, without segments.

    Raises:
        DataInvalid: columns are missing or hold something else.
        ContractInvalid: the contract has faults.
    """
    agreed = default_contract().model_copy(update={"segments": ()}) if contract is None else stated(contract)
    rows, circumstances = read_evidence(tabular(evidence, "evidence"), agreed, system_clock())
    return GatesResult(judge_gates(rows, circumstances, agreed.policy.gates, agreed.segments))


def infer(rows: Rows, *, target: str, time: str | None = None, file: Mapping[str, str] | None = None) -> InferResult:
    """A first contract for labelled rows: `selfheal contract infer`.

    Args:
        rows: a path, or a data frame.
        target: the column to predict.
        time: the column that says when a row was made.
        file: how a file is written, where it allows two readings: keys of the contract's `[file]` table.

    Raises:
        DraftImpossible: says what is in the way, and what to do.
    """
    return InferResult.of(draft_contract(tabular(rows, "table"), target=target, time=time, file=file))


def load(version: str | os.PathLike[str], stage: str | None = None) -> LoadedModel:
    """A version, ready to answer data frames; nothing in it is executed.

    Args:
        version: the path of a `model.json`; with `stage` the name of a version in the registry, or `production`.
        stage: a deployed environment, found by your AWS credentials, or `local` (needs the operator's tools).

    Raises:
        ArtefactRefused: it isn't a sound model; the message names the place.
        EnvironmentMissing, VersionUnknown, NoProductionModel, ReferenceTampered, StoreUnavailable: with `stage` alone.
    """
    if stage is None:
        return LoadedModel(WRITTEN.loaded(Path(version).read_bytes()))
    models = import_module("selfheal_tools.stage_models")
    found: LoadedModel = models.load(str(version), stage)
    return found


def stated(contract: StatedContract) -> Contract:
    """A contract, or the one in a file. Raises ContractInvalid."""
    return contract if isinstance(contract, Contract) else read_contract(Path(contract))
