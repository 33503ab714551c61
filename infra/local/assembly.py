"""A cloud assembly as CDK writes it: its stacks in the order of deployment, and the folders of their assets."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

type Resource = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StackTemplate:
    """One stack's name and CloudFormation template."""

    name: str
    template: Mapping[str, Any]

    def resources(self, kind: str) -> Iterator[tuple[str, Resource]]:
        """Logical id and definition of every resource of a type."""
        for logical_id, resource in self.template["Resources"].items():
            if resource["Type"] == kind:
                yield logical_id, resource


@dataclass(frozen=True, slots=True)
class Asset:
    """Something that a deployment uploads: `location` says where to; the key is None for an image."""

    folder: Path
    bucket: str | None
    key: str | None


class Assembly:
    """The folder that `python -m infra.cloud.app` writes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._artifacts = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["artifacts"]
        self.stacks = [self._stack(name) for name in self._in_order()]
        self.assets = {digest: asset for name in self._in_order() for digest, asset in self._assets(name)}

    def folder_of(self, text: str) -> Path:
        """The folder of the asset whose hash occurs in a resource's code location."""
        return next(asset.folder for digest, asset in self.assets.items() if digest in text)

    def _in_order(self) -> list[str]:
        names = [name for name, artifact in self._artifacts.items() if artifact["type"] == "aws:cloudformation:stack"]
        ordered: list[str] = []
        while len(ordered) < len(names):
            ordered += [name for name in names if name not in ordered and self._needs(name, names) <= set(ordered)]
        return ordered

    def _needs(self, name: str, stacks: list[str]) -> set[str]:
        return set(self._artifacts[name].get("dependencies", [])) & set(stacks)

    def _stack(self, name: str) -> StackTemplate:
        file = self._folder / self._artifacts[name]["properties"]["templateFile"]
        return StackTemplate(name, json.loads(file.read_text(encoding="utf-8")))

    def _assets(self, stack: str) -> Iterator[tuple[str, Asset]]:
        listed = json.loads((self._folder / f"{stack}.assets.json").read_text(encoding="utf-8"))
        for kind in ("files", "dockerImages"):
            for digest, asset in listed.get(kind, {}).items():
                source, target = asset["source"], next(iter(asset["destinations"].values()))
                folder = self._folder / (source.get("path") or source["directory"])
                yield digest, Asset(folder, target.get("bucketName"), target.get("objectKey"))
