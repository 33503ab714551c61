"""The rows of a file or data frame as a history that can be replayed."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from selfheal.contract import Contract
from selfheal.data.files import read_labelled
from selfheal.files.table import Tabular
from selfheal.tables.dataset import Dataset
from selfheal_tools.backtest.moments import since_1970

# Rows without times end at a moment that is the same at every call.
END_OF_UNDATED = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, eq=False)
class History:
    """Labelled rows in order of time; `notes` say what its reader should hear of the file, a sentence each.

    contract: that of the rows; of several classes it names all that the file holds.
    """

    rows: Dataset
    contract: Contract
    notes: tuple[str, ...]


def read_history(data: Tabular, contract: Contract, *, now: datetime) -> History:
    """Read what is to be replayed; times before 1972 are moved to later years.

    Raises:
        DataInvalid: the file doesn't match the contract.
    """
    file = read_labelled(data, contract, end=END_OF_UNDATED, now=now)
    agreed = contract.with_classes(file.label_values.classes) if file.label_values.classes else contract
    moments, years = since_1970(file.rows.timestamps)
    if not years:
        return History(file.rows, agreed, file.notes)
    moved = f"{data.name} begins before 1972: its times are replayed {years} years later"
    return History(replace(file.rows, timestamps=moments), agreed, (*file.notes, moved))
