"""Healing: the state machine that trains a shadow model, waits for labels, evaluates the gates and promotes."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.cloud.acknowledgements import acknowledge
from infra.cloud.functions import RETENTION, FunctionFactory, Sizing
from infra.cloud.permissions import may, may_list, may_read, may_write
from infra.cloud.stage import Stage
from infra.cloud.storage import Storage
from selfheal.prefixes import (
    EVIDENCE,
    FAULT_PERIODS,
    LABELS_ACCEPTED,
    LEDGER,
    LEDGER_SEALS,
    MODELS,
    POINTERS,
    PREDICTIONS,
    PREDICTIONS_HOURLY,
    PROGRESS,
)
from selfheal.settings import GateEvaluationSettings, LabelWaitSettings, PromotionSettings, ShadowTrainingSettings

DEFINITION = Path(__file__).parents[1] / "state_machine.asl.json"

# What labelled rows are made of.
LOGGED = (PREDICTIONS, PREDICTIONS_HOURLY, LABELS_ACCEPTED, FAULT_PERIODS)


class Healing(Construct):
    """The state machine and its four functions."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        stage: Stage,
        functions: FunctionFactory,
        storage: Storage,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, name)
        self._functions, self._storage = functions, storage
        self.state_machine = self._state_machine(
            stage,
            topic,
            {
                "ShadowTrainingArn": self._shadow_training(),
                "LabelWaitArn": self._label_wait(),
                "GateEvaluationArn": self._gate_evaluation(),
                "PromotionArn": self._promotion(),
            },
        )

    def _shadow_training(self) -> lambda_.Function:
        return self._functions.image_function(
            Construct(self, "ShadowTraining"),
            "shadow_training",
            settings=self._storage.settings(ShadowTrainingSettings),
            statements=[
                *self._reads_labelled_rows(),
                may_read(self._storage.registry, MODELS, LEDGER),
                may_list(self._storage.registry, MODELS, LEDGER, LEDGER_SEALS),
                self._storage.may_write_once(MODELS),
                may_write(self._storage.data, PROGRESS),
            ],
            sizing=Sizing(memory=3008, timeout=900),
        )

    def _label_wait(self) -> lambda_.Function:
        return self._functions.image_function(
            Construct(self, "LabelWait"),
            "label_wait",
            settings=self._storage.settings(LabelWaitSettings),
            statements=[*self._reads_labelled_rows(), may_read(self._storage.registry, MODELS)],
            sizing=Sizing(memory=1769, timeout=300),
        )

    def _gate_evaluation(self) -> lambda_.Function:
        return self._functions.image_function(
            Construct(self, "GateEvaluation"),
            "gate_evaluation",
            settings=self._storage.settings(GateEvaluationSettings),
            statements=[
                *self._reads_labelled_rows(),
                may_read(self._storage.registry, MODELS, LEDGER, EVIDENCE),
                may_list(self._storage.registry, MODELS, LEDGER, LEDGER_SEALS),
                self._storage.may_write_once(EVIDENCE, MODELS),
            ],
            sizing=Sizing(memory=3008, timeout=600),
        )

    def _promotion(self) -> lambda_.Function:
        return self._functions.zip_function(
            Construct(self, "Promotion"),
            "promotion",
            settings=self._storage.settings(PromotionSettings),
            statements=[
                may_read(self._storage.registry, POINTERS, MODELS, LEDGER),
                may_list(self._storage.registry, LEDGER, LEDGER_SEALS),
                may_write(self._storage.registry, POINTERS),
                self._storage.may_write_once(LEDGER, LEDGER_SEALS),
            ],
            sizing=Sizing(memory=512, timeout=60),
        )

    def _reads_labelled_rows(self) -> Sequence[iam.PolicyStatement]:
        return [may_read(self._storage.data, *LOGGED), may_list(self._storage.data, *LOGGED)]

    def _state_machine(
        self, stage: Stage, topic: sns.ITopic, functions: Mapping[str, lambda_.Function]
    ) -> sfn.StateMachine:
        log_group = logs.LogGroup(
            self, "Log", retention=RETENTION[stage.log_retention_days], removal_policy=RemovalPolicy.DESTROY
        )
        arns = {name: function.function_arn for name, function in functions.items()}
        machine = sfn.StateMachine(
            self,
            "StateMachine",
            definition_body=sfn.DefinitionBody.from_string(DEFINITION.read_text(encoding="utf-8")),
            definition_substitutions={**arns, "TopicArn": topic.topic_arn},
            logs=sfn.LogOptions(destination=log_group, level=sfn.LogLevel.ALL),
        )
        machine.add_to_role_policy(may("lambda:InvokeFunction", *arns.values()))
        machine.add_to_role_policy(may("sns:Publish", topic.topic_arn))
        acknowledge(machine, "SF2", "Its log holds every transition; no trace goes on into another service")
        acknowledge(
            machine.role, "IAM5[Resource::*]", "Delivering logs has no resources to name: the service defines it so"
        )
        return machine
