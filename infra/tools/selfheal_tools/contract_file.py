"""The contract that a person wrote into a file, for commands: what reads it is imported when it is read."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selfheal.contract import Contract


def read_contract(path: Path) -> "Contract":
    """The contract in a file. Raises ContractInvalid."""
    from selfheal.contract import file

    return file.read_contract(path)
