"""How a function is made: one role, one log group, an environment from its settings; zip or container image."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import Duration, RemovalPolicy, Size
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.cloud.acknowledgements import acknowledge, acknowledge_prefixes
from infra.cloud.packaging import Packages
from infra.cloud.permissions import may_use_key
from infra.cloud.stage import Stage
from selfheal.prefixes import SMALL_OBJECTS
from selfheal.settings import Settings, environment_of

RETENTION = {
    7: logs.RetentionDays.ONE_WEEK,
    30: logs.RetentionDays.ONE_MONTH,
    90: logs.RetentionDays.THREE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
}
ARCHITECTURES = {"arm64": lambda_.Architecture.ARM_64, "x86_64": lambda_.Architecture.X86_64}
PLATFORMS = {"arm64": ecr_assets.Platform.LINUX_ARM64, "x86_64": ecr_assets.Platform.LINUX_AMD64}

# One core's worth of threads: a small model predicts five times slower with more of them.
SINGLE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@dataclass(frozen=True, kw_only=True)
class Sizing:
    """What a function gets: memory and disk in MB (the processor's share grows with memory), time limit in seconds."""

    memory: int
    timeout: int
    disk: int = 512


class FunctionFactory:
    """Makes the functions of one service stack, which share the layers and the image; `made` holds them by name."""

    def __init__(self, scope: Construct, *, stage: Stage, packages: Packages, key: kms.IKey | None) -> None:
        self._stage = stage
        self._packages = packages
        self.made: dict[str, lambda_.Function] = {}
        self._key = key
        self._layers = [
            self._layer(scope, "Core", lambda_.Code.from_asset(str(packages.core))),
            self._layer(scope, "Runtime", lambda_.Code.from_asset(str(packages.runtime))),
        ]

    def zip_function(
        self,
        scope: Construct,
        name: str,
        *,
        settings: Settings,
        statements: Sequence[iam.PolicyStatement],
        sizing: Sizing,
        keeps_unlogged_predictions: bool = False,
        reserved_concurrency: int | None = None,
        snap_start: bool = False,
    ) -> lambda_.Function:
        """A function of the folder `functions/<name>` with the shared layers.

        keeps_unlogged_predictions: whether its log may hold predictions that are nowhere else. The log then outlives
        the stack, and its lines are kept as long as the prediction log's objects.
        """
        log_group = self._log_group(scope, is_data=keeps_unlogged_predictions)
        self.made[name] = lambda_.Function(
            scope,
            "Function",
            code=lambda_.Code.from_asset(str(self._packages.function(name))),
            handler=f"{name}.handler.handler",
            runtime=lambda_.Runtime.PYTHON_3_13,
            layers=self._layers,
            reserved_concurrent_executions=reserved_concurrency,
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if snap_start else None,
            architecture=ARCHITECTURES[self._stage.architecture],
            environment=environment_of(settings),
            log_group=log_group,
            memory_size=sizing.memory,
            role=self._role(scope, log_group, statements),
            timeout=Duration.seconds(sizing.timeout),
        )
        acknowledge(self.made[name], "L1", "Every package is locked and tested for Python 3.13, which Lambda supports")
        return self.made[name]

    def image_function(
        self,
        scope: Construct,
        name: str,
        *,
        settings: Settings,
        statements: Sequence[iam.PolicyStatement],
        sizing: Sizing,
    ) -> lambda_.Function:
        """A function of the container image, which all of them share: only the command differs."""
        log_group = self._log_group(scope)
        self.made[name] = lambda_.DockerImageFunction(
            scope,
            "Function",
            code=lambda_.DockerImageCode.from_image_asset(
                str(self._packages.image),
                file="functions/Dockerfile",
                build_args={
                    "LOCK": "requirements-mlflow.txt" if self._stage.mlflow_tracking_uri else "requirements.txt"
                },
                cmd=[f"{name}.handler.handler"],
                platform=PLATFORMS[self._stage.architecture],
            ),
            architecture=ARCHITECTURES[self._stage.architecture],
            environment={**environment_of(settings), **SINGLE_THREAD},
            ephemeral_storage_size=Size.mebibytes(sizing.disk),
            log_group=log_group,
            memory_size=sizing.memory,
            role=self._role(scope, log_group, statements),
            timeout=Duration.seconds(sizing.timeout),
        )
        return self.made[name]

    def _layer(self, scope: Construct, name: str, code: lambda_.Code) -> lambda_.LayerVersion:
        return lambda_.LayerVersion(
            scope,
            f"{name}Layer",
            code=code,
            compatible_runtimes=[lambda_.Runtime.PYTHON_3_13],
            compatible_architectures=[ARCHITECTURES[self._stage.architecture]],
        )

    def _log_group(self, scope: Construct, *, is_data: bool = False) -> logs.LogGroup:
        days = self._stage.log_retention_days
        return logs.LogGroup(
            scope,
            "Log",
            retention=RETENTION[max(days, SMALL_OBJECTS) if is_data else days],
            removal_policy=RemovalPolicy.RETAIN if is_data else RemovalPolicy.DESTROY,
        )

    def _role(self, scope: Construct, log_group: logs.LogGroup, statements: Sequence[iam.PolicyStatement]) -> iam.Role:
        # Not AWSLambdaBasicExecutionRole: it writes to every log of the account.
        role = iam.Role(scope, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        to_log = iam.PolicyStatement(
            actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group.log_group_arn]
        )
        needed = [to_log, *statements, *([] if self._key is None else [may_use_key(self._key, statements)])]
        for statement in needed:
            role.add_to_policy(statement)
        acknowledge_prefixes(role, needed, "A test on the local cloud shows that no statement can be left out")
        return role
