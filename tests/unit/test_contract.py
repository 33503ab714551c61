"""The contract's parser: every fault at once, by its path."""

import re

import pytest

from selfheal.contract import default_contract, parse_contract
from selfheal.errors import ContractInvalid

MINIMAL = """
[model]
name = "small"
target = "y"
[features.a]
type = "number"
"""


def faults_of(text: str) -> tuple[str, ...]:
    with pytest.raises(ContractInvalid) as raised:
        parse_contract(text)
    return raised.value.faults


def test_default_contract_has_the_ten_credit_features():
    """The default contract parses and lists the ten features of Give Me Some Credit."""
    contract = default_contract()
    assert len(contract.features) == 10
    assert contract.model.target == "SeriousDlqin2yrs"
    assert contract.segments[0].edges == (30, 45, 60)


def test_policy_defaults_are_those_of_the_documentation():
    """A contract without [policy] gets the documented defaults."""
    policy = parse_contract(MINIMAL).policy
    assert policy.monitoring.false_alarm_rate == 0.05
    assert policy.gates.gain_metrics == ("f1", "brier")
    assert policy.retraining.window == "auto"
    assert policy.probation.days == 7


def test_three_faults_are_reported_together_each_with_its_path():
    """A contract with a bad type, an unknown key and a segment without its feature names all three."""
    text = MINIMAL.replace('"number"', '"numbr"\nminimun = 3') + '[[segments]]\nfeature = "b"\n'
    paths = [fault.split(":")[0] for fault in faults_of(text)]
    assert paths == ["features.a.type", "features.a.minimun", "segments.0.feature"]


@pytest.mark.parametrize(
    ("addition", "path"),
    [
        ("minimum = 5\nmaximum = 1", "features.a.minimum"),
        ('categories = ["x"]', "features.a.categories"),
        ('[features.b]\ntype = "category"\nminimum = 1', "features.b.minimum"),
        ('[features.b]\ntype = "category"\ncategories = []', "features.b.categories"),
        ('[features.b]\ntype = "number"\naliases = ["a"]', "features"),
        ('[features.y]\ntype = "number"', "model.target"),
        ('[features.__row]\ntype = "number"', "features.__row"),
        ('[[segments]]\nfeature = "a"', "segments.0.edges"),
        ('[[segments]]\nfeature = "a"\nedges = [2, 1]', "segments.0.edges"),
        ("[policy.gates]\nminimum_coverage = 1.5", "policy.gates.minimum_coverage"),
        ('[policy.gates]\ngain_metrics = ["f2"]', "policy.gates.gain_metrics.0"),
        ('[policy.retraining]\nwindow = "some"', "policy.retraining.window"),
        ("[policy.retraining]\nlabel_wait_hours = inf", "policy.retraining.label_wait_hours"),
    ],
)
def test_each_fault_is_named_once_by_its_path(addition: str, path: str):
    """One thing wrong gives one fault, whose path is where it stands in the file."""
    assert [fault.split(":")[0] for fault in faults_of(MINIMAL + addition)] == [path]


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ('name = "', 'name = "My ', "model.name: should be lower case letters, digits and dashes, 48 at the most"),
        ("[model]", "model = 3\n[other]", "model: should be a table"),
    ],
)
def test_faults_are_told_in_the_words_of_toml(before: str, after: str, fault: str):
    """Not in those of Python or of regular expressions."""
    assert fault in faults_of(MINIMAL.replace(before, after, 1))


def test_text_that_is_not_toml_is_refused_with_the_line():
    """A syntax error is one fault that says where."""
    assert "line 2" in faults_of("[model]\nname = ?\n")[0]


def test_contract_survives_a_round_trip_through_json():
    """A manifest carries its contract: what is read back is what was written, feature order included."""
    contract = default_contract()
    assert type(contract).model_validate_json(contract.model_dump_json()) == contract


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('separator = "ab"', "file.separator: one sign"),
        ("separator = '\"'", "file.separator: one sign"),
        ('separator = " "', "file.separator: one sign"),
        ('decimal = ";"', "file.decimal: input should be '.' or ','"),
        ('thousands = "."', "file.thousands: '.' is the decimal sign already"),
        ('encoding = "latin-99"', "file.encoding: no encoding is called 'latin-99'"),
        ('encoding = "base64"', "file.encoding: no encoding is called 'base64'"),
        ('encoding = "unicode_escape"', "file.encoding: no encoding is called"),
        ('zone = "Europe/Nowhere"', "file.zone: no time zone is called 'Europe/Nowhere'"),
        ('zone = "../../etc/passwd"', "file.zone: no time zone is called"),
        ('time_format = "%d.%m."', 'file.time_format: "iso"'),
        ('time_format = "european"', 'file.time_format: "iso"'),
        ('hour_column = "hr"', "file.hour_column: hours of which day?"),
        ("sheets = 1", "file.sheets: unknown key; check its spelling"),
    ],
)
def test_a_file_table_that_says_nothing_usable_is_a_fault_with_its_path(line: str, fault: str):
    """How files are written is checked like all else of a contract, before a file is opened."""
    minimal = '[model]\nname = "a"\ntarget = "y"\n[features.x]\ntype = "number"\n[file]\n'
    with pytest.raises(ContractInvalid, match=re.escape(fault)):
        parse_contract(minimal + line)


def test_a_file_table_is_read():
    """What a European spreadsheet needs."""
    text = """
[model]
name = "a"
target = "y"
time_column = "day"
[features.x]
type = "number"
[file]
separator = ";"
decimal = ","
thousands = "."
encoding = "cp1252"
time_format = "%d.%m.%Y"
zone = "Europe/Lisbon"
hour_column = "hour"
"""
    file = parse_contract(text).file
    assert (file.separator, file.decimal, file.encoding, file.hour_column) == (";", ",", "cp1252", "hour")
