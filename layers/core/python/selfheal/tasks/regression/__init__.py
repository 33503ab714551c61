"""Labels that are numbers; a model says a number and how far it may be off."""

from selfheal.tasks.regression.task import Regression

__all__ = ["Regression"]
