"""Answering requests: an HTTP API before the predictor."""

from aws_cdk import aws_apigatewayv2 as gateway
from aws_cdk import aws_s3 as s3
from aws_cdk.aws_apigatewayv2_authorizers import HttpIamAuthorizer
from aws_cdk.aws_apigatewayv2_integrations import HttpLambdaIntegration
from constructs import Construct

from infra.cloud.functions import FunctionFactory, Sizing
from infra.cloud.permissions import may_learn_what_is_missing, may_read, may_write
from selfheal.settings import PredictorSettings


class PredictionApi(Construct):
    """The predictor behind an HTTP API that wants signed requests."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        functions: FunctionFactory,
        data: s3.IBucket,
        registry: s3.IBucket,
        pointer_check_seconds: float,
    ) -> None:
        super().__init__(scope, name)
        self.function = functions.zip_function(
            self,
            "predictor",
            settings=PredictorSettings(
                data_bucket=data.bucket_name,
                registry_bucket=registry.bucket_name,
                pointer_check_seconds=pointer_check_seconds,
            ),
            statements=[
                may_read(registry, "pointers/", "models/"),
                may_learn_what_is_missing(registry),
                may_read(data, "idempotency/", "predictions/"),
                may_write(data, "predictions/", "idempotency/", "labels/incoming/"),
            ],
            sizing=Sizing(memory=1024, timeout=29),
        )
        # One catch-all route: the application answers unknown paths in the shape of every other error.
        self.api = gateway.HttpApi(
            self,
            "Api",
            default_integration=HttpLambdaIntegration("Predictor", self.function),
            default_authorizer=HttpIamAuthorizer(),
        )
