"""A synthesised stage, found by what its resources are."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# A stage with every setting that guards something turned on, and with tables for people's queries.
GUARDED: dict[str, Any] = {
    "stage": "prod",
    "snap_start": True,
    "encryption": "kms",
    "retention_days": 30,
    "jwt_issuer": "https://issuer.example",
    "jwt_audience": "selfheal",
    "reserved_concurrency": 5,
    "alarm_email": "team@example.com",
    "queries": "layers/core/python/selfheal/contract/credit_risk.toml",
}


@dataclass(frozen=True)
class Template:
    """Both stacks of a stage."""

    data: dict[str, Any]
    service: dict[str, Any]

    @property
    def outputs(self) -> dict[str, Any]:
        return self.service["Outputs"]

    @property
    def functions(self) -> dict[str, dict[str, Any]]:
        """Properties of the project's own functions by their names."""
        return {
            (properties.get("Handler") or properties["ImageConfig"]["Command"][0]).split(".")[0]: properties
            for properties in self.of_type("AWS::Lambda::Function").values()
            if "ZipFile" not in properties["Code"]
        }

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """Properties of all resources of a type by their logical ids."""
        resources = {**self.data["Resources"], **self.service["Resources"]}
        return {name: r.get("Properties", {}) for name, r in resources.items() if r["Type"] == kind}

    def logical_id(self, function: str) -> str:
        wanted = self.functions[function]
        return next(name for name, p in self.of_type("AWS::Lambda::Function").items() if p is wanted)

    def statements(self, function: str) -> list[dict[str, Any]]:
        """The statements of a function's role."""
        role = self.functions[function]["Role"]["Fn::GetAtt"][0]
        return [
            statement
            for policy in self.of_type("AWS::IAM::Policy").values()
            if {"Ref": role} in policy["Roles"]
            for statement in policy["PolicyDocument"]["Statement"]
        ]

    def prefixes(self, statement: dict[str, Any]) -> list[str]:
        """What the object ARNs of a statement end with."""
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        return [resource["Fn::Join"][1][-1] for resource in resources]


def template_of(folder: Path, stage: str) -> Template:
    """The stacks of a stage in a cloud assembly."""
    data, service = (
        json.loads((folder / f"selfheal-{stage}-{name}.template.json").read_text(encoding="utf-8"))
        for name in ("data", "service")
    )
    return Template(data, service)
