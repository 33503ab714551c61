"""The contract that a person wrote into a file."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selfheal.contract import Contract


def read_contract(path: Path) -> "Contract":
    """The contract in a file. Raises ContractInvalid."""
    from selfheal.contract import parse_contract
    from selfheal.errors import ContractInvalid

    try:
        # With or without the mark that some editors put first.
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ContractInvalid([f"{path.name} is not UTF-8: save it as UTF-8 text"]) from error
    return parse_contract(text)
