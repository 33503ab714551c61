"""What the console's addresses ask for: pages from what is read, and acts, each of them carried out once."""

import json
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from threading import Lock

from starlette.exceptions import HTTPException

from selfheal.errors import ObjectMissing, SelfhealError
from selfheal.prefixes import LABELS_REJECTED, RUNS
from selfheal.records.artefacts import CARD
from selfheal.records.ledger import Decision, GateResult
from selfheal.stores.monitoring import REPORT
from selfheal.tasks import judging_task
from selfheal.usecases.heal.evidence import read_evidence
from selfheal.usecases.registry.verify import verify_decision
from selfheal_tools.console.acts import ACTS, Command
from selfheal_tools.console.guard import Keys
from selfheal_tools.console.pages.act import ActPage, Offer, act_page, offers
from selfheal_tools.console.pages.comparison import ComparisonPage, comparison_page
from selfheal_tools.console.pages.data import DataPage, data_page
from selfheal_tools.console.pages.decisions import DecisionPage, DecisionsPage, decision_page, decisions_page
from selfheal_tools.console.pages.evidence import EvidenceView, evidence_view
from selfheal_tools.console.pages.labels import DayOfLabels, LabelsPage, labels_page
from selfheal_tools.console.pages.now import NowPage, now_page
from selfheal_tools.console.pages.time import TimePage, time_page
from selfheal_tools.console.pages.try_it import MOST_REASONS, Answer, Field, answer_of, fields_of, row_of
from selfheal_tools.console.pages.versions import (
    SHOWN,
    VersionPage,
    VersionsPage,
    version_page,
    versions_page,
)
from selfheal_tools.console.reading import Reader
from selfheal_tools.environment import Environment
from selfheal_tools.signed_api import SignedApi

# Outcomes that a form sent twice finds again.
REMEMBERED = 200
FIELD = "field."


@dataclass(frozen=True, slots=True)
class Settings:
    """Who sits at the console, and whether it only shows. `moved` is called after production may have changed."""

    actor: str
    read_only: bool = False
    moved: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around every page."""

    stage: str
    now: str
    token: str
    read_only: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an act."""

    title: str
    done: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Recomputed:
    """A verdict that was recomputed: gates as written and as found; problem: what is off, '' where nothing."""

    pairs: tuple[tuple[GateResult, GateResult], ...]
    problem: str


class Desk:
    """One environment and who sits in front of it; safe for threads."""

    def __init__(self, environment: Environment, settings: Settings, keys: Keys) -> None:
        self._environment = environment
        self._settings = settings
        self._keys = keys
        self._reader = Reader(environment)
        self._lock = Lock()
        self._outcomes: OrderedDict[str, Outcome] = OrderedDict()

    def frame(self) -> Frame:
        """What stands around a page."""
        now = self._reader.now
        return Frame(self._environment.stage, f"{now:%Y-%m-%d %H:%M} UTC", self._keys.token, self._settings.read_only)

    def bare_frame(self) -> Frame:
        """The same where even the time may not be had."""
        return Frame(self._environment.stage, "", self._keys.token, self._settings.read_only)

    # Pages

    def now(self) -> tuple[NowPage, tuple[Offer, ...]]:
        """Now, and what can be done; nothing where the console only shows."""
        found = self._reader.situation()
        return now_page(found), () if self._settings.read_only else offers(found)

    def warm(self) -> None:
        """Read beforehand what the first page would have to wait for; what can't be read, that page says."""
        with suppress(SelfhealError):
            self._reader.situation()

    def time(self, days: int) -> TimePage:
        """Time, over so many days."""
        return time_page(self._reader.runs(days), self._reader.story(), self._reader.now, days)

    def report(self, day: str, time: str) -> bytes:
        """A run's report. Raises ObjectMissing."""
        return self._environment.stores.monitoring.read(f"{RUNS}{day}/{time}/{REPORT}")

    def newest_versions(self) -> list[str]:
        """Names of the newest versions, newest first."""
        return list(self._environment.stores.models.versions())[::-1][:SHOWN]

    def versions(self) -> VersionsPage:
        """Versions."""
        names = list(self._environment.stores.models.versions())
        manifests = [self._reader.manifest(name) for name in names[::-1][:SHOWN]]
        return versions_page(manifests, len(names), self._reader.story(), self._reader.production())

    def version(self, version: str) -> VersionPage:
        """One version. Raises VersionUnknown."""
        return version_page(self._reader.manifest(version), self._reader.story(), self._reader.production())

    def card(self, version: str) -> bytes:
        """A version's model card. Raises VersionUnknown, ReferenceTampered."""
        return self._environment.stores.models.artefact(self._reader.manifest(version), CARD)

    def comparison(self, first: str, second: str) -> ComparisonPage:
        """Two versions side by side. Raises VersionUnknown."""
        one, other = (self._reader.side(version) for version in (first, second))
        recent, truth = self._reader.recent_rows(one.manifest.contract)
        return comparison_page(one, other, recent, truth)

    def decisions(self, page: int) -> DecisionsPage:
        """Decisions; page 0 is the newest."""
        return decisions_page(self._reader.story(), page)

    def decision(self, decision_id: str) -> DecisionPage:
        """One decision. Raises ObjectMissing."""
        return decision_page(self._decision(decision_id), self._reader.story())

    def evidence(self, decision_id: str) -> EvidenceView | None:
        """What a decision was judged on; None where there is nothing to draw. Raises ReferenceTampered."""
        decision = self._decision(decision_id)
        if decision.evidence is None or not decision.gates or decision.previous_version is None:
            return None
        before = self._reader.manifest(decision.previous_version)
        after = self._reader.manifest(decision.version) if decision.version else before
        rows = read_evidence(self._environment.stores, decision.evidence, judging_task(before, after))
        return evidence_view(rows, before.contract.segments)

    def recomputed(self, decision_id: str) -> Recomputed:
        """A decision recomputed from its evidence."""
        decision = self._decision(decision_id)
        try:
            found = verify_decision(self._environment.stores, self._reader.story(), decision)
        except SelfhealError as problem:
            return Recomputed((), str(problem))
        return Recomputed(tuple(zip(decision.gates, found, strict=False)), "")

    def labels(self) -> LabelsPage:
        """Labels."""
        return labels_page(self._reader.uploads())

    def missing(self) -> tuple[DayOfLabels, ...]:
        """Predictions without a label, by day."""
        return self._reader.missing_labels()

    def refused(self, key: str) -> bytes:
        """Refused rows as CSV. Raises ObjectMissing."""
        if not key.startswith(LABELS_REJECTED):
            raise ObjectMissing("no refused rows lie there")
        return self._environment.stores.data.get(key).body

    def data(self, days: int) -> DataPage:
        """Data."""
        return data_page(self._reader.summary(), self._reader.runs(days))

    # Try it

    def fields(self, form: Mapping[str, str] | None) -> tuple[Field, ...]:
        """The form of the production contract, filled with what was sent."""
        production = self._reader.production()
        if production is None:
            return ()
        return fields_of(self._reader.manifest(production.version), None if form is None else _fields_in(form))

    def ask(self, form: Mapping[str, str]) -> Answer:
        """Ask the API, which logs the prediction as any other. Raises CallFailed, CredentialsMissing."""
        production = self._environment.stores.pointer.read().pointer
        manifest = self._reader.manifest(production.version)
        row = json.dumps(row_of(manifest.contract, _fields_in(form))).encode()
        with SignedApi(self._environment.url, self._environment.session) as api:
            status, body = api.send(f"/predict?explain={MOST_REASONS}", row, {})
            # A version of before there were reasons answers without.
            if status == HTTPStatus.CONFLICT:
                status, body = api.send("/predict", row, {})
        return answer_of(status, body, _object(body), manifest)

    # Acts

    def act(self, name: str, target: str) -> ActPage:
        """What an act will do. Raises HTTPException."""
        self._writable(name)
        return act_page(name, ACTS[name].title, target, self._reader.situation())

    def new_once(self) -> str:
        """What makes a form one of its own, so that sent again it does nothing again."""
        return secrets.token_urlsafe(12)

    def check(self, form: Mapping[str, str]) -> None:
        """Raise HTTPException where a form isn't one that this console made, or the console only shows."""
        if not self._keys.is_token(form.get("token")):
            raise HTTPException(
                HTTPStatus.FORBIDDEN, "that form is older than this console: go back, reload, try again"
            )
        if self._settings.read_only:
            raise HTTPException(HTTPStatus.FORBIDDEN, "this console only shows: it was started with --read-only")

    def carry_out(self, name: str, form: Mapping[str, str]) -> Outcome:
        """Do it, or say why not; a form that was sent before finds what came of it then. Raises HTTPException."""
        self._writable(name)
        once = form.get("once", "")
        with self._lock:
            if once not in self._outcomes:
                self._outcomes[once] = self._carried_out(name, form)
            while len(self._outcomes) > REMEMBERED:
                self._outcomes.popitem(last=False)
            return self._outcomes[once]

    def _carried_out(self, name: str, form: Mapping[str, str]) -> Outcome:
        act, reason = ACTS[name], form.get("reason", "").strip()
        if not reason:
            return Outcome(act.title, done=False, sentence="Say why: the reason stands in the ledger.")
        command = Command(self._settings.actor, reason, form.get("target", "").strip(), self._reader.now)
        try:
            sentence = act.carry_out(self._environment, command)
        except SelfhealError as refusal:
            return Outcome(act.title, done=False, sentence=str(refusal))
        if act.moves:
            self._settings.moved()
        return Outcome(act.title, done=True, sentence=sentence)

    def _writable(self, name: str) -> None:
        if name not in ACTS:
            raise HTTPException(HTTPStatus.NOT_FOUND, f"there is no act called {name}")
        if self._settings.read_only:
            raise HTTPException(HTTPStatus.FORBIDDEN, "this console only shows: it was started with --read-only")

    def _decision(self, decision_id: str) -> Decision:
        decision = self._reader.story().decision(decision_id)
        if decision is None:
            raise ObjectMissing(f"the ledger has no decision {decision_id}")
        return decision


def _fields_in(form: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix(FIELD): value for name, value in form.items() if name.startswith(FIELD)}


def _object(body: str) -> dict[str, object]:
    try:
        content = json.loads(body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
