"""What a request says of reasons: `?explain=N` asks for the N features that moved each answer most."""

import re
from collections.abc import Mapping

from selfheal.errors import FieldFault, RequestInvalid
from selfheal.usecases.serve.explain import MOST_EXPLAINED, check_explainable
from selfheal.usecases.serve.production_model import ServedModel

MOST_REASONS = 999
COUNT = re.compile(r"[1-9][0-9]{0,2}")


def reasons_asked(query: Mapping[str, str], model: ServedModel, rows: int) -> int:
    """How many, 0 where none are asked for.

    Raises:
        RequestInvalid: not a number of reasons, or more rows than are explained at once.
        ReasonsUnavailable: the model can't give any.
    """
    asked = query.get("explain")
    if asked is None:
        return 0
    if COUNT.fullmatch(asked) is None:
        raise RequestInvalid([FieldFault("explain", f"Input should be a whole number from 1 to {MOST_REASONS}")])
    if rows > MOST_EXPLAINED:
        fault = f"At most {MOST_EXPLAINED} rows are explained at once: send fewer, or ask without it"
        raise RequestInvalid([FieldFault("explain", fault)])
    check_explainable(model)
    return int(asked)
