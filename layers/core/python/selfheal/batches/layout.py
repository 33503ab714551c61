"""Which of a file's columns is what: a feature by any of its names, the user's own id, or the user's business."""

from collections.abc import Sequence
from dataclasses import dataclass

from selfheal.contract.columns import id_names
from selfheal.contract.model import Contract
from selfheal.errors import FileUnreadable

# What an answer adds to a row; a file that has such columns, as answers of before do, gets them anew.
ANSWER = ("prediction_id", "probability", "prediction", "model_version")


@dataclass(frozen=True)
class Layout:
    """The columns of a file. features: the column of each of the contract's features. kept: those that are given back.

    id_column: the column of the user's own ids, None where there is none.
    """

    contract: Contract
    features: dict[str, str]
    id_column: str | None
    kept: tuple[str, ...]

    @property
    def id_name(self) -> str | None:
        """The name under which a request carries the user's own id."""
        return next(iter(id_names(self.contract)), None)

    @property
    def wanted(self) -> list[str]:
        """The columns to read."""
        return list(dict.fromkeys((*self.kept, *self.features.values())))


def layout_of(name: str, columns: Sequence[str], contract: Contract) -> Layout:
    """The layout of a file with these columns.

    Raises:
        FileUnreadable: a feature is missing, or a name is there twice.
    """
    named = {
        feature: next((known for known in (feature, *spec.aliases) if known in columns), None)
        for feature, spec in contract.features.items()
    }
    if missing := [feature for feature, column in named.items() if column is None]:
        raise FileUnreadable(f"{name} lacks the column(s) {', '.join(missing)}")
    kept = tuple(column for column in columns if column and column not in ANSWER)
    if doubled := [column for column in dict.fromkeys(kept) if columns.count(column) > 1]:
        raise FileUnreadable(f"{name} has the column(s) {', '.join(doubled)} more than once")
    id_column = next((column for column in id_names(contract)[::-1] if column in columns), None)
    return Layout(contract, {feature: column for feature, column in named.items() if column}, id_column, kept)
