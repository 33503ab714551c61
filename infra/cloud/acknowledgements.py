"""Findings of cdk-nag and cfn-lint that stay, with their reasons; those of cdk-nag each at its construct."""

from collections.abc import Iterable
from typing import Any

from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk import aws_iam as iam
from constructs import IConstruct

RULES = "AwsSolutions::AwsSolutions-"

# For cfn-lint: CDK writes out dependencies that references imply (W3005), and Fn::Join where people would write Fn::Sub
# (I1022); what a template is for stands in docs/architecture.md, and in its description (I4010); outputs name the data
# stack's buckets beside the rest, so that the command line needs one stack only (W6001).
NOT_FAULTS = ("I1022", "I4010", "W3005", "W6001")


def acknowledge_lint(stack: Stack) -> None:
    """Let what isn't a fault stand in a stack's template."""
    stack.add_metadata("cfn-lint", {"config": {"ignore_checks": list(NOT_FAULTS)}})


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
    if function == "Fn::GetAtt":
        return f"<{'.'.join(argument)}>"
    return f"<{argument}>" if function == "Ref" else str(argument)
