"""What is replayed: real histories where they are at hand, a made-up one everywhere, and what is made of them."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from selfheal.contract import Contract, default_contract, parse_contract
from selfheal.data.files import read_labelled
from selfheal.tables.dataset import Dataset
from selfheal_tools.backtest.moments import has_times
from selfheal_tools.simulation.credit import Phase, credit_rows
from selfheal_tools.simulation.visitors import with_visitors

FOLDER = Path(__file__).parents[4] / "shared" / "data"
DRIFTING = ("hotel_bookings", "elec2", "lendingclub_2007_2011")
STEADY = "gmsc"
REAL = (*DRIFTING, STEADY)
# Histories of other kinds of target: the folder, and which of its contracts. They are no part of what is pooled.
OTHER_KINDS = {
    "grade": ("lendingclub_2007_2011", "contract_grade.toml"),
    "adr": ("hotel_bookings", "contract_adr.toml"),
    "bike_hour": ("bike_hour", "contract.toml"),
}
GENERATOR = "generator"
VISITED = (GENERATOR, STEADY, "elec2")
VISITORS = "visitors-"
# After this share of the rows they come.
VISITORS_COME = 0.6
# Of larger histories every so many-th row is replayed: more of them take longer, and decide nothing.
MOST_ROWS = 60_000
# The last row of a file without times.
END = datetime(2026, 1, 1, tzinfo=UTC)
GENERATED = ((Phase.CALM, 10_000), (Phase.STRESS, 4_000), (Phase.CHANGED_RISK, 8_000), (Phase.CALM, 4_000))
# They visit after a change, when what came before it is forgotten; the world then stays as it is.
VISITED_PHASES = ((Phase.CALM, 10_000), (Phase.STRESS, 4_000), (Phase.CHANGED_RISK, 12_000))


def at_hand() -> tuple[str, ...]:
    """The names of all histories that this machine holds."""
    known = (*(name for name in REAL if (FOLDER / name).is_dir()), GENERATOR)
    others = (name for name, (folder, _) in OTHER_KINDS.items() if (FOLDER / folder).is_dir())
    return (*known, *(f"{VISITORS}{name}" for name in VISITED if name in known), *others)


def history(name: str) -> tuple[Dataset, Contract]:
    """A history's rows in time order, and its contract."""
    if name.startswith(VISITORS):
        visited = name.removeprefix(VISITORS)
        rows, contract = (_generated(VISITED_PHASES), default_contract()) if visited == GENERATOR else history(visited)
        return with_visitors(rows, begin=VISITORS_COME), contract
    if name == GENERATOR:
        return _generated(GENERATED), default_contract()
    folder, described = OTHER_KINDS.get(name, (name, "contract.toml"))
    stated = FOLDER / folder / described
    contract = parse_contract(stated.read_text(encoding="utf-8")) if stated.exists() else default_contract()
    (file,) = (FOLDER / folder).glob("*.csv.gz")
    found = read_labelled(file, contract, end=END)
    classes = found.label_values.classes
    return thinned(found.rows, MOST_ROWS), contract.with_classes(classes) if classes else contract


def thinned(rows: Dataset, most: int, first: int = 0) -> Dataset:
    """Evenly so many of the rows, or all where they are fewer; another `first` takes others."""
    step = max(1, len(rows) // most)
    taken = rows.take(slice(first % step, None, step)).take(slice(0, most))
    # Rows of a file without times stay one interval apart: they mustn't look as if they had some.
    return taken if has_times(rows.timestamps) else replace(taken, timestamps=rows.timestamps[-len(taken) :])


def _generated(phases: tuple[tuple[Phase, int], ...]) -> Dataset:
    """Applicants of one phase after another."""
    rng = np.random.default_rng(11)
    parts = [credit_rows(rng, rows, phase) for phase, rows in phases]
    labels = np.concatenate([labels for _, labels in parts])
    ids = np.array([f"base-{row:09d}" for row in range(len(labels))], dtype=object)
    # A row each two minutes: thirty-six days, in which a day's window, a day between two tries and a week's probation
    # mean something.
    moments = np.datetime64(END.replace(tzinfo=None), "us") - np.arange(len(labels))[::-1] * np.timedelta64(2, "m")
    return Dataset(ids, moments, pd.concat([features for features, _ in parts], ignore_index=True), labels)
