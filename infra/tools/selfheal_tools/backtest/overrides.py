"""What if the policy were another? Single values of a contract's `[policy]`, given as `table.name=value`."""

import tomllib
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from selfheal.contract import Contract
from selfheal.contract.model import Policy
from selfheal.contract.parsing import shape_faults
from selfheal_tools.backtest.errors import BacktestImpossible


def overridden(contract: Contract, texts: Sequence[str]) -> tuple[Contract, dict[str, float | int | str]]:
    """The contract with those values replaced, and what was replaced, as given.

    Raises:
        BacktestImpossible: a text isn't `table.name=value`, or the policy has no such value.
    """
    policy: dict[str, Any] = contract.policy.model_dump()
    replaced: dict[str, float | int | str] = {}
    for text in texts:
        name, _, value = text.partition("=")
        table, _, key = name.strip().removeprefix("policy.").partition(".")
        if key not in policy.get(table, {}):
            known = ", ".join(f"{part}.{each}" for part, values in policy.items() for each in values)
            raise BacktestImpossible(f"{text!r} names no value of [policy]; there are {known}")
        policy[table][key] = _value(value)
        replaced[f"{table}.{key}"] = value.strip()
    try:
        return contract.with_policy(Policy.model_validate(policy, extra="forbid")), replaced
    except ValidationError as error:
        raise BacktestImpossible(f"the policy can't be so: {'; '.join(shape_faults(error.errors()))}") from error


def _value(text: str) -> Any:
    """As TOML has it; a bare word is a string."""
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text.strip()
    return tuple(value) if isinstance(value, list) else value
