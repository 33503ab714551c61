"""`python -m infra.openapi`: write docs/openapi.json, the API's document under the default contract."""

import json
from pathlib import Path

from predictor.openapi import document
from selfheal.contract import default_contract

PATH = Path(__file__).parents[1] / "docs" / "openapi.json"


def text() -> str:
    """The document as it is committed."""
    return json.dumps(document(default_contract()), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
