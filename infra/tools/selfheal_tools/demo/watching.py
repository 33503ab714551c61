"""How a person follows the demo's service: by commands in the same folder, and in the console."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.session import Session

from infra.local import LocalCloud
from infra.local.deployment import REGION
from selfheal.stores.approvals import Approvals
from selfheal.stores.notifications import Topic
from selfheal_tools.console.desk import Settings
from selfheal_tools.console.serving import served
from selfheal_tools.environment import Environment
from selfheal_tools.local_stage import OPERATOR, LocalStage


@contextmanager
def watched(cloud: LocalCloud) -> Iterator[str]:
    """Let commands find the cloud, and serve its console, as long as the block lasts; the console's address."""
    settings = Settings(actor=f"console:{getpass.getuser()}")
    with stage_of(cloud).announced(), served(environment_of(cloud), settings) as address:
        yield address


def stage_of(cloud: LocalCloud) -> LocalStage:
    """How commands find a cloud of this process."""
    return LocalStage(
        endpoint=cloud.endpoint, region=REGION, clock=cloud.clock.file.resolve(), outputs=dict(cloud.outputs)
    )


def environment_of(cloud: LocalCloud) -> Environment:
    """A cloud of this process as the console reads it."""
    session = Session()
    session.set_credentials(OPERATOR, "local")
    session.set_config_variable("region", REGION)
    machine, topic = cloud.outputs["StateMachineArn"], cloud.outputs["TopicArn"]
    return Environment(
        stage="local",
        url=cloud.url,
        data_bucket=cloud.outputs["DataBucket"],
        stores=cloud.stores,
        executions=cloud.executions,
        approvals=Approvals(cloud.client("stepfunctions"), machine),
        notifications=Topic(cloud.client("sns"), topic),
        clock=lambda: cloud.clock.now,
        session=session,
    )
