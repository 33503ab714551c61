"""A contract for comparing two tables, drafted from the first of them: there is no target, and no limits are known."""

from selfheal.contract.model import Contract, Feature, ModelSection
from selfheal.contract.parsing import RESERVED_PREFIX
from selfheal.drafting.columns import Column, typed_column
from selfheal.drafting.identifiers import names_the_row
from selfheal.drafting.names import is_name
from selfheal.drafting.table import Table, read_table
from selfheal.errors import DraftImpossible
from selfheal.files.table import Tabular


def comparable(reference: Tabular) -> Contract:
    """Every column that holds numbers or categories as a feature that may be missing; what numbers the rows is none.

    Raises:
        DraftImpossible: there is no such column, or the table can't be read.
    """
    table = read_table(reference, {})
    features = {column.name: Feature(type=column.type, nullable=True) for column in _columns(table)}
    if not features:
        raise DraftImpossible(f"no column of {reference.name} can be compared: none holds numbers or categories")
    model = ModelSection(name="comparison", target=f"{RESERVED_PREFIX}none")
    return Contract(model=model, features=features, file=table.spec)


def _columns(table: Table) -> list[Column]:
    names = [name for name in table.names if is_name(name) and not name.startswith(RESERVED_PREFIX)]
    found = [typed_column(table, name) for name in names]
    return [column for column in found if column and len(column.present) and not names_the_row(column)]
