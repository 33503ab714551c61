"""The JSON Schema of a contract, generated from the records that the parser fills."""

from typing import Any

from selfheal.contract.model import Contract
from selfheal.contract.parsing import RESERVED_PREFIX

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def contract_json_schema() -> dict[str, Any]:
    """What a contract's TOML may hold, as a JSON Schema.

    It refuses unknown keys, wrong types and values outside their limits. What one value means for another (limits of a
    category, edges that don't rise, a name that is used twice) only `parse_contract` knows.
    """
    generated = Contract.model_json_schema()
    generated["properties"]["features"]["propertyNames"] = {"pattern": f"^(?!{RESERVED_PREFIX})"}
    return {"$schema": DIALECT, **generated, "title": "selfheal contract"}
