"""A deployed environment as the operator's tools hold it: its stores, its healings, its API, and what time it is."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botocore.session import Session

    from selfheal.stores.approvals import Approvals
    from selfheal.stores.collection import Stores
    from selfheal.stores.executions import WatchedExecutions
    from selfheal.stores.notifications import Notifications

MOVED_BY_A_PERSON = "selfheal: production was moved by a person"


@dataclass(frozen=True)
class Environment:
    """What a command or the console needs.

    `say` shows a sentence to whoever gave a command. `session` signs requests to the API; None: as AWS's tools would.
    """

    stage: str
    url: str
    data_bucket: str
    stores: "Stores"
    executions: "WatchedExecutions"
    approvals: "Approvals"
    notifications: "Notifications"
    clock: Callable[[], datetime]
    say: Callable[[str], None] = lambda _: None
    session: "Session | None" = None

    def tell(self, sentence: str) -> None:
        """Tell what came of a person's command: here, and to whoever listens. Raises StoreUnavailable."""
        self.say(sentence)
        self.notifications.send(MOVED_BY_A_PERSON, sentence)
