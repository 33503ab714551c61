"""What IAM would decide, for the parts of its policy language that the templates use.

After https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html: an explicit deny wins,
an allow is needed, everything else is refused. An operator that isn't implemented is an error, never a guess.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """One action on one resource, with the condition keys that the request carries."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a policy, its references resolved."""

    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, tuple[str, ...]]]

    def applies_to(self, call: Call) -> bool:
        """Whether the statement says anything about a call."""
        return (
            any(_matches(pattern.lower(), call.action.lower()) for pattern in self.actions)
            and any(_matches(pattern, call.resource) for pattern in self.resources)
            and all(_holds(operator, keys, call.context) for operator, keys in self.conditions.items())
        )


def statement_of(document: Mapping[str, Any]) -> Statement:
    """A statement as a policy document has it.

    Raises:
        NotImplementedError: it uses something of the policy language that isn't implemented here.
    """
    unknown = set(document) - {"Sid", "Effect", "Action", "Resource", "Condition", "Principal"}
    if unknown:
        raise NotImplementedError(f"policy statements with {', '.join(sorted(unknown))}")
    conditions = {
        operator: {key: _texts(values) for key, values in keys.items()}
        for operator, keys in document.get("Condition", {}).items()
    }
    for operator in conditions:
        _operator(operator)
    return Statement(document["Effect"], _texts(document["Action"]), _texts(document["Resource"]), conditions)


def is_allowed(call: Call, identity: Iterable[Statement], resource: Iterable[Statement] = ()) -> bool:
    """Whether a role's statements allow a call that the resource's own policy doesn't deny."""
    own = [statement for statement in identity if statement.applies_to(call)]
    denied = any(statement.effect == "Deny" for statement in [*own, *(s for s in resource if s.applies_to(call))])
    return not denied and any(statement.effect == "Allow" for statement in own)


def _texts(value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    return tuple(str(item).lower() if isinstance(item, bool) else str(item) for item in values)


def _holds(operator: str, keys: Mapping[str, tuple[str, ...]], context: Mapping[str, str]) -> bool:
    check = _operator(operator)
    return all(check(context.get(key), wanted) for key, wanted in keys.items())


type _Check = Callable[[str | None, tuple[str, ...]], bool]


def _operator(name: str) -> _Check:
    if name == "Null":
        return lambda value, wanted: (value is None) == (wanted == ("true",))
    base = name.removesuffix("IfExists")
    if base not in _OPERATORS:
        raise NotImplementedError(f"condition operator {name}")
    missing_is_fine = base != name or base.startswith(("StringNot", "ArnNot"))
    compare, negated = _OPERATORS[base]
    return lambda value, wanted: (
        missing_is_fine if value is None else any(compare(value, item) for item in wanted) != negated
    )


def _matches(pattern: str, text: str) -> bool:
    return _compiled(pattern).fullmatch(text) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(part, re.escape(part)) for part in pattern), re.DOTALL)


def _equal(value: str, wanted: str) -> bool:
    return value == wanted


def _like(value: str, wanted: str) -> bool:
    return _matches(wanted, value)


def _same_truth(value: str, wanted: str) -> bool:
    return value.lower() == wanted.lower()


def _less(value: str, wanted: str) -> bool:
    return float(value) < float(wanted)


_OPERATORS: dict[str, tuple[Callable[[str, str], bool], bool]] = {
    "StringEquals": (_equal, False),
    "StringNotEquals": (_equal, True),
    "StringLike": (_like, False),
    "StringNotLike": (_like, True),
    "ArnLike": (_like, False),
    "ArnEquals": (_like, False),
    "ArnNotLike": (_like, True),
    "Bool": (_same_truth, False),
    "NumericLessThan": (_less, False),
}
