"""Tells what the service did, from what it wrote itself: summaries of monitoring runs and the ledger."""

import json
from collections.abc import Iterator
from datetime import datetime
from operator import itemgetter
from pathlib import Path

from selfheal.prefixes import MONITORING
from selfheal.records.ledger import Decision
from selfheal.stores.collection import Stores
from selfheal_tools.demo.display import Display

STYLES = {"bootstrap": "cyan", "promote": "bold green", "reject": "yellow", "rollback": "red", "failed": "red"}

type Event = tuple[datetime, str, str]


class Narrator:
    """Looks for what is new and puts it on the display, reports beside it as files."""

    def __init__(self, stores: Stores, display: Display, reports: Path) -> None:
        self._stores = stores
        self._display = display
        self._reports = reports
        self._last_key = ""
        self._last_verdict = ""
        self._decisions_told = 0
        self.report_files: list[Path] = []

    def tell(self) -> None:
        """Tell what happened since it was told last, in the order in which it happened."""
        for moment, what, style in sorted([*self._runs(), *self._decisions()], key=itemgetter(0)):
            self._display.happened(moment, what, style)

    def decided_since(self, moment: datetime) -> list[Decision]:
        """Decisions from a moment on."""
        return [decision for decision in self._stores.ledger.decisions() if decision.decided_at >= moment]

    def _runs(self) -> Iterator[Event]:
        """Monitoring runs that judge otherwise than the one before."""
        for key in list(self._stores.monitoring.keys(self._last_key)):
            self._last_key = key
            if not key.endswith("/summary.json"):
                continue
            summary = json.loads(self._stores.monitoring.read(key))
            if summary["verdict"] != self._last_verdict:
                self._last_verdict = summary["verdict"]
                self._keep_report(key.replace("summary.json", "report.html"))
                yield datetime.fromisoformat(summary["timestamp"]), f"monitoring: {summary['sentence']}", ""

    def _decisions(self) -> Iterator[Event]:
        """Decisions of the ledger, each after its gates."""
        for decision in self._stores.ledger.decisions()[self._decisions_told :]:
            self._decisions_told += 1
            for gate in decision.gates:
                mark, style = ("pass", "green") if gate.passed else ("fail", "red")
                yield decision.decided_at, f"  {mark}  {gate.gate}: {gate.reason}", style
            yield decision.decided_at, f"{decision.kind}: {decision.reason}", STYLES.get(decision.kind, "")

    def _keep_report(self, key: str) -> None:
        file = self._reports / key.removeprefix(MONITORING).replace("/", "-")
        file.write_bytes(self._stores.monitoring.read(key))
        self.report_files.append(file)
