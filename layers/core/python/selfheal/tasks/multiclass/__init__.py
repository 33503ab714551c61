"""Labels of one of several classes; a model says a probability for each."""

from selfheal.tasks.multiclass.priced import PricedMulticlass
from selfheal.tasks.multiclass.task import Multiclass

__all__ = ["Multiclass", "PricedMulticlass"]
