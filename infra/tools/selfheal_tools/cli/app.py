"""All commands, in the order in which a newcomer needs them."""

from typing import Annotated

import typer

from selfheal_tools.cli.approval import approve, refuse
from selfheal_tools.cli.backtest import backtest
from selfheal_tools.cli.bootstrap import bootstrap
from selfheal_tools.cli.call import call
from selfheal_tools.cli.console import console
from selfheal_tools.cli.contract import app as contract
from selfheal_tools.cli.cost import cost
from selfheal_tools.cli.demo import demo
from selfheal_tools.cli.drift import drift
from selfheal_tools.cli.gates import gates
from selfheal_tools.cli.heal import heal
from selfheal_tools.cli.history import history, show
from selfheal_tools.cli.labels import labels
from selfheal_tools.cli.promotion import promote, rollback
from selfheal_tools.cli.replay_log import replay_log
from selfheal_tools.cli.score import score
from selfheal_tools.cli.status import status
from selfheal_tools.cli.switch import pause, resume
from selfheal_tools.cli.verify import verify

app = typer.Typer(
    name="selfheal",
    help="A prediction service that keeps itself healthy: drift, shadow training, gates, promotion, rollback.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _show_version(asked: bool) -> None:  # noqa: FBT001 - typer's callbacks get their value so
    if asked:
        from importlib.metadata import version

        typer.echo(f"selfheal {version('selfheal')}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """What holds for every command."""


app.command("demo")(demo)
app.add_typer(contract)
app.command("backtest")(backtest)
app.command("bootstrap")(bootstrap)
app.command("call")(call)
app.command("score")(score)
app.command("labels")(labels)
app.command("console")(console)
app.command("status")(status)
app.command("history")(history)
app.command("show")(show)
app.command("heal")(heal)
app.command("approve")(approve)
app.command("refuse")(refuse)
app.command("promote")(promote)
app.command("rollback")(rollback)
app.command("pause")(pause)
app.command("resume")(resume)
app.command("verify")(verify)
app.command("gates")(gates)
app.command("drift")(drift)
app.command("replay-log")(replay_log)
app.command("cost")(cost)
