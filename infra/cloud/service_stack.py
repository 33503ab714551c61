"""The service: it composes the capabilities and holds no data."""

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra.cloud.capabilities.healing import Healing
from infra.cloud.capabilities.label_ingestion import LabelIngestion
from infra.cloud.capabilities.monitoring import Monitoring
from infra.cloud.capabilities.notifications import Notifications
from infra.cloud.capabilities.prediction_api import PredictionApi
from infra.cloud.data_stack import DataStack
from infra.cloud.functions import FunctionFactory
from infra.cloud.packaging import Packages
from infra.cloud.stage import Stage


class ServiceStack(Stack):
    """Functions, API, schedule and state machine of one stage."""

    def __init__(self, scope: Construct, name: str, *, stage: Stage, storage: DataStack) -> None:
        super().__init__(scope, name, description=f"selfheal ({stage.name}): serving, monitoring and healing")
        with Packages(stage.architecture, bundled=self.bundling_required) as packages:
            self._compose(FunctionFactory(self, stage=stage, packages=packages), stage, storage)

    def _compose(self, functions: FunctionFactory, stage: Stage, storage: DataStack) -> None:
        data, registry = storage.data, storage.registry
        notifications = Notifications(self, "Notifications")
        serving = PredictionApi(
            self,
            "PredictionApi",
            functions=functions,
            data=data,
            registry=registry,
            pointer_check_seconds=stage.pointer_check_seconds,
        )
        LabelIngestion(self, "LabelIngestion", functions=functions, data=data, registry=registry)
        healing = Healing(
            self,
            "Healing",
            stage=stage,
            functions=functions,
            data=data,
            registry=registry,
            topic=notifications.topic,
        )
        Monitoring(
            self,
            "Monitoring",
            functions=functions,
            data=data,
            registry=registry,
            state_machine=healing.state_machine,
            topic=notifications.topic,
            schedule_minutes=stage.schedule_minutes,
        )
        self._outputs(serving, healing, notifications, storage)

    def _outputs(
        self, serving: PredictionApi, healing: Healing, notifications: Notifications, storage: DataStack
    ) -> None:
        outputs = {
            "Url": serving.api.api_endpoint,
            "DataBucket": storage.data.bucket_name,
            "RegistryBucket": storage.registry.bucket_name,
            "StateMachineArn": healing.state_machine.state_machine_arn,
            "TopicArn": notifications.topic.topic_arn,
        }
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)
