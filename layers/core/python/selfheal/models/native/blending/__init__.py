"""A blend: up to three trained models served as one `model.json`, the weighted mean of their log-odds.

Works on documents alone: no training library is needed, and nothing is fitted.
"""

from selfheal.models.native.blending.blend import blended

__all__ = ["blended"]
