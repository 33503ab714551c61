"""Have parliament read every IAM policy of the templates. Runs in the linters' own environment: `make check-infra`.

Usage: policies.py TEMPLATE...
"""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import parliament

# What a reference to a resource of a type stands for once it is deployed.
ARNS = {
    "AWS::IAM::Role": "arn:aws:iam::123456789012:role/name",
    "AWS::KMS::Key": "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555",
    "AWS::Lambda::Function": "arn:aws:lambda:us-east-1:123456789012:function:name",
    "AWS::Logs::LogGroup": "arn:aws:logs:us-east-1:123456789012:log-group:name:*",
    "AWS::S3::Bucket": "arn:aws:s3:::name",
    "AWS::SNS::Topic": "arn:aws:sns:us-east-1:123456789012:name",
    "AWS::SQS::Queue": "arn:aws:sqs:us-east-1:123456789012:name",
    "AWS::StepFunctions::StateMachine": "arn:aws:states:us-east-1:123456789012:stateMachine:name",
}
PSEUDO_PARAMETERS = {"AWS::Partition": "aws", "AWS::AccountId": "123456789012", "AWS::Region": "us-east-1"}
# Types whose `Ref` is their ARN; others' is a name.
REFERRED_TO_BY_ARN = ("AWS::SNS::Topic", "AWS::StepFunctions::StateMachine")

# Findings that stand: what each is about, and the reason.
ACCEPTED = {
    ("MISMATCHED_TYPE", "s3:TlsVersion"): "a version of TLS is a number with a fraction; parliament knows whole ones",
    (
        "UNKNOWN_CONDITION_FOR_ACTION",
        "s3:TlsVersion",
    ): "denied are all actions, those too that don't ask for it",
    ("RESOURCE_MISMATCH", "states:ListExecutions"): "parliament knows of map runs alone; IAM takes state machines too",
    ("RESOURCE_MISMATCH", ":express:"): "parliament wants every kind of execution named; ours are standard ones alone",
}


@dataclass(frozen=True)
class Scope:
    """What names stand for: a template's own resources, and what all templates export, each with its resources."""

    resources: dict[str, Any]
    exports: dict[str, tuple[Any, dict[str, Any]]]


def main(paths: list[Path]) -> int:
    """The number of findings, each printed."""
    templates = [json.loads(path.read_text("utf-8")) for path in paths]
    exports = exports_of(templates)
    found = [text for template in templates for text in findings(Scope(template["Resources"], exports))]
    for finding in found:
        print(finding)
    return len(found)


def exports_of(templates: Sequence[dict[str, Any]]) -> dict[str, tuple[Any, dict[str, Any]]]:
    """What each exported name stands for, and the resources that it is said of."""
    return {
        output["Export"]["Name"]: (output["Value"], template["Resources"])
        for template in templates
        for output in template.get("Outputs", {}).values()
        if "Export" in output
    }


def findings(scope: Scope) -> Iterator[str]:
    """What parliament says of a template's policies, but for what is accepted."""
    for name, document in policies(scope.resources):
        text = json.dumps(resolved(document, scope))
        for finding in parliament.analyze_policy_string(text, ignore_private_auditors=True).findings:
            if not is_accepted(finding.issue, finding.detail):
                yield f"{name}: {finding.issue}: {finding.detail} {finding.location}"


def is_accepted(issue: str, detail: Any) -> bool:
    """Whether all that a finding says is accepted: one about several actions lists each."""
    said = map(str, detail if isinstance(detail, list) else [detail])
    return all(any(issue == kind and about in one for kind, about in ACCEPTED) for one in said)


def policies(resources: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Name and document of each policy: of roles, managed ones, and those of buckets, queues and topics."""
    for name, resource in resources.items():
        if "PolicyDocument" in resource.get("Properties", {}):
            yield name, resource["Properties"]["PolicyDocument"]


def resolved(value: Any, scope: Scope) -> Any:
    """A policy with what its references stand for."""
    if isinstance(value, list):
        return [resolved(item, scope) for item in value]
    if isinstance(value, int | float):
        # IAM takes numbers and booleans as text, and parliament knows no others.
        return str(value).lower()
    if not isinstance(value, dict):
        return value
    (function, argument), *others = value.items()
    if not others and function in INTRINSICS:
        return INTRINSICS[function](argument, scope)
    return {key: resolved(item, scope) for key, item in value.items()}


def joined(argument: Any, scope: Scope) -> str:
    """What an `Fn::Join` stands for."""
    separator, parts = argument
    return str(separator.join(resolved(part, scope) for part in parts))


def attribute(argument: Any, scope: Scope) -> str:
    """What an `Fn::GetAtt` stands for: an ARN, or a name."""
    resource, wanted = argument
    return ARNS[scope.resources[resource]["Type"]] if wanted == "Arn" else "name"


def imported(name: str, scope: Scope) -> Any:
    """What another template exports under a name."""
    value, resources = scope.exports[name]
    return resolved(value, Scope(resources, scope.exports))


def referred(name: str, scope: Scope) -> str:
    """What a `Ref` stands for."""
    if name in PSEUDO_PARAMETERS:
        return PSEUDO_PARAMETERS[name]
    kind = scope.resources[name]["Type"]
    return ARNS[kind] if kind in REFERRED_TO_BY_ARN else "name"


INTRINSICS = {
    "Fn::GetAtt": attribute,
    "Fn::ImportValue": imported,
    "Fn::Join": joined,
    "Ref": referred,
}

if __name__ == "__main__":
    sys.exit(1 if main([Path(name) for name in sys.argv[1:]]) else 0)
