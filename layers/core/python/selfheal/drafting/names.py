"""What a contract can hold of a file's own texts: a column's name, a category."""

from pydantic import TypeAdapter, ValidationError

from selfheal.contract.model import Name, Text

UNNAMABLE = "a contract can't hold its name (1,000 characters at most, none of them a NUL)"
_NAME: TypeAdapter[str] = TypeAdapter(Name)
_TEXT: TypeAdapter[str] = TypeAdapter(Text)


def is_name(text: str) -> bool:
    """Whether a contract can call a column so."""
    return _is_valid(_NAME, text)


def is_text(text: str) -> bool:
    """Whether a contract can list a category of that text."""
    return _is_valid(_TEXT, text)


def _is_valid(kind: TypeAdapter[str], text: str) -> bool:
    try:
        kind.validate_python(text)
    except ValidationError:
        return False
    return True
