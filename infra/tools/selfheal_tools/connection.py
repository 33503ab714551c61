"""A deployed environment, found by the outputs of its stack; where `AWS_ENDPOINT_URL` points decides which cloud."""

import os
from typing import TYPE_CHECKING

import typer

from selfheal.errors import SelfhealError

if TYPE_CHECKING:
    from selfheal_tools.environment import Environment

LOCAL = "local"


class EnvironmentMissing(SelfhealError):
    """No deployed environment of that stage is to be found with the credentials and region at hand."""


def connect(stage: str) -> "Environment":
    """The environment of a stage. Raises EnvironmentMissing."""
    from selfheal.composition import approvals_of, executions_of, notifications_of, stores_of, system_clock
    from selfheal.settings import RegistrySettings
    from selfheal_tools.environment import Environment

    outputs = aim_at(stage) or _stack_outputs(f"selfheal-{stage}-service")
    settings = RegistrySettings(
        data_bucket=outputs["DataBucket"],
        registry_bucket=outputs["RegistryBucket"],
        retention_days=int(outputs.get("RetentionDays", "0")),
    )
    return Environment(
        stage=stage,
        url=outputs["Url"],
        data_bucket=outputs["DataBucket"],
        stores=stores_of(settings),
        executions=executions_of(outputs["StateMachineArn"]),
        approvals=approvals_of(outputs["StateMachineArn"]),
        notifications=notifications_of(outputs["TopicArn"]),
        clock=system_clock,
        say=typer.echo,
    )


def aim_at(stage: str) -> dict[str, str] | None:
    """The outputs of a local stage; all that this process asks of AWS, and the time, come from there from now on.

    None for a stage in AWS, of which nothing is asked yet. Raises EnvironmentMissing where no local cloud runs.
    """
    from selfheal_tools.local_stage import LocalStage

    if stage != LOCAL:
        return None
    found = LocalStage.running()
    if found is None:
        raise EnvironmentMissing(
            "no local cloud runs in this folder: start one with `selfheal demo --keep`, and run this beside it"
        )
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(found.environment())
    return found.outputs


def _stack_outputs(name: str) -> dict[str, str]:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        stack = boto3.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    except (BotoCoreError, ClientError) as error:
        raise EnvironmentMissing(
            f"no stack {name} was found ({type(error).__name__}): deploy it with `make deploy`, "
            "or check AWS credentials and region"
        ) from error
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
