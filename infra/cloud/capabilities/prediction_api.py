"""Answering requests: an HTTP API before the predictor."""

import json
from typing import cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_apigatewayv2 as gateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk.aws_apigatewayv2_authorizers import HttpIamAuthorizer, HttpJwtAuthorizer
from aws_cdk.aws_apigatewayv2_integrations import HttpLambdaIntegration
from constructs import Construct

from infra.cloud.capabilities.prediction_stream import PredictionStream
from infra.cloud.functions import RETENTION, FunctionFactory, Sizing
from infra.cloud.permissions import may, may_list, may_read, may_write
from infra.cloud.stage import Stage
from infra.cloud.storage import Storage
from selfheal.prefixes import IDEMPOTENCY, LABELS_INCOMING, MODELS, POINTERS, PREDICTIONS
from selfheal.settings import PredictorSettings

# One line a request: who, what, how long; no body, so no feature's value.
ACCESS_LOG = {
    "requestId": "$context.requestId",
    "time": "$context.requestTime",
    "method": "$context.httpMethod",
    "path": "$context.path",
    "status": "$context.status",
    "address": "$context.identity.sourceIp",
    "milliseconds": "$context.responseLatency",
    "error": "$context.error.message",
}
# Of a token's claims only those that stand for its bearer: names and addresses of people stay out of the log.
CALLER_BY_SIGNATURE = {"caller": "$context.identity.userArn"}
CALLER_BY_TOKEN = {"caller": "$context.authorizer.claims.sub", "client": "$context.authorizer.claims.client_id"}


class PredictionApi(Construct):
    """The predictor behind an HTTP API that wants signed requests, or tokens of an issuer."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        functions: FunctionFactory,
        storage: Storage,
        stage: Stage,
        stream: PredictionStream | None = None,
    ) -> None:
        super().__init__(scope, name)
        registry = storage.registry
        self.function = functions.zip_function(
            self,
            "predictor",
            settings=storage.settings(
                PredictorSettings,
                metrics_namespace=stage.metrics_namespace,
                pointer_check_seconds=stage.pointer_check_seconds,
                prediction_stream=stream.stream_name if stream else None,
            ),
            statements=[
                may_read(registry, POINTERS, MODELS),
                may_list(registry, POINTERS),
                *_may_log(storage.data, stream),
            ],
            sizing=Sizing(memory=1024, timeout=29),
            keeps_unlogged_predictions=True,
            reserved_concurrency=stage.reserved_concurrency or None,
            snap_start=stage.snap_start,
        )
        if stream is not None:
            self.function.node.add_dependency(stream.resource)
        # One catch-all route: the application answers unknown paths in the shape of every other error.
        self.api = gateway.HttpApi(
            self,
            "Api",
            default_integration=HttpLambdaIntegration("Predictor", self._answering(stage)),
            default_authorizer=_authorizer(stage),
            create_default_stage=False,
        )
        self._open(stage)

    def _answering(self, stage: Stage) -> lambda_.IFunction:
        """What the API invokes: only published versions have snapshots, so with them it is the alias of the newest."""
        if not stage.snap_start:
            return self.function
        return lambda_.Alias(self, "Live", alias_name="live", version=self.function.current_version)

    def _open(self, stage: Stage) -> None:
        access = logs.LogGroup(
            self,
            "AccessLog",
            retention=RETENTION[stage.log_retention_days],
            removal_policy=RemovalPolicy.DESTROY,
        )
        opened = gateway.HttpStage(
            self,
            "Stage",
            http_api=self.api,
            stage_name="$default",
            auto_deploy=True,
            throttle=gateway.ThrottleSettings(rate_limit=stage.requests_per_second, burst_limit=stage.burst),
        )
        definition = cast(gateway.CfnStage, opened.node.default_child)
        definition.access_log_settings = gateway.CfnStage.AccessLogSettingsProperty(
            destination_arn=access.log_group_arn, format=json.dumps(_access_log(stage))
        )


def _may_log(data: s3.IBucket, stream: PredictionStream | None) -> list[iam.PolicyStatement]:
    if stream is not None:
        return [
            may_read(data, IDEMPOTENCY),
            may_write(data, IDEMPOTENCY, LABELS_INCOMING),
            may("firehose:PutRecordBatch", stream.arn),
        ]
    return [may_read(data, IDEMPOTENCY, PREDICTIONS), may_write(data, PREDICTIONS, IDEMPOTENCY, LABELS_INCOMING)]


def _access_log(stage: Stage) -> dict[str, str]:
    return ACCESS_LOG | (CALLER_BY_TOKEN if stage.jwt_issuer else CALLER_BY_SIGNATURE)


def _authorizer(stage: Stage) -> gateway.IHttpRouteAuthorizer:
    if not stage.jwt_issuer:
        return HttpIamAuthorizer()
    return HttpJwtAuthorizer("Tokens", stage.jwt_issuer, jwt_audience=[stage.jwt_audience])
