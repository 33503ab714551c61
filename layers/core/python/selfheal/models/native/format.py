"""The native format behind the port of formats."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from selfheal.models.native.model import NativeModel, load_artefact

if TYPE_CHECKING:
    import pandas as pd

    from selfheal.contract import Contract
    from selfheal.models.fitted import FittedModel


class NativeFormat:
    """`model.json`; see `selfheal.models.native`."""

    file = "model.json"

    def exported(
        self, fitted: "FittedModel", features: "pd.DataFrame", contract: "Contract", *, seed: int = 0
    ) -> bytes:
        """See Format."""
        from selfheal.models.native.export.proof import export  # needs scikit-learn

        return export(fitted, features, contract, seed=seed)

    def loaded(self, payload: bytes) -> NativeModel:
        """See Format."""
        return load_artefact(payload)

    def blended(self, members: Sequence[tuple[bytes, float]], threshold: float) -> bytes:
        """See Format."""
        from selfheal.models.native.blending import blended  # the predictor never blends

        return blended(members, threshold)
