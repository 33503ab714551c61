"""Have parliament read every IAM policy of the templates. Runs in the linters' own environment: `make check-infra`.

Usage: policies.py TEMPLATE...
"""

import json
import sys
from collections.abc import Iterator
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
}


def main(templates: list[Path]) -> int:
    """The number of findings, each printed."""
    found = [finding for template in templates for finding in findings(json.loads(template.read_text("utf-8")))]
    for finding in found:
        print(finding)
    return len(found)


def findings(template: dict[str, Any]) -> Iterator[str]:
    """What parliament says of a template's policies, but for what is accepted."""
    resources = template["Resources"]
    for name, document in policies(resources):
        text = json.dumps(resolved(document, resources))
        for finding in parliament.analyze_policy_string(text, ignore_private_auditors=True).findings:
            if not any(finding.issue == issue and about in str(finding.detail) for issue, about in ACCEPTED):
                yield f"{name}: {finding.issue}: {finding.detail} {finding.location}"


def policies(resources: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Name and document of each policy: of roles, managed ones, and those of buckets, queues and topics."""
    for name, resource in resources.items():
        if "PolicyDocument" in resource.get("Properties", {}):
            yield name, resource["Properties"]["PolicyDocument"]


def resolved(value: Any, resources: dict[str, Any]) -> Any:
    """A policy with what its references stand for."""
    if isinstance(value, list):
        return [resolved(item, resources) for item in value]
    if isinstance(value, int | float):
        # IAM takes numbers and booleans as text, and parliament knows no others.
        return str(value).lower()
    if not isinstance(value, dict):
        return value
    (function, argument), *others = value.items()
    if not others and function in INTRINSICS:
        return INTRINSICS[function](argument, resources)
    return {key: resolved(item, resources) for key, item in value.items()}


def joined(argument: Any, resources: dict[str, Any]) -> str:
    """What an `Fn::Join` stands for."""
    separator, parts = argument
    return str(separator.join(resolved(part, resources) for part in parts))


def referred(name: str, resources: dict[str, Any]) -> str:
    """What a `Ref` stands for."""
    if name in PSEUDO_PARAMETERS:
        return PSEUDO_PARAMETERS[name]
    kind = resources[name]["Type"]
    return ARNS[kind] if kind in REFERRED_TO_BY_ARN else "name"


INTRINSICS = {
    "Fn::GetAtt": lambda argument, resources: ARNS[resources[argument[0]]["Type"]],
    "Fn::ImportValue": lambda _argument, _resources: "name",
    "Fn::Join": joined,
    "Ref": referred,
}

if __name__ == "__main__":
    sys.exit(1 if main([Path(name) for name in sys.argv[1:]]) else 0)
