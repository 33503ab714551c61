"""All commands, in the order in which a newcomer needs them."""

import typer

from infra.cli.approval import approve, refuse
from infra.cli.backtest import backtest
from infra.cli.bootstrap import bootstrap
from infra.cli.call import call
from infra.cli.contract import app as contract
from infra.cli.cost import cost
from infra.cli.demo import demo
from infra.cli.drift import drift
from infra.cli.gates import gates
from infra.cli.heal import heal
from infra.cli.history import history, show
from infra.cli.labels import labels
from infra.cli.promotion import promote, rollback
from infra.cli.replay_log import replay_log
from infra.cli.score import score
from infra.cli.status import status
from infra.cli.switch import pause, resume
from infra.cli.verify import verify

app = typer.Typer(
    name="selfheal",
    help="A prediction service that keeps itself healthy: drift, shadow training, gates, promotion, rollback.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.command("demo")(demo)
app.add_typer(contract)
app.command("backtest")(backtest)
app.command("bootstrap")(bootstrap)
app.command("call")(call)
app.command("score")(score)
app.command("labels")(labels)
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
