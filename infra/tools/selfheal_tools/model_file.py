"""A fitted model in a file or an MLflow folder on the operator's machine: the one place that opens a pickle.

What faces the internet never does: it reads `model.json`, which is written from what was opened here.
"""

import warnings
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from selfheal.errors import ModelUnusable

WARNING = (
    "Opening {name} runs whatever code it holds, on this machine and with your rights. "
    "Open it only if you know who wrote it."
)
# MLflow's flavours of models with scikit-learn's interface: under which name each says where its file is.
FLAVOURS = {"sklearn": "pickled_model", "lightgbm": "data"}
# MLflow's default format since 3.17; all other files are pickles.
SKOPS = ".skops"
OPENED = (".pkl", SKOPS)


def model_path(named: str) -> Path:
    """Where the model lies: the file itself, or that of an MLflow model's folder.

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
    return _file_of(described)


def _file_of(described: Path) -> Path:
    import yaml

    try:
        flavours = yaml.safe_load(described.read_text(encoding="utf-8"))["flavors"]
        named = [str(flavours[name][key]) for name, key in FLAVOURS.items() if flavours.get(name, {}).get(key)]
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ModelUnusable(f"{described} doesn't describe a model as MLflow does: save it anew") from error
    file = next((name for name in named if name.endswith(OPENED)), None)
    if file is None:
        raise ModelUnusable(
            f"{described} has no model with scikit-learn's interface but {sorted(flavours)}: save a fitted "
            "estimator or pipeline with mlflow.sklearn.save_model"
        )
    path = described.parent / file
    if not path.resolve().is_relative_to(described.parent.resolve()) or not path.is_file():
        raise ModelUnusable(f"{described} names {file}, which isn't in its folder")
    return path


def open_model(path: Path) -> tuple[Any, list[str]]:
    """The object in a file, and what its libraries warn of.

    Raises:
        ModelUnusable: it can't be opened here, such as for want of a package that it was made with.
    """
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            found = _loaded(path)
        except Exception as error:
            raise ModelUnusable(
                f"{path} can't be opened ({type(error).__name__}: {error}): install the packages that it was made "
                "with, in the same versions, beside selfheal"
            ) from error
    return found, list(dict.fromkeys(str(one.message).splitlines()[0] for one in told))


def _loaded(path: Path) -> Any:
    if path.suffix != SKOPS:
        import joblib

        return joblib.load(path)
    import skops.io

    # Whoever opens it was warned: LightGBM's models have types that skops itself doesn't trust.
    return skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
