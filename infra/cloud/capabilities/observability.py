"""Seeing how it goes: alarms that each ask for one action (see `docs/runbook.md`), and a dashboard of the loop."""

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_apigatewayv2 as gateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk.aws_cloudwatch_actions import SnsAction
from constructs import Construct

from infra.cloud.capabilities.prediction_stream import LATE_SECONDS, PredictionStream
from infra.cloud.stage import Stage

FIVE_MINUTES = Duration.minutes(5)
BREACHING, QUIET = cloudwatch.TreatMissingData.BREACHING, cloudwatch.TreatMissingData.NOT_BREACHING


class Observability(Construct):
    """Alarms that go to the topic, and the dashboard."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        stage: Stage,
        api: gateway.HttpApi,
        functions: Mapping[str, lambda_.Function],
        state_machine: sfn.StateMachine,
        large_hours: sfn.StateMachine,
        failures: sqs.Queue,
        topic: sns.ITopic,
        stream: PredictionStream | None = None,
    ) -> None:
        super().__init__(scope, name)
        self._topic = SnsAction(topic)
        self._namespace = stage.metrics_namespace
        self._alarm_on_serving(api, functions)
        if stream is not None:
            self._alarm_on_stream(stream)
        self._alarm_on_healing(stage, functions["drift"], state_machine, failures)
        self._alarm("RollUpFailed", "A large hour of the log couldn't be rolled up", _unhappy_ends(large_hours))
        self._dashboard(stage, api, functions, state_machine)

    def _alarm_on_serving(self, api: gateway.HttpApi, functions: Mapping[str, lambda_.Function]) -> None:
        self._alarm("ServerErrors", "The API answers with 5xx", api.metric_server_error(period=FIVE_MINUTES))
        self._alarm("Throttles", "Lambda refuses invocations", _all_throttles(functions))
        self._alarm("Unlogged", "Predictions couldn't be logged; replay them", self._predictor("UnloggedPredictions"))
        self._alarm("PointerUnreadable", "The production pointer can't be read", self._predictor("StaleModelLooks"))

    def _alarm_on_stream(self, stream: PredictionStream) -> None:
        self._alarm("Undelivered", "The stream couldn't deliver predictions", stream.failures)
        self._alarm("DeliveredLate", "Predictions reach the log late", stream.delay, threshold=LATE_SECONDS)

    def _alarm_on_healing(
        self, stage: Stage, drift: lambda_.Function, state_machine: sfn.StateMachine, failures: sqs.Queue
    ) -> None:
        missing = cloudwatch.Alarm(
            self,
            "MonitoringMissing",
            alarm_description="No monitoring run in two periods of its schedule",
            metric=drift.metric_invocations(period=Duration.minutes(2 * stage.schedule_minutes)),
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            threshold=1,
            evaluation_periods=1,
            treat_missing_data=BREACHING,
        )
        missing.add_alarm_action(self._topic)
        self._alarm("HealingFailed", "A healing ended without a decision", _unhappy_ends(state_machine))
        # Of what arrives, not of what lies there: a second letter rings again while nobody has taken the first.
        self._alarm(
            "DeadLetters",
            "Uploads or monitoring runs failed for good",
            failures.metric_number_of_messages_sent(period=FIVE_MINUTES, statistic="Sum"),
        )
        self._alarm(
            "RefusedUploads",
            "A file of labels was refused whole, or lost before it was read",
            self._own("RefusedUploads", "labels", "Sum"),
        )

    def _alarm(self, name: str, description: str, metric: cloudwatch.IMetric, threshold: float = 0) -> None:
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_description=description,
            metric=metric,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            threshold=threshold,
            evaluation_periods=1,
            treat_missing_data=QUIET,
        )
        alarm.add_alarm_action(self._topic)

    def _dashboard(
        self,
        stage: Stage,
        api: gateway.HttpApi,
        functions: Mapping[str, lambda_.Function],
        state_machine: sfn.StateMachine,
    ) -> None:
        drift, predictor = functions["drift"], functions["predictor"]
        rows: list[list[cloudwatch.IWidget]] = [
            [
                _graph("Traffic", [api.metric_count(), api.metric_client_error(), api.metric_server_error()]),
                _graph("Latency (ms)", [api.metric_latency(statistic=s) for s in ("p50", "p99")]),
                _graph("Cold and warm (ms)", [predictor.metric_duration(statistic=s) for s in ("p50", "p99")]),
            ],
            [
                _graph("Positive rate", [self._monitoring("PositiveRate")]),
                _graph("Drift share", [self._monitoring("DriftShare")]),
                _graph("Coverage of labels", [self._monitoring("LabelCoverage")]),
            ],
            [
                _graph("F1 and Brier", [self._monitoring(m) for m in ("RealisedF1", "EstimatedF1", "RealisedBrier")]),
                _graph("Monitoring runs and healings", [drift.metric_invocations(), state_machine.metric_started()]),
                _graph("Not as it should be", [self._predictor(m) for m in ("UnloggedPredictions", "StaleModelLooks")]),
            ],
            [_decisions(functions["promotion"], drift)],
        ]
        cloudwatch.Dashboard(
            self, "Dashboard", dashboard_name=f"selfheal-{stage.name}", widgets=rows, default_interval=Duration.days(7)
        )

    def _predictor(self, name: str) -> cloudwatch.Metric:
        return self._own(name, "predictor", "Sum")

    def _monitoring(self, name: str) -> cloudwatch.Metric:
        return self._own(name, "drift", "Average")

    def _own(self, name: str, service: str, statistic: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=self._namespace,
            metric_name=name,
            dimensions_map={"service": service},
            statistic=statistic,
            period=FIVE_MINUTES,
        )


def _all_throttles(functions: Mapping[str, lambda_.Function]) -> cloudwatch.MathExpression:
    metrics = {f"m{n}": function.metric_throttles() for n, function in enumerate(functions.values())}
    return cloudwatch.MathExpression(
        expression=" + ".join(metrics), using_metrics=metrics, period=FIVE_MINUTES, label="Throttles"
    )


def _unhappy_ends(state_machine: sfn.StateMachine) -> cloudwatch.MathExpression:
    metrics = {
        "failed": state_machine.metric_failed(),
        "timedout": state_machine.metric_timed_out(),
        "aborted": state_machine.metric_aborted(),
    }
    return cloudwatch.MathExpression(
        expression="failed + timedout + aborted", using_metrics=metrics, period=FIVE_MINUTES, label="Unhappy ends"
    )


def _decisions(promotion: lambda_.Function, drift: lambda_.Function) -> cloudwatch.LogQueryWidget:
    # Read from the logs when somebody looks: a metric for each kind of decision would cost all the time.
    return cloudwatch.LogQueryWidget(
        title="Decisions",
        log_group_names=[function.log_group.log_group_name for function in (promotion, drift)],
        query_lines=[
            "fields @timestamp, service, message, decision, result.rolled_back",
            "filter ispresent(decision) or result.rolled_back = 1",
            "sort @timestamp desc",
            "limit 50",
        ],
        width=24,
        height=6,
    )


def _graph(title: str, metrics: list[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=metrics, width=8, height=6)
