"""Labels of 0 and 1; a model says the probability of 1."""

from selfheal.tasks.binary.priced import PricedBinary
from selfheal.tasks.binary.task import Binary

__all__ = ["Binary", "PricedBinary"]
