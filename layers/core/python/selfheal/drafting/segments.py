"""Groups of rows that a promotion must not hurt, as a first proposal."""

from collections.abc import Iterator, Sequence

from selfheal.drafting import toml
from selfheal.drafting.columns import Column
from selfheal.drafting.identifiers import is_called_id
from selfheal.drafting.notes import feature_of


def segment_lines(columns: Sequence[Column]) -> Iterator[str]:
    """Comments that propose groups by a column of few values, or else by the middle of a number; never by ids."""
    yield "# Groups of rows that a promotion must not hurt; a numeric feature needs edges."
    fitting = [column for column in columns if not is_called_id(column.name)]
    column = next((c for c in fitting if feature_of(c).categories), next((c for c in fitting if c.is_numeric), None))
    if column is None:
        return
    yield "# For example:"
    yield "# [[segments]]"
    yield f"# feature = {toml.string(column.name)}"
    if column.is_numeric:
        yield f"# edges = [{_middle(column):.4g}]"


def _middle(column: Column) -> float:
    """An edge with rows on either side of it."""
    median, lowest = float(column.present.median()), float(column.present.min())
    return median if median > lowest else float(column.present[column.present > lowest].min())
