"""The contract that a person wrote into a file."""

from pathlib import Path

from selfheal.contract.model import Contract
from selfheal.contract.parsing import parse_contract
from selfheal.errors import ContractInvalid


def read_contract(path: Path) -> Contract:
    """The contract in a TOML file. Raises ContractInvalid."""
    try:
        # With or without the mark that some editors put first.
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ContractInvalid([f"{path.name} is not UTF-8: save it as UTF-8 text"]) from error
    except OSError as error:
        raise ContractInvalid([f"{path} can't be opened: {error.strerror}"]) from error
    return parse_contract(text)
