"""Findings of cdk-nag that stay, each acknowledged at the construct that it is about, with the reason."""

from collections.abc import Iterable
from typing import Any

from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk import aws_iam as iam
from constructs import IConstruct

RULES = "AwsSolutions::AwsSolutions-"


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Let one finding at a construct, or below it, stand."""
    Validations.of(construct).acknowledge(Acknowledgment(id=f"{RULES}{rule}", reason=reason))


def acknowledge_prefixes(construct: IConstruct, statements: Iterable[iam.PolicyStatement], reason: str) -> None:
    """Let the wildcards at the ends of key prefixes stand, one finding for each prefix that the statements name."""
    for resource in {resource for statement in statements for resource in statement.resources}:
        written = _as_written(Stack.of(construct).resolve(resource))
        if written.endswith("/*"):
            acknowledge(construct, f"IAM5[Resource::{written}]", reason)


def _as_written(resource: Any) -> str:
    """A resource in the words of cdk-nag's findings: imported values by their names, other references in brackets."""
    if isinstance(resource, str):
        return resource
    (function, argument), *_ = resource.items()
    if function == "Fn::Join":
        return "".join(map(_as_written, argument[1]))
    return f"<{argument}>" if function == "Ref" else str(argument)
