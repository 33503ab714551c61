"""What the service stack promises: settings, packages, permissions, triggers."""

import json
import re
from pathlib import Path

import pytest

from infra.cloud.packaging import IMAGE_FUNCTIONS
from selfheal import settings
from selfheal.files.limits import SPLIT
from selfheal.gates.judging import GATES
from selfheal.usecases.labels.split import MOST_LINES
from tests.support.serving import event

SETTINGS = {
    "batch_scoring": settings.BatchScoringSettings,
    "predictor": settings.PredictorSettings,
    "labels": settings.LabelsSettings,
    "drift": settings.DriftSettings,
    "shadow_training": settings.ShadowTrainingSettings,
    "label_wait": settings.LabelWaitSettings,
    "gate_evaluation": settings.GateEvaluationSettings,
    "promotion": settings.PromotionSettings,
    "hour_roll_up": settings.HourRollUpSettings,
}
ZIPPED = {"predictor", "promotion"}


def test_every_folder_of_functions_is_deployed(functions):
    """The template's functions are the folders of `functions/`, and each has its settings."""
    folders = {path.parent.name for path in Path("functions").glob("*/__init__.py")}
    assert set(functions) == folders == set(SETTINGS) == ZIPPED | set(IMAGE_FUNCTIONS)


@pytest.mark.parametrize("name", SETTINGS)
def test_environment_is_what_the_settings_read(functions, name):
    """A function's environment has a variable for every setting of its model that is set, and no other of ours."""
    variables = functions[name]["Environment"]["Variables"]
    fields = SETTINGS[name].model_fields.items()
    expected = {settings.variable_of(field) for field, about in fields if about.default is not None}
    assert {variable for variable in variables if variable.startswith("SELFHEAL_")} == expected


@pytest.mark.parametrize("name", SETTINGS)
def test_environment_reads_back_as_settings(functions, name):
    """The deployed values are valid settings: what CloudFormation fills in are texts, the rest is checked here."""
    variables = functions[name]["Environment"]["Variables"]
    plain = {key: value if isinstance(value, str) else "filled-in" for key, value in variables.items()}
    read = settings.read_settings(SETTINGS[name], plain)
    assert settings.environment_of(read).items() <= plain.items()


def test_the_schedule_runs_as_often_as_the_drift_function_believes(functions, of_type):
    """The schedule's rate is the drift function's own setting, and it invokes that function."""
    (schedule,) = of_type("AWS::Scheduler::Schedule").values()
    minutes = functions["drift"]["Environment"]["Variables"]["SELFHEAL_SCHEDULE_MINUTES"]
    assert (minutes, schedule["ScheduleExpression"], schedule["State"]) == ("60", "rate(1 hour)", "ENABLED")
    drift = next(name for name, p in of_type("AWS::Lambda::Function").items() if p is functions["drift"])
    assert schedule["Target"]["Arn"] == {"Fn::GetAtt": [drift, "Arn"]}
    assert json.loads(schedule["Target"]["Input"]).keys() == event("schedule").keys()


def test_uploads_wake_the_function_that_they_are_for(functions, of_type):
    """Objects created below labels/incoming/, batches/incoming/ and batches/parts/ reach one function each."""
    (notification,) = of_type("Custom::S3BucketNotifications").values()
    woken = {}
    for configuration in notification["NotificationConfiguration"]["LambdaFunctionConfigurations"]:
        assert configuration["Events"] == ["s3:ObjectCreated:*"]
        (rule,) = configuration["Filter"]["Key"]["FilterRules"]
        assert rule["Name"] == "prefix"
        woken[rule["Value"]] = configuration["LambdaFunctionArn"]
    logical_ids = {
        name: next(i for i, p in of_type("AWS::Lambda::Function").items() if p is f) for name, f in functions.items()
    }
    assert woken == {
        "labels/incoming/": {"Fn::GetAtt": [logical_ids["labels"], "Arn"]},
        "batches/incoming/": {"Fn::GetAtt": [logical_ids["batch_scoring"], "Arn"]},
        "batches/parts/": {"Fn::GetAtt": [logical_ids["batch_scoring"], "Arn"]},
    }


def test_every_route_of_the_api_wants_a_signature(of_type):
    """No route answers an unsigned request."""
    routes = of_type("AWS::ApiGatewayV2::Route").values()
    assert routes
    assert {route["AuthorizationType"] for route in routes} == {"AWS_IAM"}


def test_the_state_machine_gets_every_arn_that_it_names(of_type):
    """The definitions are the files', and each of their placeholders is filled in."""
    machines = of_type("AWS::StepFunctions::StateMachine")
    files = {name: f"infra/cloud/{name}.asl.json" for name in ("state_machine", "hour_roll_up")}
    assert len(machines) == len(files)
    for machine in machines.values():
        definition = machine["DefinitionString"]
        assert any(json.loads(definition) == json.loads(Path(file).read_text("utf-8")) for file in files.values())
        named = {part.split("}")[0] for part in definition.split("${")[1:]}
        assert named == set(machine["DefinitionSubstitutions"])


def test_a_part_that_fails_fails_the_roll_up_of_its_hour():
    """No failure is tolerated, a part's answer is small, and an execution ends before the next may be started."""
    definition = json.loads(Path("infra/cloud/hour_roll_up.asl.json").read_text(encoding="utf-8"))
    parts = definition["States"]["RollUpParts"]
    assert (parts["ToleratedFailureCount"], parts["MaxConcurrency"]) == (0, 20)
    assert parts["ItemProcessor"]["ProcessorConfig"]["Mode"] == "DISTRIBUTED"
    assert parts["ItemProcessor"]["States"]["RollUpPart"]["ResultSelector"] == {"rows.$": "$.rows"}
    assert definition["TimeoutSeconds"] < 3600


def test_only_zip_functions_have_layers_and_the_rest_share_one_image(functions):
    """The predictor and the promotion are zips with the two layers; the others run from a single image."""
    assert {name for name, p in functions.items() if "Handler" in p} == ZIPPED
    assert all(len(functions[name]["Layers"]) == 2 for name in ZIPPED)
    images = {json.dumps(p["Code"]) for name, p in functions.items() if name not in ZIPPED}
    assert len(images) == 1


def test_a_zip_holds_its_own_function_only(assembly_folder, functions):
    """Nothing of another function, and no cached bytecode of this machine, is in a function's package."""
    for name in ZIPPED:
        digest = functions[name]["Code"]["S3Key"].removesuffix(".zip")
        files = list((assembly_folder / f"asset.{digest}").rglob("*"))
        assert {path.name for path in (assembly_folder / f"asset.{digest}").iterdir()} == {name}
        assert Path(assembly_folder / f"asset.{digest}" / name / "__init__.py") in files


@pytest.mark.parametrize("name", SETTINGS)
def test_permissions_are_named_one_by_one(functions, statements, name):
    """No wildcard action, no whole bucket: objects below prefixes, lists by prefix, everything else by its ARN."""
    for statement in statements(functions[name]):
        actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        assert not any("*" in action for action in actions)
        if set(actions) & {"s3:GetObject", "s3:PutObject"}:
            listed = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
            assert all(resource["Fn::Join"][1][-1] not in {"/*", "*"} for resource in listed)
        if "s3:ListBucket" in actions:
            assert "s3:prefix" in json.dumps(statement["Condition"])


def test_the_labels_function_has_disk_for_what_it_cuts_and_writes_uploads_below_parts_alone(functions, statements):
    """The file, what it unfolds to and its parts lie on disk; nobody's upload can be written over."""
    labels = functions["labels"]
    assert labels["EphemeralStorage"]["Size"] * 1024**2 > 2 * SPLIT.unfolded + MOST_LINES
    written = [s["Resource"] for s in statements(labels) if "s3:PutObject" in s["Action"]]
    assert re.findall(r"/labels/incoming/[^\"]*", json.dumps(written)) == ["/labels/incoming/parts/*"]


def test_nobody_may_list_without_a_prefix(statements, functions):
    """Every right to list names the prefixes; what is missing below them is learnt from the list."""
    listing = {name: [s for s in statements(p) if "s3:ListBucket" in s["Action"]] for name, p in functions.items()}
    prefixes = {
        name: sorted(prefix for s in found for prefix in s["Condition"]["StringLike"]["s3:prefix"])
        for name, found in listing.items()
    }
    assert all(all(found) for found in prefixes.values())
    assert prefixes["predictor"] == ["pointers/*"]
    assert prefixes["labels"] == ["labels/incoming/*", "labels/outcomes/*", "pointers/*"]
    assert prefixes["batch_scoring"] == ["batches/incoming/*", "batches/parts/*", "pointers/*"]
    assert not any("Null" in s["Condition"] for found in listing.values() for s in found)


@pytest.mark.parametrize("name", SETTINGS)
def test_roles_have_no_managed_policies(functions, resources, name):
    """A function's role holds its own statements only."""
    role = resources[functions[name]["Role"]["Fn::GetAtt"][0]]["Properties"]
    assert "ManagedPolicyArns" not in role


def test_only_the_promotion_and_the_monitoring_move_the_pointer(functions, statements):
    """No other function may write `pointers/`."""
    writers = {
        name
        for name, function in functions.items()
        for statement in statements(function)
        if statement["Action"] == "s3:PutObject" and "/pointers/*" in json.dumps(statement["Resource"])
    }
    assert writers == {"promotion", "drift"}


def test_logs_are_kept_for_as_long_as_the_stage_says(of_type):
    """Every log group has a retention; none keeps logs for ever."""
    groups = of_type("AWS::Logs::LogGroup")
    days = {name: group["RetentionInDays"] for name, group in groups.items() if "PredictionApiLog" not in name}
    assert len(days) == len(groups) - 1
    assert set(days.values()) == {7}


def test_a_log_that_may_hold_predictions_of_its_own_outlives_the_stack(resources):
    """The predictor's log has what S3 didn't take: it is kept as long as the prediction log, whatever is torn down."""
    groups = {name: group for name, group in resources.items() if group["Type"] == "AWS::Logs::LogGroup"}
    kept = {name: group for name, group in groups.items() if group["DeletionPolicy"] == "Retain"}
    (log,) = kept.values()
    assert log["UpdateReplacePolicy"] == "Retain"
    assert log["Properties"]["RetentionInDays"] == 30
    assert json.dumps(resources).count(json.dumps({"LogGroup": {"Ref": next(iter(kept))}})) == 1


ALARMS = {
    "ServerErrors": {"5xx"},
    "Throttles": {"Throttles"},
    "Unlogged": {"UnloggedPredictions"},
    "PointerUnreadable": {"StaleModelLooks"},
    "MonitoringMissing": {"Invocations"},
    "HealingFailed": {"ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"},
    "RollUpFailed": {"ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"},
    "DeadLetters": {"NumberOfMessagesSent"},
    "RefusedUploads": {"RefusedUploads"},
}


# Those that a stage has besides where its predictions are logged by a stream.
STREAM_ALARMS = {
    "Undelivered": {"UndeliveredPredictions"},
    "DeliveredLate": {"DeliveryToS3.DataFreshness"},
}


def metrics_of(alarm):
    """The metric's name, or those that its expression adds up."""
    parts = [part["MetricStat"]["Metric"] for part in alarm.get("Metrics", []) if "MetricStat" in part]
    return {part["MetricName"] for part in parts or [alarm]}


def test_every_alarm_watches_what_it_says_and_tells_people(of_type):
    """Each alarm is on the metrics that its name promises, and publishes to the topic."""
    alarms = of_type("AWS::CloudWatch::Alarm")
    found = {name.removeprefix("Observability")[:-8]: metrics_of(alarm) for name, alarm in alarms.items()}
    assert found == ALARMS
    topic = {"Ref": next(iter(of_type("AWS::SNS::Topic")))}
    assert all(alarm["AlarmActions"] == [topic] for alarm in alarms.values())


def test_a_second_dead_letter_rings_again(of_type):
    """The alarm counts what arrives in five minutes: it is over when nothing does, though a first letter lies there."""
    (alarm,) = [alarm for name, alarm in alarms_of(of_type) if "DeadLetters" in name]
    assert (alarm["Statistic"], alarm["Period"], alarm["Threshold"]) == ("Sum", 300, 0)


def test_nobody_elses_alarm_writes_to_the_topic(of_type):
    """CloudWatch speaks for every account; the topic takes what it says for this one."""
    (policy,) = of_type("AWS::SNS::TopicPolicy").values()
    allowed = [s for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"]
    assert [s["Principal"] for s in allowed] == [{"Service": "cloudwatch.amazonaws.com"}]
    assert [s["Condition"] for s in allowed] == [{"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}]


def test_only_silence_of_the_monitoring_is_bad_news(of_type):
    """No requests, healings or dead letters is fine; no monitoring run is what that alarm is about."""
    missing = {name.removeprefix("Observability")[:-8]: a["TreatMissingData"] for name, a in alarms_of(of_type)}
    assert missing.pop("MonitoringMissing") == "breaching"
    assert set(missing.values()) == {"notBreaching"}


def alarms_of(of_type):
    return of_type("AWS::CloudWatch::Alarm").items()


def test_the_runbook_has_a_line_for_every_alarm_and_every_gate_and_for_nothing_else():
    """Each row of its tables says what it means and what to do."""
    lines = Path("docs/runbook.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    assert [name for name, *_ in rows] == ["alarm", *ALARMS, *STREAM_ALARMS, "refused by", *GATES]
    assert all(meaning and action for _, meaning, action in rows)


def test_the_dashboard_follows_the_loop(of_type):
    """Traffic, latency, positive rate, drift share, coverage, F1 and Brier, and the decisions themselves."""
    (dashboard,) = of_type("AWS::CloudWatch::Dashboard").values()
    body = json.dumps(dashboard["DashboardBody"]).replace("\\", "")
    titles = (
        "Traffic",
        "Latency (ms)",
        "Positive rate",
        "Drift share",
        "Coverage of labels",
        "F1 and Brier",
        "Decisions",
    )
    assert [title for title in titles if f'"title":"{title}"' not in body] == []


def test_the_dashboard_shows_metrics_that_are_emitted(of_type):
    """Every metric of ours on the dashboard is one that a function writes."""
    (dashboard,) = of_type("AWS::CloudWatch::Dashboard").values()
    sources = [*Path("functions").rglob("*.py"), *Path("layers/core/python").rglob("*.py")]
    written = "".join(path.read_text(encoding="utf-8") for path in sources)
    body = json.dumps(dashboard["DashboardBody"]).replace("\\", "")
    shown = {part.split('"')[0] for part in body.split('"selfheal-dev","')[1:]}
    assert len(shown) >= 6
    assert all(f'"{name}"' in written for name in shown)


def test_nothing_that_fails_in_the_background_is_lost(functions, of_type):
    """Uploads and monitoring runs that fail for good are kept in the dead-letter queue, as is a schedule's event."""
    (queue,) = of_type("AWS::SQS::Queue")
    kept = of_type("AWS::Lambda::EventInvokeConfig").values()
    assert {config["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0] for config in kept} == {queue}
    assert len(kept) == 3
    (schedule,) = of_type("AWS::Scheduler::Schedule").values()
    assert schedule["Target"]["DeadLetterConfig"]["Arn"] == {"Fn::GetAtt": [queue, "Arn"]}


def test_queue_and_topic_want_encrypted_transport(of_type):
    """Who sends a message, or reads one, without TLS is refused."""
    policies = [*of_type("AWS::SQS::QueuePolicy").values(), *of_type("AWS::SNS::TopicPolicy").values()]
    assert len(policies) == 2
    for policy in policies:
        denied = [s["Condition"] for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Deny"]
        assert {"Bool": {"aws:SecureTransport": "false"}} in denied


def test_the_api_is_throttled_and_logs_who_asked(of_type):
    """The stage limits rate and burst, and logs each request without its body."""
    (stage,) = of_type("AWS::ApiGatewayV2::Stage").values()
    assert stage["DefaultRouteSettings"] == {"ThrottlingBurstLimit": 100, "ThrottlingRateLimit": 50}
    assert "$context.identity.userArn" in stage["AccessLogSettings"]["Format"]


def test_uploaders_may_only_upload_and_see_what_became_of_it(of_type):
    """The policies for those who bring labels, or files to be answered, open their prefixes and nothing else."""
    allowed = sorted(
        [
            (statement["Effect"], statement["Action"], statement["Resource"]["Fn::Join"][1][-1])
            for statement in policy["PolicyDocument"]["Statement"]
        ]
        for policy in of_type("AWS::IAM::ManagedPolicy").values()
    )
    assert allowed == [
        [("Allow", "s3:PutObject", "/batches/incoming/*"), ("Allow", "s3:GetObject", "/batches/done/*")],
        [("Allow", "s3:PutObject", "/labels/incoming/*")],
    ]
