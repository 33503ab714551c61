"""A model on an MLflow server, fetched by MLflow's own client into a temporary folder; nothing of it is opened here."""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selfheal.errors import ModelUnusable, SettingsInvalid, StoreUnavailable

SERVER = "MLFLOW_TRACKING_URI"
# Addresses that name no machine: only the server of MLFLOW_TRACKING_URI knows where they lie.
BY_SERVER = ("models:/", "runs:/", "mlflow-artifacts:/")
RETRIES, FEW = "MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2"
LONGEST_REASON = 300


@contextmanager
def local_copy(named: str) -> Iterator[str]:
    """Where a model lies on this machine: `named` itself, or while the block runs a copy of what a server has.

    Raises:
        ModelUnusable: MLflow isn't installed here, or the server has no such model.
        SettingsInvalid: no server is named.
        StoreUnavailable: the server doesn't answer, or refuses.
    """
    if not _is_elsewhere(named):
        yield named
        return
    with tempfile.TemporaryDirectory(prefix="selfheal-model-") as folder:
        yield _downloaded(named, Path(folder))


def _is_elsewhere(named: str) -> bool:
    return named.startswith(BY_SERVER) or ("://" in named and not named.startswith("file:"))


def _downloaded(named: str, folder: Path) -> str:
    try:
        from mlflow.artifacts import download_artifacts
        from mlflow.exceptions import MlflowException
    except ModuleNotFoundError as error:
        raise ModelUnusable(
            f"{named} lies on an MLflow server, and {error.name} isn't installed here: install mlflow-skinny beside "
            f"selfheal, or fetch it elsewhere with `mlflow artifacts download --artifact-uri {named} --dst-path model` "
            "and name that folder"
        ) from error
    if "://" not in named and not os.environ.get(SERVER):
        raise SettingsInvalid(f"{named} lies on an MLflow server: name its address in the environment as {SERVER}")
    # A person waits: MLflow's own seven last four minutes.
    os.environ.setdefault(RETRIES, FEW)
    try:
        return str(download_artifacts(named, dst_path=str(folder)))
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST" or "not found" in str(error).lower():
            raise ModelUnusable(
                f"there is no {named} ({_reason(error)}): look up its name, version or alias on the server"
            ) from error
        raise StoreUnavailable(
            f"{named} can't be fetched ({_reason(error)}): see that {SERVER} names an MLflow server that answers"
        ) from error
    except Exception as error:
        # Of whatever storage the server keeps models in.
        raise StoreUnavailable(
            f"{named} can't be fetched ({_reason(error)}): MLflow needs the packages and credentials of the storage "
            "that it lies in"
        ) from error


def _reason(error: Exception) -> str:
    """Its first line, without the name and password that an address may hold."""
    line = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {re.sub(r'//[^/@\s]*@', '//', line)}"[:LONGEST_REASON]
