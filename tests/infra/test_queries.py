"""What a stage with `queries` promises: tables as the library says, a limit on what is read, and nothing without it."""

import json

import pytest

from infra.cloud.queries.named import NAMES, queries_of
from infra.cloud.queries.tables import tables_of
from selfheal.contract import default_contract
from tests.support.templates import Template

CONTRACT = default_contract()
TABLES = {table.name: table for table in tables_of(CONTRACT)}
BUCKETS = {"data": "Data666C94C7", "registry": "Registry4DB9CCA5"}


def test_without_the_setting_nothing_of_it_is_there(plain: Template):
    """Neither tables, a workgroup, a right nor a lifetime."""
    for word in ("Glue", "Athena", "glue:", "athena:", "query-results/"):
        assert word not in json.dumps([plain.service, plain.data])


def written(template: Template) -> dict[str, dict]:
    tables = template.of_type("AWS::Glue::Table").values()
    return {table["TableInput"]["Name"]: table for table in tables}


@pytest.mark.parametrize("name", TABLES)
def test_the_catalogue_has_the_tables_whose_files_tests_look_into(guarded: Template, name: str):
    """Columns, reader and place are those of `tables_of`, which is held against what stores write."""
    table, found = TABLES[name], written(guarded)[name]
    storage = found["TableInput"]["StorageDescriptor"]
    assert {column["Name"]: column["Type"] for column in storage["Columns"]} == table.columns
    assert storage["SerdeInfo"]["SerializationLibrary"] == table.format.reader
    assert storage["InputFormat"] == table.format.input_format
    assert address(storage["Location"]) == ("s3://", table.bucket, f"/{table.prefix}")
    assert found["DatabaseName"] == "selfheal_prod"


@pytest.mark.parametrize("name", TABLES)
def test_days_are_known_without_a_crawler(guarded: Template, name: str):
    """Partitions follow from the calendar, for as long as files are kept; the ledger, which is small, has none."""
    table, found = TABLES[name], written(guarded)[name]["TableInput"]
    if not table.by_day:
        assert "PartitionKeys" not in found
        return
    assert found["PartitionKeys"] == [{"Name": "dt", "Type": "string"}]
    properties = found["Parameters"]
    assert properties["projection.enabled"] == "true"
    assert (properties["projection.dt.type"], properties["projection.dt.format"]) == ("date", "yyyy-MM-dd")
    assert properties["projection.dt.range"] == "NOW-400DAYS,NOW+1DAY"
    place = ("s3://", table.bucket, f"/{table.prefix}dt=${{dt}}/")
    assert address(properties["storage.location.template"]) == place
    assert not guarded.of_type("AWS::Glue::Crawler")


def test_the_workgroup_limits_what_a_query_reads_and_encrypts_what_it_answers(guarded: Template):
    """Nobody can overrule it, and results lie in the stage's own bucket, under its key, for seven days."""
    (group,) = guarded.of_type("AWS::Athena::WorkGroup").values()
    configuration = group["WorkGroupConfiguration"]
    assert configuration["EnforceWorkGroupConfiguration"] is True
    assert configuration["BytesScannedCutoffPerQuery"] == 10 * 1024**3
    results = configuration["ResultConfiguration"]
    assert results["EncryptionConfiguration"]["EncryptionOption"] == "SSE_KMS"
    assert address(results["OutputLocation"]) == ("s3://", "data", "/query-results/")
    assert '"ExpirationInDays": 7, "Prefix": "query-results/"' in json.dumps(guarded.data, sort_keys=True)


def test_the_six_queries_are_saved_as_the_tests_run_them(guarded: Template):
    """Each text is `queries_of`'s, word for word, in the stage's database and workgroup."""
    saved = {query["Name"]: query for query in guarded.of_type("AWS::Athena::NamedQuery").values()}
    assert set(saved) == set(NAMES)
    for query in queries_of(CONTRACT):
        found = saved[query.name]
        assert (found["QueryString"], found["Database"]) == (query.sql, "selfheal_prod")
        assert found["WorkGroup"] == "selfheal-prod"


def test_who_queries_may_read_the_tables_files_and_write_results_alone(guarded: Template):
    """No model, upload or pointer, and nothing to change but the answers' place."""
    (policy,) = [
        policy for name, policy in guarded.of_type("AWS::IAM::ManagedPolicy").items() if name.startswith("Queries")
    ]
    statements = policy["PolicyDocument"]["Statement"]
    read, write = (objects(statements, action) for action in ("s3:GetObject", "s3:PutObject"))
    assert read == {f"/{table.prefix}*" for table in TABLES.values()} | {"/query-results/*"}
    assert write == {"/query-results/*"}
    actions = {a for s in statements for a in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])}
    assert not [a for a in actions if a.startswith("glue:") and not a.startswith("glue:Get")]
    assert not [s for s in statements if s["Resource"] == "*"]


def test_no_function_may_do_more_for_it(guarded: Template):
    """Queries are people's: functions are allowed nothing of Athena, Glue or the results."""
    for name in guarded.functions:
        allowed = json.dumps(guarded.statements(name))
        assert not [word for word in ("glue:", "athena:", "query-results") if word in allowed], name


def objects(statements: list[dict], action: str) -> set[str]:
    found = set()
    for statement in statements:
        if statement["Action"] == action:
            named = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
            found |= {resource["Fn::Join"][1][-1] for resource in named}
    return found


def address(value: dict) -> tuple[str, str, str]:
    """Scheme, bucket and path of an address that the template puts together."""
    scheme, bucket, path = value["Fn::Join"][1]
    (which,) = [name for name, logical_id in BUCKETS.items() if logical_id in json.dumps(bucket)]
    return scheme, which, path
