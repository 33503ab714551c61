"""A console over stores in memory: who sits at it, what it asks, and a browser's headers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from selfheal.errors import NothingToApprove
from selfheal.records.ledger import Approval
from selfheal.stores.collection import Stores
from selfheal.stores.executions import Progress
from selfheal_tools.console.app import create_app
from selfheal_tools.console.desk import Desk, Settings
from selfheal_tools.console.guard import Keys
from selfheal_tools.environment import Environment
from tests.support.asgi import AsgiClient
from tests.support.healing import FakeExecutions, FakeNotifications

PORT = 8321
OWN = f"http://127.0.0.1:{PORT}"


@dataclass
class WatchedFakes(FakeExecutions):
    """Executions whose states a test decides."""

    states: dict[str, Progress] = field(default_factory=dict)

    def progress(self, name: str) -> Progress | None:
        return self.states.get(name)


@dataclass
class FakeApprovals:
    """Takes the answer to one healing that waits."""

    waiting: str | None = None
    answers: list[Approval] = field(default_factory=list)

    def answer(self, execution: str | None, approval: Approval) -> str:
        if self.waiting is None or execution not in {None, self.waiting}:
            raise NothingToApprove("healings that wait for an answer: none")
        answered, self.waiting = self.waiting, None
        self.answers.append(approval)
        return answered


def environment_of(stores: Stores, now: datetime, **parts) -> Environment:
    known = {
        "executions": WatchedFakes(),
        "approvals": FakeApprovals(),
        "notifications": FakeNotifications(),
        "url": "http://127.0.0.1:9",
        **parts,
    }
    return Environment(stage="test", data_bucket="data", stores=stores, clock=lambda: now, **known)


class Browser:
    """A person's browser that was given the key; `client` sends what a test wants otherwise."""

    def __init__(self, environment: Environment, **settings) -> None:
        self.keys = Keys(PORT)
        app = create_app(Desk(environment, Settings(actor="console:ann", **settings), self.keys), self.keys)
        self.client = AsgiClient(app, OWN)
        self.client.get("/", params={"key": self.keys.key})

    def page(self, path: str, status: int = 200) -> str:
        answer = self.client.get(path)
        assert answer.status_code == status, answer.text
        return answer.text

    def send(self, path: str, fields: Mapping[str, str], headers: Mapping[str, str] | None = None):
        return self.client.post(path, data=fields, headers={"origin": OWN, **(headers or {})})

    def do(self, act: str, reason: str, target: str = "") -> str:
        """Open the act's page and send its form with a reason; the page that says what came of it."""
        fields = hidden(self.page(f"/acts/{act}?target={target}")) | {"reason": reason}
        answer = self.send(f"/acts/{act}", fields)
        assert answer.status_code == 200, answer.text
        return answer.text


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a page's form."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))
