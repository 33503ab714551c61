"""Logging many predictions: a Firehose stream delivers them to the prediction log, by the hour of their timestamps."""

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kinesisfirehose as firehose
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.cloud.acknowledgements import acknowledge_prefixes
from infra.cloud.functions import RETENTION
from infra.cloud.permissions import may_use_key, may_write
from infra.cloud.stage import Stage
from infra.cloud.storage import Storage
from selfheal.prefixes import PREDICTIONS, STREAM, UNDELIVERED

# A closed hour is rolled up 20 minutes after its end (`selfheal.stores.rollups.GRACE`): all of it is there by then.
BUFFER_SECONDS, BUFFER_MB = 300, 128
LATE_SECONDS = 1200
_encryption = firehose.CfnDeliveryStream.DeliveryStreamEncryptionConfigurationInputProperty
# Each line is taken out of the record that it came in, and goes to the hour of its own timestamp.
PARTITION = "{dt:.timestamp[0:10],hh:.timestamp[11:13]}"
PREFIX = f"{PREDICTIONS}dt=!{{partitionKeyFromQuery:dt}}/hh=!{{partitionKeyFromQuery:hh}}/"
ERRORS = f"{UNDELIVERED}!{{firehose:error-output-type}}/dt=!{{timestamp:yyyy-MM-dd}}/"


class PredictionStream(Construct):
    """The stream, its role and the log of its errors. Alarms watch `failures`, how many there were, and `delay`."""

    def __init__(self, scope: Construct, name: str, *, storage: Storage, stage: Stage) -> None:
        super().__init__(scope, name)
        self.stream_name = f"{STREAM}{stage.name}-predictions"
        self.arn = Stack.of(self).format_arn(
            service="firehose", resource="deliverystream", resource_name=self.stream_name
        )
        self._errors = logs.LogGroup(
            self, "Log", retention=RETENTION[stage.log_retention_days], removal_policy=RemovalPolicy.DESTROY
        )
        self.failures = self._counted(stage)
        role = self._role(storage)
        self.resource = firehose.CfnDeliveryStream(
            self,
            "Stream",
            delivery_stream_name=self.stream_name,
            delivery_stream_type="DirectPut",
            delivery_stream_encryption_configuration_input=_encryption(key_type="AWS_OWNED_CMK"),
            extended_s3_destination_configuration=self._destination(storage.data, role),
        )
        self.resource.node.add_dependency(role)

    @property
    def delay(self) -> cloudwatch.Metric:
        """Seconds that the oldest record has waited to be delivered."""
        return cloudwatch.Metric(
            namespace="AWS/Firehose",
            metric_name="DeliveryToS3.DataFreshness",
            dimensions_map={"DeliveryStreamName": self.stream_name},
            statistic="Maximum",
        )

    def _destination(
        self, bucket: s3.IBucket, role: iam.Role
    ) -> firehose.CfnDeliveryStream.ExtendedS3DestinationConfigurationProperty:
        kinds = firehose.CfnDeliveryStream
        return kinds.ExtendedS3DestinationConfigurationProperty(
            bucket_arn=bucket.bucket_arn,
            role_arn=role.role_arn,
            prefix=PREFIX,
            error_output_prefix=ERRORS,
            file_extension=".jsonl.gz",
            compression_format="GZIP",
            buffering_hints=kinds.BufferingHintsProperty(interval_in_seconds=BUFFER_SECONDS, size_in_m_bs=BUFFER_MB),
            dynamic_partitioning_configuration=kinds.DynamicPartitioningConfigurationProperty(
                enabled=True, retry_options=kinds.RetryOptionsProperty(duration_in_seconds=3600)
            ),
            processing_configuration=kinds.ProcessingConfigurationProperty(
                enabled=True,
                processors=[
                    _processor("RecordDeAggregation", SubRecordType="JSON"),
                    _processor("MetadataExtraction", MetadataExtractionQuery=PARTITION, JsonParsingEngine="JQ-1.6"),
                    _processor("AppendDelimiterToRecord", Delimiter="\\n"),
                ],
            ),
            cloud_watch_logging_options=kinds.CloudWatchLoggingOptionsProperty(
                enabled=True, log_group_name=self._errors.log_group_name, log_stream_name="delivery"
            ),
        )

    def _role(self, storage: Storage) -> iam.Role:
        trusted = iam.ServicePrincipal(
            "firehose.amazonaws.com", conditions={"StringEquals": {"sts:ExternalId": Stack.of(self).account}}
        )
        role = iam.Role(self, "Role", assumed_by=trusted)
        written = [may_write(storage.data, PREDICTIONS, UNDELIVERED), *_as_aws_asks(storage.data)]
        to_log = iam.PolicyStatement(actions=["logs:PutLogEvents"], resources=[self._errors.log_group_arn])
        key = [] if storage.key is None else [may_use_key(storage.key, written)]
        for statement in (*written, to_log, *key):
            role.add_to_policy(statement)
        acknowledge_prefixes(role, written, "Delivered objects have names of their own below the prefixes")
        acknowledge_prefixes(role, [to_log], "The log's streams are named by the service")
        return role

    def _counted(self, stage: Stage) -> cloudwatch.Metric:
        """What the service writes to its log: nothing but errors."""
        counted = logs.MetricFilter(
            self,
            "Errors",
            log_group=self._errors,
            filter_pattern=logs.FilterPattern.all_events(),
            metric_namespace=stage.metrics_namespace,
            metric_name="UndeliveredPredictions",
        )
        return counted.metric(statistic="Sum")


def _as_aws_asks(bucket: s3.IBucket) -> list[iam.PolicyStatement]:
    """What the service documents beside writing objects: it uploads large ones in parts.

    https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html
    """
    below = [bucket.arn_for_objects(f"{prefix}*") for prefix in (PREDICTIONS, UNDELIVERED)]
    return [
        iam.PolicyStatement(actions=["s3:AbortMultipartUpload", "s3:GetObject"], resources=below),
        iam.PolicyStatement(
            actions=["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
            resources=[bucket.bucket_arn],
        ),
    ]


def _processor(kind: str, **parameters: str) -> firehose.CfnDeliveryStream.ProcessorProperty:
    return firehose.CfnDeliveryStream.ProcessorProperty(
        type=kind,
        parameters=[
            firehose.CfnDeliveryStream.ProcessorParameterProperty(parameter_name=name, parameter_value=value)
            for name, value in parameters.items()
        ],
    )
