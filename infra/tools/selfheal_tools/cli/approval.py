"""`selfheal approve` and `selfheal refuse`: a person's answer to a healing that waits for one."""

from typing import Annotated

import typer

from selfheal_tools.cli.options import ReasonOption, StageOption, actor
from selfheal_tools.connection import connect

ExecutionArgument = Annotated[str | None, typer.Argument(help="The healing that asks; needed only where several wait.")]


def approve(reason: ReasonOption, execution: ExecutionArgument = None, stage: StageOption = "dev") -> None:
    """Let a shadow model that has passed all gates be promoted."""
    _answer(stage, execution, reason, approved=True)


def refuse(reason: ReasonOption, execution: ExecutionArgument = None, stage: StageOption = "dev") -> None:
    """Keep a shadow model that has passed all gates out of production."""
    _answer(stage, execution, reason, approved=False)


def _answer(stage: str, execution: str | None, reason: str, *, approved: bool) -> None:
    from selfheal.records.ledger import Approval

    answered = connect(stage).approvals.answer(execution, Approval(approved=approved, by=actor(), reason=reason))
    typer.echo(f"healing {answered} goes on; `selfheal history` shows its decision")
