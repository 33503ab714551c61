"""Values as text and texts as values: the words that stand for something, the same in every format."""

import math
from datetime import date, datetime

# What people write for a missing number; in a category each is a value like any other.
MISSING_NUMBERS = ("", "NA", "N/A", "NaN", "nan", "NULL", "null", "None")
BOOLEANS = {"true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0, "1.0": 1.0, "0.0": 0.0}
# Characters of a value that a message shows.
LONGEST_SHOWN = 60


def text_of(value: object, decimal: str = ".") -> str:
    """A cell as text: whole floats without their decimals, so that 1, 1.0 and "1" are one value; missing is empty."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case float():
            if math.isnan(value):
                return ""
            return str(int(value)) if value.is_integer() else str(value).replace(".", decimal)
        case datetime() | date():
            return value.isoformat()
        case _:
            return str(value).strip()


def shown(value: object) -> str:
    """A value for a message: in quotes, on one line, and no longer than a message may be."""
    text = str(value)
    return repr(text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}...")
