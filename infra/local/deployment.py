"""An assembly deployed into moto: its stacks through CloudFormation, what CloudFormation can't do there by hand."""

import io
import json
import re
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

from infra.local.assembly import Assembly, Resource, StackTemplate

ACCOUNT = "123456789012"
REGION = "us-east-1"

# What moto's CloudFormation makes as the template says; all else is left out, or done by the functions below.
DEPLOYED = {
    "AWS::IAM::Role",
    "AWS::IAM::Policy",
    "AWS::KMS::Key",
    "AWS::Lambda::Function",
    "AWS::Lambda::LayerVersion",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::StepFunctions::StateMachine",
}
BOOTSTRAP_VERSION = "/cdk-bootstrap/hnb659fds/version"

type ClientOf = Callable[[str], Any]


class Deployment:
    """The stacks as they were deployed, and what their resources turned into."""

    def __init__(self, assembly: Assembly, client: ClientOf) -> None:
        self.assembly = assembly
        self._client = client
        self._physical_ids: dict[str, str] = {}
        self._exports: dict[str, str] = {}
        client("ssm").put_parameter(Name=BOOTSTRAP_VERSION, Value="30", Type="String")
        self._upload_assets()
        for stack in assembly.stacks:
            self._create(stack)
        for stack in assembly.stacks:
            self._complete(stack)

    def resources(self, kind: str) -> list[tuple[str, Resource]]:
        """Logical id and definition of every resource of a type, over all stacks."""
        return [found for stack in self.assembly.stacks for found in stack.resources(kind)]

    def physical_id(self, logical_id: str) -> str:
        """What a resource is called now that it is deployed."""
        return self._physical_ids[logical_id]

    def arn(self, logical_id: str) -> str:
        """The ARN of a deployed resource."""
        return self._attribute([logical_id, "Arn"])

    def resolve(self, value: Any) -> Any:
        """A template's value with its references replaced by what they stand for.

        Raises:
            KeyError: it refers to something that isn't deployed here.
        """
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            (function, argument), *_ = value.items()
            if function in _INTRINSICS:
                return _INTRINSICS[function](self, argument)
        return {key: self.resolve(item) for key, item in value.items()}

    def outputs(self) -> dict[str, str]:
        """The outputs of all stacks that refer to deployed resources only."""
        listed = [output for stack in self.assembly.stacks for output in stack.template.get("Outputs", {}).items()]
        return {name: self.resolve(output["Value"]) for name, output in listed if self._is_deployed(output["Value"])}

    def _upload_assets(self) -> None:
        # The code runs from the assembly's folders; what is uploaded only has to exist.
        s3, made, empty = self._client("s3"), set[str](), _empty_zip()
        for asset in self.assembly.assets.values():
            if asset.bucket is None:
                continue
            bucket = _with_account(asset.bucket)
            if bucket not in made:
                s3.create_bucket(Bucket=bucket)
                made.add(bucket)
            s3.put_object(Bucket=bucket, Key=asset.key, Body=empty)

    def _create(self, stack: StackTemplate) -> None:
        cloudformation = self._client("cloudformation")
        cloudformation.create_stack(
            StackName=stack.name, TemplateBody=json.dumps(_deployable(stack.template)), Capabilities=["CAPABILITY_IAM"]
        )
        for resource in cloudformation.describe_stack_resources(StackName=stack.name)["StackResources"]:
            # Policies have no name that anything refers to.
            self._physical_ids[resource["LogicalResourceId"]] = resource.get("PhysicalResourceId", "")
        described = cloudformation.describe_stacks(StackName=stack.name)["Stacks"][0]
        for output in described.get("Outputs", []):
            if "ExportName" in output:
                self._exports[output["ExportName"]] = output["OutputValue"]

    def _complete(self, stack: StackTemplate) -> None:
        s3 = self._client("s3")
        for logical_id, bucket in stack.resources("AWS::S3::Bucket"):
            if versioning := bucket["Properties"].get("VersioningConfiguration"):
                s3.put_bucket_versioning(Bucket=self.physical_id(logical_id), VersioningConfiguration=versioning)
            if bucket["Properties"].get("ObjectLockEnabled"):
                s3.put_object_lock_configuration(
                    Bucket=self.physical_id(logical_id), ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"}
                )
        for logical_id, stream in stack.resources("AWS::KinesisFirehose::DeliveryStream"):
            settings = self.resolve(stream["Properties"])
            self._client("firehose").create_delivery_stream(**settings)
            self._physical_ids[logical_id] = settings["DeliveryStreamName"]
        for _, resource in stack.resources("Custom::S3BucketNotifications"):
            properties = resource["Properties"]
            s3.put_bucket_notification_configuration(
                Bucket=self.resolve(properties["BucketName"]),
                NotificationConfiguration=self.resolve(properties["NotificationConfiguration"]),
            )

    def _is_deployed(self, value: Any) -> bool:
        try:
            self.resolve(value)
        except KeyError:
            return False
        return True

    def _attribute(self, argument: list[str]) -> str:
        logical_id, attribute = argument
        physical_id = self.physical_id(logical_id)
        if attribute == "Name":
            return physical_id.rpartition(":")[2]
        if attribute != "Arn":
            raise KeyError(f"{logical_id}.{attribute}")
        kind = next(stack.template["Resources"][logical_id]["Type"] for stack in self._holding(logical_id))
        if physical_id.startswith("arn:"):
            return physical_id
        # A queue is known by its address, whose last part is its name.
        return _ARNS[kind].format(name=physical_id.rsplit("/", 1)[-1] if kind == "AWS::SQS::Queue" else physical_id)

    def _holding(self, logical_id: str) -> list[StackTemplate]:
        return [stack for stack in self.assembly.stacks if logical_id in stack.template["Resources"]]

    def _reference(self, argument: str) -> str:
        return _PSEUDO_PARAMETERS.get(argument) or self.physical_id(argument)

    def _join(self, argument: tuple[str, Any]) -> str:
        return argument[0].join(self.resolve(argument[1]))


_PSEUDO_PARAMETERS = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
}
_ARNS = {
    "AWS::S3::Bucket": "arn:aws:s3:::{name}",
    "AWS::Lambda::Function": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{{name}}",
    "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/{{name}}",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{{name}}:*",
    "AWS::KMS::Key": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{{name}}",
    "AWS::SQS::Queue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{{name}}",
}
_INTRINSICS: dict[str, Callable[[Deployment, Any], Any]] = {
    "Ref": Deployment._reference,  # noqa: SLF001 - the table of this class's own methods
    "Fn::GetAtt": Deployment._attribute,  # noqa: SLF001
    "Fn::Join": Deployment._join,  # noqa: SLF001
    "Fn::ImportValue": lambda deployment, name: deployment._exports[name],  # noqa: SLF001
    "Fn::Sub": lambda _, text: _with_account(text),
}


def _deployable(template: Mapping[str, Any]) -> dict[str, Any]:
    """The template without the resources that aren't deployed, and without what refers to them."""
    kept = {
        logical_id: {**_substituted(resource), "DependsOn": []}
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] in DEPLOYED and not _is_custom_resource_handler(resource)
    }
    left_out = [logical_id for logical_id in template["Resources"] if logical_id not in kept]
    outputs = {
        name: output
        for name, output in template.get("Outputs", {}).items()
        if not any(f'"{logical_id}"' in json.dumps(output) for logical_id in left_out)
    }
    return {**template, "Resources": kept, "Outputs": outputs}


def _substituted(resource: Resource) -> Resource:
    """The resource with a state machine's substitutions, which moto doesn't know, as a function that it knows."""
    properties = resource.get("Properties", {})
    if "DefinitionSubstitutions" not in properties:
        return resource
    # Not Fn::Sub: moto's turns the `$$` of a context path into `$`.
    parts = re.split(r"\$\{(\w+)\}", properties["DefinitionString"])
    values = properties["DefinitionSubstitutions"]
    joined = [values[part] if position % 2 else part for position, part in enumerate(parts)]
    return {**resource, "Properties": {**properties, "DefinitionString": {"Fn::Join": ["", joined]}}}


def _is_custom_resource_handler(resource: Resource) -> bool:
    return "ZipFile" in resource.get("Properties", {}).get("Code", {})


def _with_account(text: str) -> str:
    for name, value in _PSEUDO_PARAMETERS.items():
        text = text.replace(f"${{{name}}}", value)
    return text


def _empty_zip() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w"):
        pass
    return content.getvalue()
