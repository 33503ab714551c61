"""The linter of IAM policies, which lives in an environment of its own: `make check-infra` makes it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

PYTHON = Path(".tools/lint/bin/python")

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="`make check-infra` installs the linters")


OBJECTS = {"Fn::Join": ["", [{"Fn::GetAtt": ["Bucket", "Arn"]}, "/models/*"]]}


def linted(tmp_path: Path, action: str, resource: Any = OBJECTS) -> subprocess.CompletedProcess[str]:
    """What the linter says of one right, beside a template that exports a key's ARN and a bucket's name."""
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    policy = {
        "Type": "AWS::IAM::Policy",
        "Properties": {"PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}},
    }
    exported = {"key": {"Fn::GetAtt": ["Key", "Arn"]}, "bucket": {"Ref": "Bucket"}}
    templates = {
        "data": {
            "Resources": {"Key": {"Type": "AWS::KMS::Key"}, "Bucket": {"Type": "AWS::S3::Bucket"}},
            "Outputs": {name: {"Value": value, "Export": {"Name": name}} for name, value in exported.items()},
        },
        "service": {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}, "MayRead": policy}},
    }
    files = [tmp_path / f"{name}.template.json" for name in templates]
    for file, template in zip(files, templates.values(), strict=True):
        file.write_text(json.dumps(template))
    command = [str(PYTHON), "-W", "ignore", "infra/lint/policies.py", *map(str, files)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_a_right_that_nobody_has_is_found(tmp_path):
    """An action that AWS doesn't know fails the check, which names the policy; the one that was meant passes."""
    assert linted(tmp_path, "s3:GetObject").returncode == 0
    misspelt = linted(tmp_path, "s3:GetObjekt")
    assert (misspelt.returncode, "MayRead: UNKNOWN_ACTION" in misspelt.stdout) == (1, True)


def test_a_right_that_its_resource_cannot_give_is_found(tmp_path):
    """An action on buckets that is allowed on objects allows nothing: the check says so."""
    assert "RESOURCE_MISMATCH" in linted(tmp_path, "s3:ListBucket").stdout


def test_what_another_stack_exports_is_what_it_is_there(tmp_path):
    """A key's ARN, imported, is an ARN; a bucket's name as a resource is none."""
    assert linted(tmp_path, "kms:Decrypt", {"Fn::ImportValue": "key"}).returncode == 0
    assert "INVALID_ARN" in linted(tmp_path, "s3:ListBucket", {"Fn::ImportValue": "bucket"}).stdout


def test_what_stands_hides_nothing_beside_it(tmp_path):
    """Parliament's error about one kind of execution is passed over; a resource that no execution has isn't."""
    execution = "arn:aws:states:us-east-1:123456789012:execution:name/*"
    assert linted(tmp_path, "states:DescribeExecution", execution).returncode == 0
    assert "RESOURCE_MISMATCH" in linted(tmp_path, "states:DescribeExecution", OBJECTS).stdout
