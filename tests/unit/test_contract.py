"""The contract's parser: every fault at once, by its path."""

import json
import math
import re
import tomllib
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        ('[features.b]\ntype = "category"\ncategories = ["x", " "]', "features.b.categories"),
        ('[features.b]\ntype = "number"\naliases = ["a"]', "features"),
        ('[features.y]\ntype = "number"', "model.target"),
        ('[features.b]\ntype = "number"\naliases = ["y"]', "model.target"),
        ('[features.__row]\ntype = "number"', "features.__row"),
        ('[[segments]]\nfeature = "a"', "segments.0.edges"),
        ('[[segments]]\nfeature = "a"\nedges = [2, 1]', "segments.0.edges"),
        ("[policy.gates]\nminimum_coverage = 1.5", "policy.gates.minimum_coverage"),
        ('[policy.gates]\ngain_metrics = ["f2"]', "policy.gates.gain_metrics.0"),
        ('[policy.retraining]\nwindow = "some"', "policy.retraining.window"),
        ("[policy.retraining]\nlabel_wait_hours = inf", "policy.retraining.label_wait_hours"),
        # What a calendar or a machine's numbers can't hold.
        ("[policy.monitoring]\nlookback_hours = 20000000", "policy.monitoring.lookback_hours"),
        ("[policy.monitoring]\nminimum_predictions = 99999999999999999999", "policy.monitoring.minimum_predictions"),
        ("[policy.retraining]\nretry_hours = 1e12", "policy.retraining.retry_hours"),
        ("[policy.retraining]\nwindow = 1000000", "policy.retraining.window"),
        ("[policy.gates]\ncooldown_days = 1e9", "policy.gates.cooldown_days"),
        ("[policy.probation]\ndays = 1e300", "policy.probation.days"),
        # TOML of another shape than anybody expects.
        ("minimum = [1]", "features.a.minimum"),
        (f"minimum = 0x{'f' * 5000}\nmaximum = 1", "features.a.minimum"),
        ('[features.b]\ntype = ["category"]', "features.b.type"),
        ('[features.b]\ntype = "category"\ncategories = [["x"]]', "features.b.categories.0"),
        ('[features.b]\ntype = "category"\ncategories = ["\\u0000"]', "features.b.categories.0"),
        ('aliases = ["\\u0000"]', "features.a.aliases.0"),
        ('[features."b\\u0000"]\ntype = "number"', "features.b\\u0000"),
        ('[features."\\u001b[31m"]\ntype = "numbr"', "features.\\u001b[31m.type"),
        ('[[segments]]\nfeature = "a"\nedges = {a = 1}', "segments.0.edges"),
        (f'[[segments]]\nfeature = "a"\nedges = [1, 0x{"f" * 5000}]', "segments.0.edges.1"),
    ],
)
def test_each_fault_is_named_once_by_its_path(addition: str, path: str):
    """One thing wrong gives one fault, whose path is where it stands in the file."""
    assert [fault.split(":")[0] for fault in faults_of(MINIMAL + addition)] == [path]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('id_column = "a"', "model.id_column: 'a' is also a feature; a feature can't be the id_column"),
        ('id_column = "y"', "model.id_column: 'y' is also the target; each needs a column of its own"),
        ('time_column = "t"\nid_column = "t"', "model.id_column: 't' is also the time_column; each needs a column"),
        ('time_column = "y"', "model.time_column: 'y' is also the target; each needs a column of its own"),
        ('repeated_ids = "oldest"', "model.repeated_ids: input should be 'newest', 'all' or 'refuse'"),
        ("id_window_days = 0", "model.id_window_days: input should be greater than or equal to 1"),
    ],
)
def test_a_column_has_one_part(line: str, fault: str):
    """What identifies, dates or is predicted is never a feature nor another of these, and the rule is one of three."""
    (found,) = faults_of(MINIMAL.replace('target = "y"', f'target = "y"\n{line}'))
    assert found.startswith(fault)


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


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("target = [1]", "model.target"),
        ("target = {a = 1}", "model.target"),
        ('target = "\\u0000"', "model.target"),
        ("time_column = {a = 1}", "model.time_column"),
        ("positive_label = [1]", "model.positive_label"),
        (f"positive_label = 0x{'f' * 400}", "model.positive_label"),
        ("threshold = []", "model.threshold"),
    ],
)
def test_a_value_of_the_wrong_shape_is_a_fault_of_its_key(line: str, path: str):
    """A list or a table where one value belongs is named; it doesn't end in an error of Python's."""
    kept = [each for each in MINIMAL.splitlines() if each.partition(" =")[0] != line.partition(" =")[0]]
    assert [fault.split(":")[0] for fault in faults_of("\n".join(kept).replace("[model]", f"[model]\n{line}"))] == [
        path
    ]


@pytest.mark.parametrize(
    ("addition", "place"),
    [
        ("minimum = " + "[" * 5000 + "]" * 5000, "features.a.minimum (line 7): "),
        ("minimum = " + "{b=" * 5000 + "1" + "}" * 5000, "features.a.minimum (line 7): "),
        ("minimum = " + "[" * 30 + "]" * 30, "features.a.minimum (line 7): "),
        ("a" + ".a" * 20_000 + " = 1", "features.a.a.a.a"),
        ("[" + "a." * 5000 + "a]", "a.a.a.a"),
        ("minimum = " + "9" * 5000, "features.a.minimum (line 7): the number has more than 4,300 digits"),
        ("minimum = 1e" + "9" * 5000, "features.a.minimum: "),
        ("minimum = \0", "not TOML: "),
    ],
)
def test_toml_that_python_can_t_hold_is_a_fault_with_its_place(addition: str, place: str):
    """Nested thousands of times, or a number that fills a page: said at once, in one short line, with the path."""
    (fault,) = faults_of(MINIMAL + addition)
    assert fault.startswith(place)
    assert len(fault) <= 501


@given(
    st.recursive(
        st.one_of(st.booleans(), st.integers(), st.floats(), st.text(), st.datetimes()),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
        max_leaves=8,
    ),
    st.sampled_from(["model", "features", "features.a", "segments", "policy", "policy.gates", "model.target"]),
)
def test_whatever_stands_anywhere_is_read_or_refused_by_name(value, path: str):
    """No shape of any value, at any place, ends in another error than the contract's own."""
    tables: dict[str, Any] = tomllib.loads(MINIMAL)
    *outer, last = path.split(".")
    place = tables
    for name in outer:
        place = place.setdefault(name, {})
    place[last] = value
    text = "\n".join(f"{name} = {as_toml(table)}" for name, table in tables.items())
    with suppress(ContractInvalid):
        parse_contract(text)


def as_toml(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)} = {as_toml(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    return (
        value.isoformat()
        if isinstance(value, datetime)
        else json.dumps(value).lower()[:3]
        if isinstance(value, float) and not math.isfinite(value)
        else json.dumps(value)
    )


@pytest.mark.parametrize(
    "policy",
    [
        "monitoring]\nlookback_hours = 876000",
        "retraining]\nretry_hours = 876000\nlabel_wait_hours = 876000\nwindow = 36500",
        "gates]\ncooldown_days = 36500",
        "probation]\ndays = 36500",
    ],
)
def test_the_longest_times_are_still_times_of_the_calendar(policy: str):
    """Twice as far back from any day that a prediction can have, no date is out of range."""
    values = parse_contract(f"{MINIMAL}[policy.{policy}\n").policy.model_dump()
    days = [values["monitoring"]["lookback_hours"] / 24, values["gates"]["cooldown_days"], values["probation"]["days"]]
    assert datetime(1971, 1, 1, tzinfo=UTC) - 2 * timedelta(days=max(days)) > datetime.min.replace(tzinfo=UTC)
    assert datetime(9700, 1, 1, tzinfo=UTC) + 2 * timedelta(days=max(days)) < datetime.max.replace(tzinfo=UTC)
