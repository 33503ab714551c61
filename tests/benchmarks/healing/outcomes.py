"""What a policy came to in one replay, as the benchmark keeps it."""

from pydantic import BaseModel, ConfigDict

from selfheal_tools.backtest.records import PolicyResult


class Refused(BaseModel):
    """gates: those that failed. gain: what the refused version would have gained, where that is known."""

    model_config = ConfigDict(frozen=True)

    gates: tuple[str, ...]
    gain: float | None


class Outcome(BaseModel):
    """harmful: how many of the promotions were. periods: the Brier score of each."""

    model_config = ConfigDict(frozen=True)

    brier: float
    regained: float | None = None
    promotions: float
    harmful: float
    trainings: float
    periods: tuple[float, ...]
    refusals: tuple[Refused, ...] = ()


def outcome_of(result: PolicyResult) -> Outcome:
    """The parts of a policy's result that the benchmark compares."""
    return Outcome(
        brier=result.brier,
        promotions=result.promotions,
        harmful=result.harmful_promotions,
        trainings=result.retrainings,
        periods=tuple(period.brier for period in result.per_period),
        refusals=tuple(Refused(gates=one.gates, gain=one.gain) for one in result.refusals if one.gates),
    )
