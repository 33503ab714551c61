"""The contract: the one TOML file that says everything that is particular to a data set."""

from selfheal.contract.model import Contract, Feature, Segment
from selfheal.contract.parsing import default_contract, parse_contract

__all__ = ["Contract", "Feature", "Segment", "default_contract", "parse_contract"]
