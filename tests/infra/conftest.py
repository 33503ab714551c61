"""The template by its parts, from one synthesis for all tests."""

import json

import pytest

from infra.local.synthesis import synthesised
from tests.support.templates import GUARDED, Template, template_of


@pytest.fixture(scope="session")
def templates(assembly_folder):
    return {
        name: json.loads((assembly_folder / f"selfheal-dev-{name}.template.json").read_text(encoding="utf-8"))
        for name in ("data", "service")
    }


@pytest.fixture(scope="session")
def resources(templates):
    """All resources of both stacks by logical id."""
    return {**templates["data"]["Resources"], **templates["service"]["Resources"]}


@pytest.fixture(scope="session")
def of_type(resources):
    def find(kind: str) -> dict:
        # A resource of defaults only has no properties at all.
        return {
            name: resource.get("Properties", {}) for name, resource in resources.items() if resource["Type"] == kind
        }

    return find


@pytest.fixture(scope="session")
def functions(of_type):
    """Properties of the project's own functions by their names."""
    return {
        (properties.get("Handler") or properties["ImageConfig"]["Command"][0]).split(".")[0]: properties
        for properties in of_type("AWS::Lambda::Function").values()
        if "ZipFile" not in properties["Code"]
    }


@pytest.fixture(scope="session")
def statements(of_type):
    """The statements of a function's role, by the function's properties."""

    def find(function: dict) -> list[dict]:
        role = function["Role"]["Fn::GetAtt"][0]
        return [
            statement
            for policy in of_type("AWS::IAM::Policy").values()
            if {"Ref": role} in policy["Roles"]
            for statement in policy["PolicyDocument"]["Statement"]
        ]

    return find


@pytest.fixture(scope="session")
def plain(assembly_folder) -> Template:
    """A stage without settings."""
    return template_of(assembly_folder, "dev")


@pytest.fixture(scope="session")
def guarded() -> Template:
    """One with nearly all of them."""
    return template_of(synthesised(**GUARDED), "prod")
