"""The bill that the documentation shows is the one that `selfheal cost` works out."""

from pathlib import Path

import pytest

from selfheal_tools.cost import endpoint_month, environment_of, monthly_bill
from selfheal_tools.environments import PATH, environment, synthesised_environment, text
from tests.support.templates import template_of


@pytest.mark.parametrize("requests", [0, 100_000])
def test_the_documented_bill_is_the_computed_one(assembly_folder, requests):
    """Idle and at a hundred thousand requests a day, for the stage dev as it is synthesised now."""
    template = template_of(assembly_folder, "dev")
    bill = monthly_bill(environment_of(template.service, template.data), requests_per_day=requests)
    assert f"| {sum(bill.values()):.2f} |" in Path("docs/deploy.md").read_text(encoding="utf-8")


def test_the_documented_endpoint_is_the_price_files():
    """What a SageMaker endpoint costs comes from the same dated file."""
    _, dollars = endpoint_month()
    assert f"| {dollars:.2f} |" in Path("docs/deploy.md").read_text(encoding="utf-8")


def test_what_is_written_down_of_each_stage_is_what_its_templates_say():
    """`selfheal cost` reads it instead of synthesising; where this fails, run `make environments`."""
    assert PATH.read_text(encoding="utf-8") == text()
    assert environment("prod") == synthesised_environment("prod")
