"""The linter of IAM policies, which lives in an environment of its own: `make check-infra` makes it."""

import json
import subprocess
from pathlib import Path

import pytest

PYTHON = Path(".tools/lint/bin/python")

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="`make check-infra` installs the linters")


def linted(tmp_path: Path, action: str) -> subprocess.CompletedProcess[str]:
    bucket = {"Fn::GetAtt": ["Bucket", "Arn"]}
    objects = {"Fn::Join": ["", [bucket, "/models/*"]]}
    statement = {"Effect": "Allow", "Action": action, "Resource": objects}
    policy = {
        "Type": "AWS::IAM::Policy",
        "Properties": {"PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}},
    }
    template = tmp_path / "some.template.json"
    template.write_text(json.dumps({"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}, "MayRead": policy}}))
    command = [str(PYTHON), "-W", "ignore", "infra/lint/policies.py", str(template)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_a_right_that_nobody_has_is_found(tmp_path):
    """An action that AWS doesn't know fails the check, which names the policy; the one that was meant passes."""
    assert linted(tmp_path, "s3:GetObject").returncode == 0
    misspelt = linted(tmp_path, "s3:GetObjekt")
    assert (misspelt.returncode, "MayRead: UNKNOWN_ACTION" in misspelt.stdout) == (1, True)


def test_a_right_that_its_resource_cannot_give_is_found(tmp_path):
    """An action on buckets that is allowed on objects allows nothing: the check says so."""
    assert "RESOURCE_MISMATCH" in linted(tmp_path, "s3:ListBucket").stdout
