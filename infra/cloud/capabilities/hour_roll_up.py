"""Rolling up large hours of the log: the state machine that has their parts done side by side, and its function."""

from pathlib import Path

from aws_cdk import ArnFormat, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.cloud.acknowledgements import acknowledge, acknowledge_prefixes
from infra.cloud.functions import RETENTION, FunctionFactory, Sizing
from infra.cloud.permissions import may, may_list, may_read, may_use_key, may_write
from infra.cloud.stage import Stage
from infra.cloud.storage import Storage
from selfheal.prefixes import MODELS, POINTERS, PREDICTION_IDS, PREDICTIONS, PREDICTIONS_HOURLY, SUMMARIES
from selfheal.settings import HourRollUpSettings

DEFINITION = Path(__file__).parents[1] / "hour_roll_up.asl.json"

READ = (PREDICTIONS, PREDICTIONS_HOURLY, PREDICTION_IDS, SUMMARIES)
WRITTEN = (PREDICTIONS_HOURLY, PREDICTION_IDS, SUMMARIES)


class HourRollUp(Construct):
    """The state machine and the function of its steps; both idle, and cost nothing, while hours are small."""

    def __init__(
        self, scope: Construct, name: str, *, stage: Stage, functions: FunctionFactory, storage: Storage
    ) -> None:
        super().__init__(scope, name)
        self._storage = storage
        function = functions.image_function(
            self,
            "hour_roll_up",
            settings=storage.settings(HourRollUpSettings),
            statements=[
                may_read(storage.data, *READ),
                may_list(storage.data, *READ),
                may_write(storage.data, *WRITTEN),
                may_read(storage.registry, POINTERS, MODELS),
            ],
            sizing=Sizing(memory=3008, timeout=900),
        )
        self.state_machine = self._state_machine(stage, function)

    def _state_machine(self, stage: Stage, function: lambda_.Function) -> sfn.StateMachine:
        log_group = logs.LogGroup(
            self, "MachineLog", retention=RETENTION[stage.log_retention_days], removal_policy=RemovalPolicy.DESTROY
        )
        machine = sfn.StateMachine(
            self,
            "StateMachine",
            definition_body=sfn.DefinitionBody.from_string(DEFINITION.read_text(encoding="utf-8")),
            definition_substitutions={
                "FunctionArn": function.function_arn,
                "DataBucket": self._storage.data.bucket_name,
                "Partition": Stack.of(self).partition,
            },
            logs=sfn.LogOptions(destination=log_group, level=sfn.LogLevel.ALL),
        )
        manifests = [may_read(self._storage.data, PREDICTIONS_HOURLY)]
        key = [] if self._storage.key is None else [may_use_key(self._storage.key, manifests)]
        for statement in (may("lambda:InvokeFunction", function.function_arn), *manifests, *key):
            machine.add_to_role_policy(statement)
        acknowledge_prefixes(machine.role, manifests, "Manifests lie beside the parts that they name")
        acknowledge(machine, "SF2", "Its log holds every transition; no trace goes on into another service")
        acknowledge(
            machine.role, "IAM5[Resource::*]", "Delivering logs has no resources to name: the service defines it so"
        )
        self._may_run_parts(machine)
        return machine

    def _may_run_parts(self, machine: sfn.StateMachine) -> None:
        """A part is an execution of the machine's own, which it starts, watches and ends.

        https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
        """
        children = Stack.of(self).format_arn(
            service="states",
            resource="execution",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
            resource_name=f"{machine.state_machine_name}/*",
        )
        watch = iam.PolicyStatement(actions=["states:DescribeExecution", "states:StopExecution"], resources=[children])
        start = may("states:StartExecution", machine.state_machine_arn)
        policy = iam.Policy(self, "RunsParts", roles=[machine.role], statements=[start, watch])
        acknowledge_prefixes(policy, [watch], "Executions of parts are named by the service")
