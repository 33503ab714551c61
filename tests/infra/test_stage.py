"""The settings of a stage."""

import json

import pytest
from constructs import Node
from pydantic import ValidationError

from infra.cloud.app import ROOT
from infra.cloud.stage import Stage, stage_of


class FakeNode:
    def __init__(self, context):
        self._context = context

    def try_get_context(self, name):
        return self._context.get(name)


def stage(**context) -> Node:
    return stage_of(FakeNode(context))


def test_a_stage_without_settings_has_the_defaults():
    """Nothing has to be configured to deploy."""
    assert stage().name == "dev"


def test_the_named_stage_decides_and_an_override_goes_before_it():
    """`-c stage=prod` picks its table of cdk.json; `-c schedule_minutes=5` changes one value of it."""
    stages = {"prod": {"log_retention_days": 365, "schedule_minutes": 30}}
    found = stage(stage="prod", stages=stages, schedule_minutes="5")
    assert (found.name, found.log_retention_days, found.schedule_minutes) == ("prod", 365, 5)


def test_a_setting_that_nobody_knows_is_refused():
    """A misspelt setting is an error, not a default."""
    with pytest.raises(ValidationError, match="log_retenion_days"):
        stage(stages={"dev": {"log_retenion_days": 7}})


def test_what_linters_read_has_every_setting_turned_on():
    """`make check-infra` checks a stage in which nothing is as by default, so that no optional part goes unread."""
    context = json.loads((ROOT / "infra" / "lint" / "everything.json").read_text(encoding="utf-8"))
    everything = stage(**context)
    assert {
        name for name in Stage.model_fields if getattr(everything, name) == Stage.model_fields[name].default
    } == set()
