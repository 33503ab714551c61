"""The monthly bill."""

import subprocess
import sys
from dataclasses import replace

import pytest
from typer.testing import CliRunner

import selfheal_tools.environments
from selfheal_tools.cli.app import app
from selfheal_tools.cost import DAYS, Environment, _firehose, environment_of, monthly_bill

MEMORY = {"predictor": 1024, "drift": 2048, "shadow_training": 2048}
SMALL = Environment(architecture="arm64", memory=MEMORY, schedule_minutes=60, alarms=7, metrics=5, dashboards=1, keys=0)


def test_requests_are_priced_by_the_million():
    """A million requests a month cost a dollar at the API, whatever the rest does."""
    bill = monthly_bill(SMALL, requests_per_day=1e6 / DAYS)
    assert bill["API Gateway"] == pytest.approx(1.00)


def test_nobody_asking_costs_next_to_nothing_per_request():
    """An idle environment pays for alarms, dashboard, image and monitoring runs, and not for requests."""
    bill = monthly_bill(SMALL, requests_per_day=0)
    assert bill["API Gateway"] == 0
    assert bill["CloudWatch"] == pytest.approx(7 * 0.10 + 5 * 0.30 + 3.00)
    assert sum(bill.values()) < 15


def test_puts_dominate_the_logs_of_single_rows():
    """A million one-row predictions cost about five dollars in PUTs."""
    asked, idle = (monthly_bill(SMALL, requests_per_day=n) for n in (1e6 / DAYS, 0))
    assert asked["S3"] - idle["S3"] == pytest.approx(5.4, abs=0.2)


@pytest.mark.parametrize(("requests_per_day", "cheaper"), [(1e3, "s3"), (1e6, "firehose"), (1e8, "firehose")])
def test_many_requests_are_logged_for_less_by_a_stream(requests_per_day, cheaper):
    """Few pay more for the stream's alarms than its objects save; a hundred million save most of their bill."""
    bills = {
        log: sum(monthly_bill(SMALL.logging_by(log), requests_per_day=requests_per_day).values())
        for log in ("s3", "firehose")
    }
    assert min(bills, key=bills.__getitem__) == cheaper


def test_a_stream_bills_five_kilobytes_for_a_row_and_what_there_is_for_many():
    """A million one-row requests: 5.12 GB; a thousand requests of a thousand rows: .6 GB, rounded a little."""
    price = {"gb_taken": 1, "record_kb": 5, "gb_partitioned": 0, "thousand_objects": 0, "query_hour": 0}
    streamed = SMALL.logging_by("firehose")
    assert _firehose(streamed, price, 1e6, 1, 0.6) == pytest.approx(5.12)
    assert _firehose(streamed, price, 1e3, 1000, 0.6) == pytest.approx(0.604, abs=0.001)


def test_the_command_names_the_cheaper_log_and_by_how_much():
    """At a hundred million requests a day, with what to set for it."""
    found = CliRunner().invoke(app, ["cost", "--requests-per-day", "1e8"], catch_exceptions=False)
    assert 'the cheaper log is firehose (set "prediction_log": "firehose")' in found.output
    saved = float(found.output.split(" less than with s3")[0].rsplit(" ", 1)[1])
    assert 14_000 < saved < 18_000


def test_a_snapshot_costs_while_nobody_asks():
    """SnapStart is billed by the predictor's memory for as long as a version is published."""
    idle, snapped = (monthly_bill(e, requests_per_day=0) for e in (SMALL, replace(SMALL, snapshots=("predictor",))))
    assert snapped["Lambda"] - idle["Lambda"] == pytest.approx(3.90)


def test_settings_come_from_the_template():
    """Memory, architecture and schedule are those of the functions in the template."""
    drift = {"Variables": {"SELFHEAL_SCHEDULE_MINUTES": "15"}}
    functions = {
        "P": {"Code": {}, "Handler": "predictor.handler.handler", "MemorySize": 512, "Architectures": ["x86_64"]},
        "D": {
            "Code": {},
            "ImageConfig": {"Command": ["drift.handler.handler"]},
            "MemorySize": 99,
            "Environment": drift,
        },
    }
    resources = {name: {"Type": "AWS::Lambda::Function", "Properties": found} for name, found in functions.items()}
    found = environment_of({"Resources": resources}, {"Resources": {}})
    assert (found.architecture, found.memory, found.schedule_minutes) == ("x86_64", {"predictor": 512, "drift": 99}, 15)


def test_a_bill_loads_nothing_heavy():
    """The answer takes a second or two: neither CDK nor moto, boto3, pandas or scikit-learn is imported for it."""
    program = (
        "import sys; from selfheal_tools.cli.app import app; "
        "app(['cost', '--requests-per-day', '1'], standalone_mode=False); "
        "print({'aws_cdk', 'moto', 'boto3', 'pandas', 'sklearn', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "set()"


def test_settings_that_changed_since_are_synthesised(monkeypatch: pytest.MonkeyPatch):
    """What was written down under another cdk.json isn't the bill of this one, nor is it that of an unknown stage."""
    monkeypatch.setattr(selfheal_tools.environments, "synthesised_environment", lambda stage: (stage, "synthesised"))
    assert selfheal_tools.environments.environment("other") == ("other", "synthesised")
    monkeypatch.setattr(selfheal_tools.environments, "_context", lambda: {"stage": "dev", "schedule_minutes": 5})
    assert selfheal_tools.environments.environment("dev") == ("dev", "synthesised")
