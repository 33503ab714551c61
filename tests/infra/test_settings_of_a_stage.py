"""The template with every setting of a stage turned on, beside the one with the defaults."""

import json
import re
from pathlib import Path

import pytest

from infra.cloud.app import ROOT
from infra.cloud.stage import Stage, stage_of
from infra.local.synthesis import synthesised
from tests.infra.test_service_stack import STREAM_ALARMS, metrics_of
from tests.support.templates import GUARDED, Template, template_of

WRITERS = {"shadow_training", "gate_evaluation", "promotion", "drift"}


# SnapStart


def test_without_snapstart_the_api_invokes_the_function_itself(plain):
    """Off by default: nothing is published, so nothing costs while nobody asks."""
    assert not plain.of_type("AWS::Lambda::Version")
    assert not plain.of_type("AWS::Lambda::Alias")
    assert not [name for name, function in plain.functions.items() if "SnapStart" in function]
    (integration,) = plain.of_type("AWS::ApiGatewayV2::Integration").values()
    assert integration["IntegrationUri"] == {"Fn::GetAtt": [plain.logical_id("predictor"), "Arn"]}


def test_with_snapstart_the_api_invokes_the_alias_of_a_published_version(guarded):
    """Snapshots are of versions: integration and permission name the alias, and no other function has one."""
    assert [name for name, function in guarded.functions.items() if "SnapStart" in function] == ["predictor"]
    assert guarded.functions["predictor"]["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    ((version, published),) = guarded.of_type("AWS::Lambda::Version").items()
    assert published["FunctionName"] == {"Ref": guarded.logical_id("predictor")}
    ((alias, live),) = guarded.of_type("AWS::Lambda::Alias").items()
    assert live["FunctionVersion"] == {"Fn::GetAtt": [version, "Version"]}
    (integration,) = guarded.of_type("AWS::ApiGatewayV2::Integration").values()
    assert integration["IntegrationUri"] == {"Ref": alias}
    allowed = [p for p in guarded.of_type("AWS::Lambda::Permission").values() if "apigateway" in p["Principal"]]
    assert [permission["FunctionName"] for permission in allowed] == [{"Ref": alias}]


def test_a_new_layer_makes_a_new_version():
    """CDK leaves the layers' content out of a version's identity unless this flag says otherwise."""
    context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    assert context["@aws-cdk/aws-lambda:recognizeLayerVersion"] is True


# Metrics


@pytest.mark.parametrize(("template", "namespace"), [("plain", "selfheal-dev"), ("guarded", "selfheal-prod")])
def test_a_stage_counts_and_watches_in_a_namespace_of_its_own(request, template, namespace):
    """What a function is told is where the alarms and the dashboard look: dev's trouble rings no alarm of prod's."""
    found: Template = request.getfixturevalue(template)
    for name in ("predictor", "labels", "drift"):
        assert found.functions[name]["Environment"]["Variables"]["SELFHEAL_METRICS_NAMESPACE"] == namespace
    watched = [alarm.get("Namespace", "") for alarm in found.of_type("AWS::CloudWatch::Alarm").values()]
    assert [name for name in watched if name.startswith("selfheal")] == [namespace] * 3
    (dashboard,) = found.of_type("AWS::CloudWatch::Dashboard").values()
    shown = set(re.findall(r'"(selfheal[\w-]*)","\w+","service"', json.dumps(dashboard).replace("\\", "")))
    assert shown == {namespace}


# Retention


def test_functions_that_write_once_may_lock_what_they_write_and_nothing_else(guarded):
    """Who writes models, evidence or ledger puts a retention there; nobody may lock the pointer or the data bucket."""
    for name in guarded.functions:
        locking = [s for s in guarded.statements(name) if "s3:PutObjectRetention" in s["Action"]]
        assert bool(locking) == (name in WRITERS), name
        for statement in locking:
            assert statement["Action"] == ["s3:PutObject", "s3:PutObjectRetention"]
            assert set(guarded.prefixes(statement)) <= {"/models/*", "/evidence/*", "/ledger/*", "/ledger-seals/*"}


@pytest.mark.parametrize(("template", "days"), [("plain", "0"), ("guarded", "30")])
def test_writers_are_told_how_long_to_lock(request, template, days):
    """The setting reaches exactly the functions that write the registry, and the command line by the stack's output."""
    found: Template = request.getfixturevalue(template)
    told = {
        name: function["Environment"]["Variables"]["SELFHEAL_RETENTION_DAYS"]
        for name, function in found.functions.items()
        if "SELFHEAL_RETENTION_DAYS" in function["Environment"]["Variables"]
    }
    assert told == dict.fromkeys(WRITERS, days)
    assert found.outputs["RetentionDays"]["Value"] == days


def test_without_a_retention_nobody_may_lock(plain):
    """A right that isn't used isn't given."""
    assert "s3:PutObjectRetention" not in json.dumps(plain.service)


# Encryption


def test_with_kms_both_buckets_have_one_key_that_rotates_and_outlives_the_stack(guarded):
    """The key that data lies under isn't deleted with anything."""
    ((key, properties),) = guarded.of_type("AWS::KMS::Key").items()
    assert properties["EnableKeyRotation"] is True
    assert guarded.data["Resources"][key]["DeletionPolicy"] == "Retain"
    for bucket in guarded.of_type("AWS::S3::Bucket").values():
        (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
        assert rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"] == {"Fn::GetAtt": [key, "Arn"]}
        assert rule["BucketKeyEnabled"] is True


def test_with_kms_each_role_may_use_the_key_for_what_it_does(guarded):
    """Who only reads may only decrypt; uploaders of labels may encrypt, or their uploads would be refused."""
    for name in guarded.functions:
        actions = [s["Action"] for s in guarded.statements(name) if "kms:" in json.dumps(s["Action"])]
        assert actions == (["kms:Decrypt"] if name == "label_wait" else [["kms:Decrypt", "kms:GenerateDataKey"]]), name
    for uploaders in guarded.of_type("AWS::IAM::ManagedPolicy").values():
        assert "kms:GenerateDataKey" in json.dumps(uploaders["PolicyDocument"])


def test_without_kms_no_role_names_a_key(plain):
    """S3's own encryption needs no right of a function."""
    assert "kms:" not in json.dumps(plain.service)


# Who may ask


def test_with_an_issuer_every_route_wants_one_of_its_tokens(guarded):
    """Issuer and audience are the setting's, and no route is left to anybody else."""
    ((authorizer, properties),) = guarded.of_type("AWS::ApiGatewayV2::Authorizer").items()
    assert properties["AuthorizerType"] == "JWT"
    expected = {"Issuer": GUARDED["jwt_issuer"], "Audience": [GUARDED["jwt_audience"]]}
    assert properties["JwtConfiguration"] == expected
    for route in guarded.of_type("AWS::ApiGatewayV2::Route").values():
        assert (route["AuthorizationType"], route["AuthorizerId"]) == ("JWT", {"Ref": authorizer})


def test_with_an_issuer_the_access_log_tells_callers_apart(plain, guarded):
    """Tokens carry no ARN: their subject and client are logged, and no other claim; without tokens it is the ARN."""
    tokens, signatures = (
        {value for value in access_log(template).values() if "authorizer" in value or "userArn" in value}
        for template in (guarded, plain)
    )
    assert tokens == {"$context.authorizer.claims.sub", "$context.authorizer.claims.client_id"}
    assert signatures == {"$context.identity.userArn"}


def access_log(template: Template) -> dict[str, str]:
    (stage,) = template.of_type("AWS::ApiGatewayV2::Stage").values()
    return json.loads(stage["AccessLogSettings"]["Format"])


@pytest.mark.parametrize("settings", [{"jwt_issuer": "https://issuer.example"}, {"jwt_audience": "selfheal"}])
def test_an_issuer_without_an_audience_is_refused(settings):
    """Tokens that the issuer made for somebody else must not open this API."""
    with pytest.raises(ValueError, match="belong together"):
        Stage(**settings)


# How predictions are logged


@pytest.fixture(scope="session")
def streamed() -> Template:
    return template_of(synthesised(prediction_log="firehose"), "dev")


def test_by_default_nothing_of_a_stream_is_there(plain):
    """Neither a stream nor a right, a setting, an alarm or a lifetime for one."""
    assert "irehose" not in json.dumps([plain.service, plain.data])
    assert "prediction_stream" not in json.dumps(plain.functions).lower()
    assert "predictions-undelivered/" not in json.dumps(plain.data)


def test_with_a_stream_the_predictor_hands_predictions_to_it_and_writes_none(streamed):
    """It may put records into this one stream, is told its name, and has lost the right to the log's objects."""
    (stream,) = streamed.of_type("AWS::KinesisFirehose::DeliveryStream").values()
    told = streamed.functions["predictor"]["Environment"]["Variables"]["SELFHEAL_PREDICTION_STREAM"]
    assert told == stream["DeliveryStreamName"]
    statements = streamed.statements("predictor")
    (putting,) = [s for s in statements if "firehose" in json.dumps(s["Action"])]
    assert putting["Action"] == "firehose:PutRecordBatch"
    assert putting["Resource"]["Fn::Join"][1][-1].endswith(f":deliverystream/{told}")
    assert "/predictions/*" not in json.dumps(statements)


def test_a_stream_is_encrypted_and_sorts_by_the_lines_own_hours(streamed):
    """What it can't place is kept as long as roll-ups are, and what it delivers is compressed."""
    (stream,) = streamed.of_type("AWS::KinesisFirehose::DeliveryStream").values()
    assert stream["DeliveryStreamEncryptionConfigurationInput"] == {"KeyType": "AWS_OWNED_CMK"}
    destination = stream["ExtendedS3DestinationConfiguration"]
    assert destination["DynamicPartitioningConfiguration"]["Enabled"] is True
    assert destination["CompressionFormat"] == "GZIP"
    assert destination["Prefix"].startswith("predictions/dt=!{partitionKeyFromQuery:dt}/")
    assert destination["ErrorOutputPrefix"].startswith("predictions-undelivered/")
    assert '"ExpirationInDays": 400, "Prefix": "predictions-undelivered/"' in json.dumps(streamed.data, sort_keys=True)


def test_a_stream_has_two_alarms_of_its_own(plain, streamed):
    """People hear of what isn't delivered, and of what is late; all other alarms are as without one."""
    names = [set(template.of_type("AWS::CloudWatch::Alarm")) for template in (plain, streamed)]
    assert {name.removeprefix("Observability")[:-8] for name in names[1] - names[0]} == set(STREAM_ALARMS)
    alarms = streamed.of_type("AWS::CloudWatch::Alarm")
    for name, metrics in STREAM_ALARMS.items():
        (alarm,) = [alarm for key, alarm in alarms.items() if name in key]
        assert metrics_of(alarm) == metrics
        assert alarm["AlarmActions"] == alarms[min(alarms)]["AlarmActions"]


# The rest


def test_concurrency_mail_and_retention_of_logs_are_the_settings(guarded):
    """The predictor has its processes reserved, somebody gets the mail, and logs are kept for a year."""
    reserved = {name: f["ReservedConcurrentExecutions"] for name, f in guarded.functions.items() if reserves(f)}
    assert reserved == {"predictor": 5}
    (subscription,) = guarded.of_type("AWS::SNS::Subscription").values()
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", GUARDED["alarm_email"])
    assert {group["RetentionInDays"] for group in guarded.of_type("AWS::Logs::LogGroup").values()} == {365}


def reserves(function: dict) -> bool:
    return "ReservedConcurrentExecutions" in function


def test_prod_locks_what_is_written_once_for_a_year():
    """What cdk.json says of prod: a retention, and logs for as long."""
    context = json.loads(Path("cdk.json").read_text(encoding="utf-8"))["context"] | {"stage": "prod"}

    class Node:
        def try_get_context(self, name: str) -> object:
            return context.get(name)

    prod = stage_of(Node())
    assert (prod.retention_days, prod.log_retention_days, prod.snap_start) == (365, 365, False)


# MLflow


def test_with_an_mlflow_server_the_monitoring_knows_it_and_may_list_the_versions(plain):
    """The mirror needs the address, the client in the image, and every version's name; without it none of the three."""
    mirrored = template_of(synthesised(mlflow_tracking_uri="https://mlflow.example"), "dev")
    addresses = [
        template.functions["drift"]["Environment"]["Variables"]["SELFHEAL_MLFLOW_TRACKING_URI"]
        for template in (plain, mirrored)
    ]
    assert addresses == ["", "https://mlflow.example"]
    assert [may_list_versions(template) for template in (plain, mirrored)] == [False, True]
    assert plain.functions["drift"]["Code"]["ImageUri"] != mirrored.functions["drift"]["Code"]["ImageUri"]


def may_list_versions(template: Template) -> bool:
    return "models/*" in json.dumps(
        [s["Condition"] for s in template.statements("drift") if s["Action"] == "s3:ListBucket" and "Condition" in s]
    )
