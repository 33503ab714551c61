"""The functions of a deployed template, each as it is to be run."""

import re
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.assembly import Resource
from infra.local.deployment import Deployment
from infra.local.moto_adaptations import FIREHOSE
from infra.local.runtime import FunctionSpec

# What our Dockerfile copies from its context into the folder that Lambda runs, by way of the stage that compiles it.
_COPIED = re.compile(r"^COPY (\S+) /code/$", re.MULTILINE)


# The callers that stand for EventBridge Scheduler and for the state machines.
SCHEDULER = "scheduler"
HEALING, HOUR_ROLL_UP = "Healing", "HourRollUp"


@dataclass(frozen=True, slots=True)
class ThirdParty:
    """Folders of third-party packages: `zipped` beside the layers of zip functions, `image` those of the image."""

    zipped: Path
    image: Path


def development_packages() -> ThirdParty:
    """Those of the development environment; its links to this project aren't followed by the functions."""
    installed = Path(sysconfig.get_path("purelib"))
    return ThirdParty(zipped=installed, image=installed)


def function_specs(deployment: Deployment, third_party: ThirdParty) -> Iterator[tuple[str, FunctionSpec]]:
    """Logical id and spec of every function that the project wrote."""
    for logical_id, properties in _own_functions(deployment):
        yield logical_id, _spec(deployment, logical_id, properties, third_party)


def caller_roles(deployment: Deployment) -> dict[str, Any]:
    """References to the roles of all that calls AWS, by the access keys that stand for them here."""
    functions = {_name(properties): properties["Role"] for _, properties in _own_functions(deployment)}
    ((_, schedule),) = deployment.resources("AWS::Scheduler::Schedule")
    machines = deployment.resources("AWS::StepFunctions::StateMachine")
    others = {
        **{_machine_name(logical_id): machine["Properties"]["RoleArn"] for logical_id, machine in machines},
        SCHEDULER: schedule["Properties"]["Target"]["RoleArn"],
    }
    for _, stream in deployment.resources("AWS::KinesisFirehose::DeliveryStream"):
        others[FIREHOSE] = stream["Properties"]["ExtendedS3DestinationConfiguration"]["RoleARN"]
    return {**functions, **others}


def state_machines(deployment: Deployment) -> dict[str, str]:
    """The ARNs of all state machines by their callers' names."""
    machines = deployment.resources("AWS::StepFunctions::StateMachine")
    return {_machine_name(logical_id): deployment.physical_id(logical_id) for logical_id, _ in machines}


def failure_destinations(deployment: Deployment) -> Iterator[tuple[str, str]]:
    """ARNs of the functions whose failed events are kept, and of the queues that keep them."""
    for _, resource in deployment.resources("AWS::Lambda::EventInvokeConfig"):
        properties = resource["Properties"]
        function = deployment.arn(properties["FunctionName"]["Ref"])
        yield function, deployment.resolve(properties["DestinationConfig"]["OnFailure"]["Destination"])


def _machine_name(logical_id: str) -> str:
    """A state machine is called by its capability."""
    return logical_id.split("StateMachine", maxsplit=1)[0]


def _own_functions(deployment: Deployment) -> Iterator[tuple[str, Resource]]:
    for logical_id, resource in deployment.resources("AWS::Lambda::Function"):
        if "ZipFile" not in resource["Properties"]["Code"]:
            yield logical_id, resource["Properties"]


def _handler(properties: Resource) -> str:
    return str(properties.get("Handler") or properties["ImageConfig"]["Command"][0])


def _name(properties: Resource) -> str:
    return _handler(properties).split(".", maxsplit=1)[0]


def _spec(deployment: Deployment, logical_id: str, properties: Resource, third_party: ThirdParty) -> FunctionSpec:
    return FunctionSpec(
        name=_name(properties),
        arn=deployment.arn(logical_id),
        handler=_handler(properties),
        code=tuple(folder.resolve() for folder in _code(deployment, properties)),
        packages=third_party.image if _is_image(properties) else third_party.zipped,
        environment=deployment.resolve(properties["Environment"]["Variables"]),
        timeout=properties["Timeout"],
        memory=properties["MemorySize"],
        log_group=deployment.resolve(properties["LoggingConfig"]["LogGroup"]),
    )


def _code(deployment: Deployment, properties: Resource) -> list[Path]:
    folder = deployment.assembly.folder_of(str(properties["Code"]))
    if _is_image(properties):
        return _image_code(folder)
    return [folder, *(_layer(deployment, layer) / "python" for layer in properties.get("Layers", []))]


def _is_image(properties: Resource) -> bool:
    return bool(properties.get("PackageType") == "Image")


def _layer(deployment: Deployment, reference: dict[str, Any]) -> Path:
    layers = dict(deployment.resources("AWS::Lambda::LayerVersion"))
    return deployment.assembly.folder_of(str(layers[reference["Ref"]]["Properties"]["Content"]))


def _image_code(folder: Path) -> list[Path]:
    dockerfile = next(folder.rglob("Dockerfile")).read_text(encoding="utf-8")
    return [folder / source for source in _COPIED.findall(dockerfile)]
