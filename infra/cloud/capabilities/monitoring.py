"""Watching the model: the drift function, run on a schedule."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk.aws_scheduler_targets import LambdaInvoke
from constructs import Construct

from infra.cloud.capabilities.failures import RETRIES, Failures
from infra.cloud.functions import FunctionFactory, Sizing
from infra.cloud.permissions import may, may_list, may_read, may_write
from infra.cloud.stage import Stage
from infra.cloud.storage import Storage
from selfheal.prefixes import (
    EVIDENCE,
    LABELS_ACCEPTED,
    LABELS_BY_ID,
    LABELS_REJECTED,
    LEDGER,
    LEDGER_SEALS,
    MODELS,
    MONITORING,
    POINTERS,
    PREDICTION_IDS,
    PREDICTIONS,
    PREDICTIONS_HOURLY,
    SUMMARIES,
)
from selfheal.settings import DriftSettings

LOGGED = (
    PREDICTIONS,
    PREDICTIONS_HOURLY,
    PREDICTION_IDS,
    LABELS_ACCEPTED,
    LABELS_BY_ID,
    MONITORING,
    SUMMARIES,
)
WRITTEN = (
    PREDICTIONS_HOURLY,
    PREDICTION_IDS,
    LABELS_ACCEPTED,
    LABELS_BY_ID,
    LABELS_REJECTED,
    MONITORING,
    SUMMARIES,
)


class Monitoring(Construct):
    """The drift function, which may start a healing, have hours rolled up, take a promotion back, and tell people."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        functions: FunctionFactory,
        storage: Storage,
        state_machine: sfn.IStateMachine,
        large_hours: sfn.IStateMachine,
        topic: sns.ITopic,
        stage: Stage,
        failures: Failures,
    ) -> None:
        super().__init__(scope, name)
        data, registry = storage.data, storage.registry
        self.function = functions.image_function(
            self,
            "drift",
            settings=storage.settings(
                DriftSettings,
                state_machine_arn=state_machine.state_machine_arn,
                large_hours_arn=large_hours.state_machine_arn,
                topic_arn=topic.topic_arn,
                metrics_namespace=stage.metrics_namespace,
                schedule_minutes=stage.schedule_minutes,
                mlflow_tracking_uri=stage.mlflow_tracking_uri,
            ),
            statements=[
                may_read(data, *LOGGED),
                may_list(data, *LOGGED),
                may_write(data, *WRITTEN),
                may_read(registry, POINTERS, MODELS, LEDGER, EVIDENCE),
                may_list(
                    registry,
                    POINTERS,
                    LEDGER,
                    LEDGER_SEALS,
                    *([MODELS] if stage.mlflow_tracking_uri else []),
                ),
                may_write(registry, POINTERS),
                storage.may_write_once(LEDGER, LEDGER_SEALS, EVIDENCE),
                may("states:StartExecution", state_machine.state_machine_arn, large_hours.state_machine_arn),
                may("states:ListExecutions", state_machine.state_machine_arn),
                may("sns:Publish", topic.topic_arn),
            ],
            sizing=Sizing(memory=3008, timeout=600),
        )
        failures.keep_events_of(self.function)
        scheduler.Schedule(
            self,
            "Schedule",
            schedule=scheduler.ScheduleExpression.rate(Duration.minutes(stage.schedule_minutes)),
            target=LambdaInvoke(
                self.function,
                dead_letter_queue=failures.queue,
                max_event_age=Duration.minutes(stage.schedule_minutes),
                retry_attempts=RETRIES,
                role=self._schedule_role(failures).without_policy_updates(),
                input=scheduler.ScheduleTargetInput.from_object(
                    {"scheduled_at": scheduler.ContextAttribute.scheduled_time}
                ),
            ),
        )

    def _schedule_role(self, failures: Failures) -> iam.Role:
        # CDK's own would also open every version and alias of the function.
        trusted = iam.ServicePrincipal(
            "scheduler.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}}
        )
        role = iam.Role(self, "ScheduleRole", assumed_by=trusted)
        role.add_to_policy(may("lambda:InvokeFunction", self.function.function_arn))
        role.add_to_policy(may("sqs:SendMessage", failures.queue.queue_arn))
        return role
