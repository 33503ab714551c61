"""Tells what the service did, from what it wrote itself: summaries of monitoring runs and the ledger."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from infra.demo.display import Display
from selfheal.composition import Stores
from selfheal.records.ledger import Decision
from selfheal.stores.monitoring import PREFIX

STYLES = {"bootstrap": "cyan", "promote": "bold green", "reject": "yellow", "rollback": "red", "failed": "red"}


class Narrator:
    """Looks for what is new and puts it on the display, reports beside it as files."""

    def __init__(self, stores: Stores, display: Display, reports: Path) -> None:
        self._stores = stores
        self._display = display
        self._reports = reports
        self._last_key = PREFIX
        self._last_verdict = ""
        self._decisions_told = 0
        self.report_files: list[Path] = []

    def tell(self) -> None:
        """Tell what happened since it was told last."""
        keys = list(self._stores.monitoring.keys(self._last_key))
        for key in keys:
            if key.endswith("/summary.json"):
                self._tell_run(key, json.loads(self._stores.monitoring.read(key)))
        self._last_key = keys[-1] if keys else self._last_key
        for decision in self._stores.ledger.decisions()[self._decisions_told :]:
            self._tell_decision(decision)
            self._decisions_told += 1

    def decided_since(self, moment: datetime) -> list[Decision]:
        """Decisions from a moment on."""
        return [decision for decision in self._stores.ledger.decisions() if decision.decided_at >= moment]

    def _tell_run(self, key: str, summary: dict[str, Any]) -> None:
        verdict = str(summary["verdict"])
        if verdict == self._last_verdict:
            return
        self._last_verdict = verdict
        report = self._reports / f"{key.removeprefix(PREFIX).replace('/', '-').removesuffix('summary.json')}report.html"
        report.write_bytes(self._stores.monitoring.read(key.replace("summary.json", "report.html")))
        self.report_files.append(report)
        self._display.happened(datetime.fromisoformat(summary["timestamp"]), f"monitoring: {summary['sentence']}")

    def _tell_decision(self, decision: Decision) -> None:
        for gate in decision.gates:
            mark = "[green]pass[/green]" if gate.passed else "[red]fail[/red]"
            self._display.happened(decision.decided_at, f"  {mark}  {gate.gate}: {gate.reason}")
        style = STYLES.get(decision.kind, "")
        self._display.happened(decision.decided_at, f"{decision.kind}: {decision.reason}", style)
