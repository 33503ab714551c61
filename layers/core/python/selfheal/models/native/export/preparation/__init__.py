"""What a pipeline does to columns before its estimator reads them, written down as blocks: a module for each kind."""

from selfheal.models.native.export.preparation import composed, curves, encoders, imputers, scalers
from selfheal.models.native.export.preparation.prepared import prepared

__all__ = ["composed", "curves", "encoders", "imputers", "prepared", "scalers"]
