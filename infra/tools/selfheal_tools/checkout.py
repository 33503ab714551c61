"""What needs a checkout of the project beside the installed package: the template, and all that is made from it."""

from pathlib import Path

from selfheal.errors import SelfhealError


class CheckoutMissing(SelfhealError):
    """What was asked for is made from the project's template, which the installed package doesn't hold."""


def check_checkout(needed_for: str) -> None:
    """Raises CheckoutMissing where these tools were installed from a package; `needed_for` begins the message."""
    if not is_checkout():
        raise CheckoutMissing(
            f"{needed_for} needs a checkout of the project, because it is made from its template: "
            "clone it and run `make setup` there; then .venv/bin/selfheal is this command"
        )


def is_checkout() -> bool:
    """Whether these tools lie in a checkout."""
    root = Path(__file__).parents[3]
    return (root / "cdk.json").exists() and (root / "infra" / "cloud").is_dir()
