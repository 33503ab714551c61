"""The service: it composes the capabilities and holds no data."""

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.cloud.acknowledgements import acknowledge_lint
from infra.cloud.capabilities.batch_scoring import BatchScoring
from infra.cloud.capabilities.failures import Failures
from infra.cloud.capabilities.healing import Healing
from infra.cloud.capabilities.hour_roll_up import HourRollUp
from infra.cloud.capabilities.label_ingestion import LabelIngestion
from infra.cloud.capabilities.monitoring import Monitoring
from infra.cloud.capabilities.notifications import Notifications
from infra.cloud.capabilities.observability import Observability
from infra.cloud.capabilities.prediction_api import PredictionApi
from infra.cloud.capabilities.prediction_stream import PredictionStream
from infra.cloud.capabilities.queries import Queries
from infra.cloud.data_stack import DataStack
from infra.cloud.functions import FunctionFactory
from infra.cloud.packaging import ROOT, Packages
from infra.cloud.stage import Stage
from infra.cloud.storage import Storage
from selfheal.contract.file import read_contract


class ServiceStack(Stack):
    """Functions, API, schedule and state machine of one stage."""

    def __init__(self, scope: Construct, name: str, *, stage: Stage, data: DataStack) -> None:
        super().__init__(scope, name, description=f"selfheal ({stage.name}): serving, monitoring and healing")
        acknowledge_lint(self)
        with Packages(stage.architecture, bundled=self.bundling_required) as packages:
            self._compose(FunctionFactory(self, stage=stage, packages=packages, key=data.key), stage, data)

    def _compose(self, functions: FunctionFactory, stage: Stage, data: DataStack) -> None:
        storage = Storage(
            data=self._named("Data", data.data),
            registry=self._named("Registry", data.registry),
            key=data.key,
            retention_days=stage.retention_days,
        )
        notifications = Notifications(self, "Notifications", email=stage.alarm_email)
        failures = Failures(self, "Failures")
        stream = None
        if stage.prediction_log == "firehose":
            stream = PredictionStream(self, "PredictionStream", storage=storage, stage=stage)
        serving = PredictionApi(
            self,
            "PredictionApi",
            functions=functions,
            storage=storage,
            stage=stage,
            stream=stream,
        )
        LabelIngestion(self, "LabelIngestion", functions=functions, storage=storage, stage=stage, failures=failures)
        BatchScoring(self, "BatchScoring", functions=functions, storage=storage, failures=failures)
        healing = Healing(
            self,
            "Healing",
            stage=stage,
            functions=functions,
            storage=storage,
            topic=notifications.topic,
        )
        hours = HourRollUp(self, "HourRollUp", stage=stage, functions=functions, storage=storage)
        Monitoring(
            self,
            "Monitoring",
            functions=functions,
            storage=storage,
            state_machine=healing.state_machine,
            large_hours=hours.state_machine,
            topic=notifications.topic,
            stage=stage,
            failures=failures,
        )
        Observability(
            self,
            "Observability",
            stage=stage,
            api=serving.api,
            functions=functions.made,
            state_machine=healing.state_machine,
            large_hours=hours.state_machine,
            failures=failures.queue,
            topic=notifications.topic,
            stream=stream,
        )
        if stage.queries:
            contract = read_contract(ROOT / stage.queries)
            Queries(self, "Queries", storage=storage, stage=stage, contract=contract)
        self._outputs(serving, healing, notifications, data, stage)

    def _named(self, name: str, bucket: s3.Bucket) -> s3.IBucket:
        # Known by its exported name only: what is attached to it then belongs to this stack, not to that of the data.
        return s3.Bucket.from_bucket_name(self, name, Stack.of(bucket).export_value(bucket.bucket_name))

    def _outputs(
        self, serving: PredictionApi, healing: Healing, notifications: Notifications, data: DataStack, stage: Stage
    ) -> None:
        outputs = {
            "Url": serving.api.api_endpoint,
            "DataBucket": data.data.bucket_name,
            "RegistryBucket": data.registry.bucket_name,
            "StateMachineArn": healing.state_machine.state_machine_arn,
            "TopicArn": notifications.topic.topic_arn,
            "RetentionDays": str(stage.retention_days),
        }
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)
