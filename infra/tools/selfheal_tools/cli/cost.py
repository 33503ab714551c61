"""`selfheal cost`: what an environment will cost."""

from typing import TYPE_CHECKING, Annotated

import typer

from selfheal_tools.cli.options import StageOption

if TYPE_CHECKING:
    from selfheal_tools.cost import Environment


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
    typer.echo(_cheaper_log(found, requests_per_day, rows))
    instance, endpoint = endpoint_month()
    typer.echo(f"a SageMaker real-time endpoint on one {instance}: {endpoint:.2f} $ a month, idle or not")


def _cheaper_log(environment: "Environment", requests_per_day: float, rows: float) -> str:
    """Which log of predictions costs less at this traffic, and how much less the whole bill is with it."""
    from selfheal_tools.cost import monthly_bill

    bills = {
        log: sum(
            monthly_bill(environment.logging_by(log), requests_per_day=requests_per_day, rows_per_request=rows).values()
        )
        for log in ("s3", "firehose")
    }
    cheaper, other = sorted(bills, key=lambda log: bills[log])
    kept = "as it is" if cheaper == environment.prediction_log else f'set "prediction_log": "{cheaper}"'
    return (
        f"the cheaper log is {cheaper} ({kept}): {bills[cheaper]:.2f} $ a month in all, "
        f"{bills[other] - bills[cheaper]:.2f} less than with {other}"
    )
