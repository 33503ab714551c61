"""The contract's JSON Schema says what the parser says, as far as a schema can."""

import tomllib
from importlib.resources import files

import pytest
from jsonschema import Draft202012Validator

from selfheal.contract import parse_contract
from selfheal.contract.schema import contract_json_schema
from selfheal.errors import ContractInvalid

MINIMAL = """
[model]
name = "small"
target = "y"
[features.a]
type = "number"
"""
VALIDATOR = Draft202012Validator(contract_json_schema())


def test_the_schema_is_one_and_accepts_the_default_contract():
    """The default contract and the smallest one are valid under a schema that is itself valid."""
    Draft202012Validator.check_schema(contract_json_schema())
    default = files("selfheal.contract").joinpath("credit_risk.toml").read_text(encoding="utf-8")
    for text in (default, MINIMAL):
        assert not [*VALIDATOR.iter_errors(tomllib.loads(text))]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (MINIMAL.replace("number", "numbr"), "features.a.type"),
        (MINIMAL.replace("small", "Not Small"), "model.name"),
        (MINIMAL.replace('target = "y"', ""), "model"),
        (MINIMAL.replace('[features.a]\ntype = "number"', "[features]"), "features"),
        (MINIMAL + "minimun = 3", "features.a"),
        (MINIMAL + 'minimum = "3"', "features.a.minimum"),
        (MINIMAL + '[features.__row]\ntype = "number"', "features"),
        (MINIMAL + "[[segments]]\nedges = [1]", "segments.0"),
        (MINIMAL.replace('"y"', '"y"\nthreshold = 1.5'), "model.threshold"),
        (MINIMAL + "[policy.gates]\nminimum_coverage = 1.5", "policy.gates.minimum_coverage"),
        (MINIMAL + '[policy.gates]\ngain_metrics = ["f2"]', "policy.gates.gain_metrics.0"),
        (MINIMAL + "[policy.gates]\ngain_metrics = []", "policy.gates.gain_metrics"),
        (MINIMAL + '[policy.retraining]\nwindow = "some"', "policy.retraining.window"),
        (MINIMAL + "[policy.monitoring]\nlookback_hours = 0", "policy.monitoring.lookback_hours"),
        (MINIMAL + "[policy.probation]\nsignificance = 1.0", "policy.probation.significance"),
    ],
)
def test_a_fault_that_a_schema_can_express_is_refused_where_it_stands(text: str, path: str):
    """The schema refuses it at its path, and so does the parser."""
    errors = [*VALIDATOR.iter_errors(tomllib.loads(text))]
    assert [".".join(map(str, error.absolute_path)) for error in errors] == [path]
    with pytest.raises(ContractInvalid):
        parse_contract(text)
