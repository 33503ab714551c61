"""The built-in trainer: labelled rows in, a fitted model with its operating threshold out.

The newest 15 % of the rows tune: candidates and windows of the past are compared there, and the probabilities are
calibrated and the threshold is chosen there. The winner is then fitted anew on its whole window, these rows included.
"""

from selfheal.training.training import train

__all__ = ["train"]
