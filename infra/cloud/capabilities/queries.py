"""Asking the files of a stage by SQL: tables of them for Athena, a workgroup with a limit, and six saved queries.

Nothing of it runs or costs until somebody asks; then Athena bills what it reads.
"""

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_athena as athena
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.cloud.acknowledgements import acknowledge_prefixes
from infra.cloud.permissions import may_list, may_read, may_use_key, may_write
from infra.cloud.queries.named import queries_of
from infra.cloud.queries.tables import Table, tables_of
from infra.cloud.queries.types import DAY
from infra.cloud.stage import Stage
from infra.cloud.storage import Storage
from selfheal.contract.model import Contract
from selfheal.prefixes import QUERY_RESULTS

# Five cents at the list price of November 2026; a query that would read more ends with an error.
MOST_BYTES_READ = 10 * 1024**3
ENGINE = "Athena engine version 3"
ASKING = (
    "athena:BatchGetNamedQuery",
    "athena:BatchGetQueryExecution",
    "athena:GetNamedQuery",
    "athena:GetQueryExecution",
    "athena:GetQueryResults",
    "athena:GetQueryResultsStream",
    "athena:GetWorkGroup",
    "athena:ListNamedQueries",
    "athena:ListQueryExecutions",
    "athena:StartQueryExecution",
    "athena:StopQueryExecution",
)


class Queries(Construct):
    """A database of Glue, a workgroup of Athena, and the policy `MayQuery` for people who ask."""

    def __init__(self, scope: Construct, name: str, *, storage: Storage, stage: Stage, contract: Contract) -> None:
        super().__init__(scope, name)
        self._storage, self._stack = storage, Stack.of(self)
        self._database = f"selfheal_{stage.name}"
        self._workgroup = f"selfheal-{stage.name}"
        tables = tables_of(contract)
        database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=self._stack.account,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=self._database, description=f"What selfheal's stage {stage.name} holds, for Athena"
            ),
        )
        for table in tables:
            self._table(table).add_resource_dependency(database)
        workgroup = self._work_group()
        for query in queries_of(contract):
            athena.CfnNamedQuery(
                self,
                query.name,
                name=query.name,
                description=query.about,
                database=self._database,
                query_string=query.sql,
                work_group=self._workgroup,
            ).add_resource_dependency(workgroup)
        self._policy(tables)

    def _table(self, table: Table) -> glue.CfnTable:
        kinds = glue.CfnTable
        location = self._bucket(table).s3_url_for_object(table.prefix)
        days = [kinds.ColumnProperty(name=DAY, type="string")] if table.by_day else None
        return kinds(
            self,
            table.name,
            catalog_id=self._stack.account,
            database_name=self._database,
            table_input=kinds.TableInputProperty(
                name=table.name,
                description=table.about,
                table_type="EXTERNAL_TABLE",
                parameters={"EXTERNAL": "TRUE", **table.projection(location)},
                partition_keys=days,
                storage_descriptor=kinds.StorageDescriptorProperty(
                    location=location,
                    columns=[kinds.ColumnProperty(name=column, type=kind) for column, kind in table.columns.items()],
                    input_format=table.format.input_format,
                    output_format=table.format.output_format,
                    serde_info=kinds.SerdeInfoProperty(
                        serialization_library=table.format.reader, parameters=dict(table.format.settings)
                    ),
                ),
            ),
        )

    def _work_group(self) -> athena.CfnWorkGroup:
        kinds, key = athena.CfnWorkGroup, self._storage.key
        encryption = kinds.EncryptionConfigurationProperty(
            encryption_option="SSE_KMS" if key else "SSE_S3", kms_key=key.key_arn if key else None
        )
        return kinds(
            self,
            "WorkGroup",
            name=self._workgroup,
            description="Queries over what selfheal holds",
            # The history of queries goes with it; what they answered lies in the data bucket, and expires.
            recursive_delete_option=True,
            work_group_configuration=kinds.WorkGroupConfigurationProperty(
                bytes_scanned_cutoff_per_query=MOST_BYTES_READ,
                enforce_work_group_configuration=True,
                engine_version=kinds.EngineVersionProperty(selected_engine_version=ENGINE),
                publish_cloud_watch_metrics_enabled=True,
                requester_pays_enabled=False,
                result_configuration=kinds.ResultConfigurationProperty(
                    output_location=self._storage.data.s3_url_for_object(QUERY_RESULTS),
                    encryption_configuration=encryption,
                    expected_bucket_owner=self._stack.account,
                ),
            ),
        )

    def _policy(self, tables: Sequence[Table]) -> None:
        """For people who ask: they may read what the tables are made of, and Athena's answers."""
        data, registry = (self._storage.data, self._storage.registry)
        read = {
            bucket: [table.prefix for table in tables if self._bucket(table) is bucket] for bucket in (data, registry)
        }
        read[data].append(QUERY_RESULTS)
        objects = [may_read(bucket, *prefixes) for bucket, prefixes in read.items()]
        objects.append(may_write(data, QUERY_RESULTS))
        whole = [may_list(bucket, *prefixes) for bucket, prefixes in read.items()]
        whole.append(iam.PolicyStatement(actions=["s3:GetBucketLocation"], resources=[b.bucket_arn for b in read]))
        key = [] if self._storage.key is None else [may_use_key(self._storage.key, objects)]
        policy = iam.ManagedPolicy(
            self,
            "MayQuery",
            description="For those who query predictions, labels and decisions: they may read them, and change nothing",
            statements=[*objects, *whole, *key, *self._of_the_catalogue(tables)],
        )
        acknowledge_prefixes(policy, objects, "Files have names of their own below the prefixes")

    def _of_the_catalogue(self, tables: Sequence[Table]) -> list[iam.PolicyStatement]:
        named = [f"table/{self._database}/{table.name}" for table in tables]
        catalogue = [self._glue_arn(each) for each in ("catalog", f"database/{self._database}", *named)]
        workgroup = self._stack.format_arn(service="athena", resource="workgroup", resource_name=self._workgroup)
        reading = ["glue:GetDatabase", "glue:GetPartition", "glue:GetPartitions", "glue:GetTable", "glue:GetTables"]
        return [
            iam.PolicyStatement(actions=list(ASKING), resources=[workgroup]),
            iam.PolicyStatement(actions=reading, resources=catalogue),
        ]

    def _glue_arn(self, resource: str) -> str:
        return f"arn:{self._stack.partition}:glue:{self._stack.region}:{self._stack.account}:{resource}"

    def _bucket(self, table: Table) -> s3.IBucket:
        return self._storage.data if table.bucket == "data" else self._storage.registry
