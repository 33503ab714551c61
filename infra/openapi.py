"""`python -m infra.openapi`: write docs/openapi.json, the API's document under the default contract."""

import json
from pathlib import Path

import numpy as np

from predictor.openapi import document
from selfheal.contract import default_contract
from selfheal.data.typical import typical_rows
from selfheal_tools.simulation.credit import credit_rows

ROWS = 10_000
PATH = Path(__file__).parents[1] / "docs" / "openapi.json"


def text() -> str:
    """The document as it is committed, with applicants as the made-up stream has them."""
    contract = default_contract()
    typical = typical_rows(credit_rows(np.random.default_rng(0), ROWS)[0], contract)
    return json.dumps(document(contract, typical), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
