"""A deployed environment, found by the outputs of its stack; where `AWS_ENDPOINT_URL` points decides which cloud."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from selfheal.errors import SelfhealError

if TYPE_CHECKING:
    from selfheal.stores.approvals import Approvals
    from selfheal.stores.collection import Stores
    from selfheal.stores.executions import Executions
    from selfheal.stores.notifications import Notifications

StageOption = Annotated[str, typer.Option(help="Stage of the deployed environment.")]
ReasonOption = Annotated[str, typer.Option(help="Why; it stands in the ledger.")]


class EnvironmentMissing(SelfhealError):
    """No deployed environment of that stage is to be found with the credentials and region at hand."""


@dataclass(frozen=True)
class Environment:
    """What a command needs of a deployed environment."""

    stage: str
    url: str
    data_bucket: str
    stores: "Stores"
    executions: "Executions"
    approvals: "Approvals"
    notifications: "Notifications"

    def tell(self, sentence: str) -> None:
        """Tell what came of a person's command: here, and to whoever listens. Raises StoreUnavailable."""
        typer.echo(sentence)
        self.notifications.send("selfheal: production was moved by a person", sentence)


def connect(stage: str) -> Environment:
    """The environment of a stage. Raises EnvironmentMissing."""
    from selfheal.composition import approvals_of, executions_of, notifications_of, stores_of
    from selfheal.settings import RegistrySettings

    outputs = _stack_outputs(f"selfheal-{stage}-service")
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
    )


def actor() -> str:
    """Who gives the command, for the ledger: the operating system's user, never an account number."""
    import getpass

    return f"cli:{getpass.getuser()}"


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
