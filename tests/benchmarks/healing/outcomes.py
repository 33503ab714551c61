"""What a policy came to in one replay, as the benchmark keeps it."""

from typing import Annotated

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from selfheal_tools.backtest.records import MetricName, PolicyResult
from selfheal_tools.backtest.words import mean_loss


class Refused(BaseModel):
    """gates: those that failed. gain: what the refused version would have gained, where that is known."""

    model_config = ConfigDict(frozen=True)

    gates: tuple[str, ...]
    gain: float | None


class Outcome(BaseModel):
    """What a policy came to.

    loss: the mean loss, of classes the Brier score; periods: that of each. metrics: all of the task's, by name.
    harmful: how many of the promotions were.
    """

    model_config = ConfigDict(frozen=True)

    # Earlier replays, which all were of two values, have it as their Brier score.
    loss: Annotated[float, Field(validation_alias=AliasChoices("loss", "brier"))]
    metrics: dict[MetricName, float | None] = {}
    regained: float | None = None
    promotions: float
    harmful: float
    trainings: float
    periods: tuple[float, ...]
    refusals: tuple[Refused, ...] = ()


def outcome_of(result: PolicyResult) -> Outcome:
    """The parts of a policy's result that the benchmark compares."""
    return Outcome(
        loss=result.of(mean_loss(result.metrics)),
        metrics=result.metrics,
        promotions=result.promotions,
        harmful=result.harmful_promotions,
        trainings=result.retrainings,
        periods=tuple(period.of(mean_loss(period.metrics)) for period in result.per_period),
        refusals=tuple(Refused(gates=one.gates, gain=one.gain) for one in result.refusals if one.gates),
    )
