"""What can be wrong with a request for a backtest."""

from selfheal.errors import SelfhealError


class BacktestImpossible(SelfhealError):
    """The file can't be replayed as asked; the message says what would do."""
