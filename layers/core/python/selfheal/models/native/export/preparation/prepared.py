"""The columns after one part of a pipeline; each module beside this one registers what it knows."""

from functools import singledispatch
from typing import Any

from selfheal.errors import ExportInexact
from selfheal.models.native.export.columns import Column

# What people use, and what serves the same purpose.
INSTEAD = {
    "KNNImputer": "use SimpleImputer(add_indicator=True)",
    "IterativeImputer": "use SimpleImputer(add_indicator=True)",
    "PolynomialFeatures": "use SplineTransformer for curves, and trees for interactions",
    "Normalizer": "use StandardScaler or QuantileTransformer",
    "PCA": "leave it out, or select columns by SelectKBest",
    "TruncatedSVD": "leave it out, or select columns by SelectKBest",
    "FeatureHasher": "use OneHotEncoder(min_frequency=...) or TargetEncoder",
    "TfidfVectorizer": "texts aren't served: encode a category",
    "CountVectorizer": "texts aren't served: encode a category",
}


@singledispatch
def prepared(step: Any, columns: list[Column]) -> list[Column]:
    """The columns after one part of a pipeline.

    Raises:
        ExportInexact: the format has no words for it, or for what it is asked to do.
    """
    del columns
    name = type(step).__name__
    instead = INSTEAD.get(name, "leave it out of the pipeline (docs/trainers.md lists what is served)")
    raise ExportInexact(f"model.json has no words for {name}: {instead}")
