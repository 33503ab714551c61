"""An MLflow server that mirrors the registry: a run and a model version for each version, `champion` on production.

Needs the optional extra `mlflow` (mlflow-skinny); imported only where a tracking address is configured.
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from mlflow import MlflowClient
from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException

from selfheal.errors import StoreUnavailable, VersionUnknown
from selfheal.records.manifest import Manifest

CHAMPION = "champion"
VERSION_TAG = "selfheal.version"
ALREADY_THERE = "RESOURCE_ALREADY_EXISTS"
# MLflow refuses longer values.
LONGEST_VALUE = 6000


class Tracking(Protocol):
    """The port: mirror versions, and which of them answers."""

    def versions(self, model: str) -> set[str]:
        """Versions of a model that are mirrored already."""
        ...

    def log(self, manifest: Manifest, artefacts: Mapping[str, bytes]) -> None:
        """Mirror one version: parameters, metrics and the given artefacts."""
        ...

    def crown(self, model: str, version: str) -> None:
        """Put `champion` on a mirrored version."""
        ...


class MlflowTracking:
    """An MLflow server behind the port. Every method raises StoreUnavailable where the server doesn't answer."""

    def __init__(self, uri: str) -> None:
        self._client = MlflowClient(tracking_uri=uri, registry_uri=uri)

    def versions(self, model: str) -> set[str]:
        """Versions of a model that are mirrored already."""
        with _errors():
            return set(self._mirrored(model))

    def log(self, manifest: Manifest, artefacts: Mapping[str, bytes]) -> None:
        """Mirror one version; the model version is registered last, so that a run that broke off is logged anew."""
        name = manifest.contract.model.name
        with _errors():
            run = self._run(name, manifest)
            moment = round(manifest.created_at.timestamp() * 1000)
            metrics = [Metric(key, value, moment, 0) for key, value in manifest.metrics.items()]
            self._client.log_batch(run, metrics=metrics, params=_parameters(manifest))
            self._upload(run, artefacts)
            self._client.set_terminated(run)
            self._register(name, manifest, run)

    def crown(self, model: str, version: str) -> None:
        """Put `champion` on a mirrored version. Raises VersionUnknown where it isn't mirrored."""
        with _errors():
            mirrored = self._mirrored(model)
            if version not in mirrored:
                raise VersionUnknown(f"the MLflow server doesn't hold version {version} of {model}: mirror it first")
            self._client.set_registered_model_alias(model, CHAMPION, mirrored[version])

    def _run(self, name: str, manifest: Manifest) -> str:
        known = self._client.get_experiment_by_name(name)
        experiment = known.experiment_id if known else self._client.create_experiment(name)
        tags = {
            VERSION_TAG: manifest.version,
            "selfheal.parent": manifest.lineage.parent_version or "",
            "selfheal.trigger": manifest.lineage.trigger,
            "selfheal.fingerprint": manifest.data.fingerprint,
        }
        began = round(manifest.created_at.timestamp() * 1000)
        return str(self._client.create_run(experiment, began, tags, run_name=manifest.version).info.run_id)

    def _upload(self, run: str, artefacts: Mapping[str, bytes]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for name, body in artefacts.items():
                (Path(folder) / name).write_bytes(body)
            self._client.log_artifacts(run, folder)

    def _register(self, name: str, manifest: Manifest, run: str) -> None:
        try:
            self._client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != ALREADY_THERE:
                raise
        source = self._client.get_run(run).info.artifact_uri
        tags = {VERSION_TAG: manifest.version}
        self._client.create_model_version(name, source, run_id=run, tags=tags)

    def _mirrored(self, model: str) -> dict[str, str]:
        found = self._client.search_model_versions(f"name = '{model}'")
        return {known.tags[VERSION_TAG]: known.version for known in found if VERSION_TAG in known.tags}


def _parameters(manifest: Manifest) -> list[Param]:
    chosen = next((candidate for candidate in manifest.candidates if candidate.chosen), None)
    known = {} if chosen is None else {"model": chosen.name, "window": chosen.window, **chosen.parameters}
    known |= {
        "task": manifest.contract.model.task,
        "seed": manifest.seed,
        **({} if manifest.threshold is None else {"threshold": manifest.threshold}),
        "rows": manifest.data.rows,
        **({"rows_held": manifest.data.sampling.held} if manifest.data.sampling else {}),
    }
    return [Param(key, str(value)[:LONGEST_VALUE]) for key, value in known.items()]


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except MlflowException as error:
        raise StoreUnavailable(f"MLflow refused or didn't answer: {error.error_code}") from error
