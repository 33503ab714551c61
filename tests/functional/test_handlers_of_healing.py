"""The entry points of label wait, gate evaluation and promotion, over moto, from the state between them."""

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

import gate_evaluation.handler
import label_wait.handler
import promotion.handler
from selfheal.composition import settings_of, stores_of
from selfheal.settings import Settings
from tests.support.healing import DAY, START, healed_environment, traffic
from tests.support.serving import event

HANDLERS = (label_wait.handler, gate_evaluation.handler, promotion.handler)
CONTEXT = SimpleNamespace(
    function_name="f", memory_limit_in_mb=128, invoked_function_arn="arn:aws:lambda:eu:1:function:f", aws_request_id="r"
)


@pytest.fixture
def state(monkeypatch, tmp_path) -> dict[str, Any]:
    """The environment of a healing on day 10, and the state that its state machine begins with."""
    clock = tmp_path / "clock"
    clock.write_text((START + 10 * DAY).isoformat())
    variables = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "SELFHEAL_CLOCK_FILE": str(clock),
        "SELFHEAL_DATA_BUCKET": "data",
        "SELFHEAL_REGISTRY_BUCKET": "registry",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        for name in ("data", "registry"):
            boto3.client("s3").create_bucket(Bucket=name)
        for module in HANDLERS:
            module._stores.cache_clear()
        stores, healing = healed_environment(stores=stores_of(settings_of(Settings)))
        traffic(stores, since=START + 9 * DAY, rows=250)
        yield event("state_machine") | {"healing": healing.model_dump(mode="json")}
    for module in HANDLERS:
        module._stores.cache_clear()


def test_three_handlers_carry_a_healing_to_its_end(state):
    """Each takes the state that the one before has left; the last one's sentence is what people are told."""
    state["labels"] = label_wait.handler.handler(state, CONTEXT)
    assert state["labels"]["ready"]
    state["verdict"] = gate_evaluation.handler.handler(state, CONTEXT)
    assert [gate["passed"] for gate in state["verdict"]["gates"]] == [True] * 7
    concluded = promotion.handler.handler(state, CONTEXT)
    blend = state["verdict"]["version"]
    assert concluded["sentence"].startswith(f"{blend} replaced v1 in production")
    assert promotion.handler._stores().pointer.read().pointer.version == blend


def test_the_promotion_function_loads_no_data_science():
    """It is a zip: what its layer doesn't hold, it can't import."""
    code = "import sys, promotion.handler; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in found.stdout.split()}
    assert not loaded & {"pandas", "sklearn", "scipy", "pyarrow", "joblib", "jinja2"}
