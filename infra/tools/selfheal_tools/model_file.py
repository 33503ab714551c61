"""A fitted model in a file or an MLflow folder on the operator's machine: the one place that opens a pickle.

What faces the internet never does: it reads `model.json`, which is written from what was opened here.
"""

import warnings
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from selfheal.errors import ModelUnusable

WARNING = (
    "{name} is a pickle: opening it runs whatever code it holds, on this machine and with your rights. "
    "Open it only if you know who wrote it."
)


def model_path(named: str) -> Path:
    """Where the pickle lies: the file itself, or that of an MLflow model's folder with scikit-learn's flavour.

    Raises:
        ModelUnusable: there is none.
    """
    address = urlsplit(named)
    path = Path(unquote(address.path)) if address.scheme == "file" else Path(named)
    if not path.is_dir():
        if not path.is_file():
            raise ModelUnusable(f"there is no file or folder {named}")
        return path
    described = path / "MLmodel"
    if not described.is_file():
        raise ModelUnusable(
            f"the folder {named} has no file MLmodel: name a joblib file, or the folder of an MLflow model"
        )
    return _pickle_of(described)


def _pickle_of(described: Path) -> Path:
    import yaml

    try:
        flavours = yaml.safe_load(described.read_text(encoding="utf-8"))["flavors"]
        flavour = flavours.get("sklearn", {})
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ModelUnusable(f"{described} doesn't describe a model as MLflow does: save it anew") from error
    file, kind = flavour.get("pickled_model"), flavour.get("serialization_format", "pickle")
    if file is None or kind not in ("pickle", "cloudpickle"):
        raise ModelUnusable(
            f"{described} has no pickle of scikit-learn's flavour but {sorted(flavours)} ({kind}): save it with "
            "mlflow.sklearn.save_model(..., serialization_format='cloudpickle')"
        )
    path = described.parent / str(file)
    if not path.resolve().is_relative_to(described.parent.resolve()) or not path.is_file():
        raise ModelUnusable(f"{described} names {file}, which isn't in its folder")
    return path


def open_model(path: Path) -> tuple[Any, list[str]]:
    """The object in a pickle, and what its libraries warn of.

    Raises:
        ModelUnusable: it can't be opened here, such as for want of a package that it was made with.
    """
    import joblib

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            found = joblib.load(path)
        except Exception as error:
            raise ModelUnusable(
                f"{path} can't be opened ({type(error).__name__}: {error}): install the packages that it was made "
                "with, in the same versions, beside selfheal"
            ) from error
    return found, list(dict.fromkeys(str(one.message).splitlines()[0] for one in told))
