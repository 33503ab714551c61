"""`selfheal cost`: what an environment will cost."""

from typing import Annotated

import typer

from selfheal_tools.cli.environment import StageOption


def cost(
    requests_per_day: Annotated[float, typer.Option(min=0, help="Requests that the API will get a day.")],
    rows: Annotated[float, typer.Option(min=1, help="Rows in a request.")] = 1.0,
    stage: StageOption = "dev",
) -> None:
    """The monthly bill by service, from the templates' settings and the list prices that prices.toml holds."""
    from selfheal_tools.cost import endpoint_month, monthly_bill
    from selfheal_tools.environments import environment

    found = environment(stage)
    bill = monthly_bill(found, requests_per_day=requests_per_day, rows_per_request=rows)
    idle = monthly_bill(found, requests_per_day=0)
    for name, dollars in sorted(bill.items(), key=lambda item: -item[1]):
        typer.echo(f"{name:16}{dollars:10.2f} $ a month")
    typer.echo(f"{'in all':16}{sum(bill.values()):10.2f} $ a month")
    typer.echo(f"{'while idle':16}{sum(idle.values()):10.2f} $ a month")
    instance, endpoint = endpoint_month()
    typer.echo(f"a SageMaker real-time endpoint on one {instance}: {endpoint:.2f} $ a month, idle or not")
