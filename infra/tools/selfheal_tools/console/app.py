"""The console's addresses: each reads once, makes its page's record, and gives it to a template."""

from collections.abc import Callable
from http import HTTPStatus
from importlib import resources
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query, Request
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from selfheal.errors import ObjectMissing, SelfhealError, StoreUnavailable, VersionUnknown
from selfheal_tools.console.desk import Desk
from selfheal_tools.console.forms import form_of
from selfheal_tools.console.guard import STORED_PAGE_POLICY, Guard, Keys
from selfheal_tools.console.rendering import render

type Form = Annotated[dict[str, str], Depends(form_of)]
PART_HEADER = "x-part"
STATIC = {"console.css": "text/css", "console.js": "text/javascript"}


class Pages:
    """The pages over one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def now(self, request: Request) -> Response:
        """GET /."""
        page, offered = self._desk.now()
        return self._page(request, "now.html.j2", "/", page=page, offers=offered)

    def time(self, request: Request, days: Annotated[int, Query(ge=1, le=90)] = 7) -> Response:
        """GET /time."""
        return self._page(request, "time.html.j2", "/time", page=self._desk.time(days))

    def run(self, day: str, time: str) -> Response:
        """GET /runs/{day}/{time}: that run's report as it was written."""
        return _stored(self._desk.report(day, time))

    def versions(self, request: Request) -> Response:
        """GET /versions."""
        return self._page(request, "versions.html.j2", "/versions", page=self._desk.versions())

    def compare(self, request: Request, first: str, second: str) -> Response:
        """GET /compare."""
        return self._page(request, "comparison.html.j2", "/versions", page=self._desk.comparison(first, second))

    def version(self, request: Request, version: str) -> Response:
        """GET /versions/{version}."""
        page = self._desk.version(version)
        others = [name for name in self._desk.newest_versions() if name != version]
        return self._page(request, "version.html.j2", "/versions", page=page, others=others)

    def card(self, version: str) -> Response:
        """GET /versions/{version}/card: its model card as it was written."""
        return _stored(self._desk.card(version))

    def decisions(self, request: Request, page: Annotated[int, Query(ge=0)] = 0) -> Response:
        """GET /decisions."""
        return self._page(request, "decisions.html.j2", "/decisions", page=self._desk.decisions(page))

    def decision(self, request: Request, decision_id: str) -> Response:
        """GET /decisions/{decision_id}."""
        page = self._desk.decision(decision_id)
        evidence = self._desk.evidence(decision_id)
        return self._page(request, "decision.html.j2", "/decisions", page=page, evidence=evidence)

    def recomputed(self, request: Request, decision_id: str) -> Response:
        """GET /decisions/{decision_id}/recomputed: the verdict from its evidence, anew."""
        checked = self._desk.recomputed(decision_id)
        return self._page(request, "recomputed.html.j2", "/decisions", checked=checked, decision_id=decision_id)

    def labels(self, request: Request) -> Response:
        """GET /labels."""
        return self._page(request, "labels.html.j2", "/labels", page=self._desk.labels())

    def missing(self, request: Request) -> Response:
        """GET /labels/missing: predictions without a label, by age."""
        return self._page(request, "missing.html.j2", "/labels", days=self._desk.missing())

    def refused(self, key: str) -> Response:
        """GET /labels/refused: the refused rows of an upload as CSV, to be saved."""
        headers = {"content-disposition": 'attachment; filename="refused.csv"'}
        return Response(self._desk.refused(key), media_type="text/csv", headers=headers)

    def data(self, request: Request, days: Annotated[int, Query(ge=1, le=90)] = 7) -> Response:
        """GET /data."""
        return self._page(request, "data.html.j2", "/data", page=self._desk.data(days), days=days)

    def form(self, request: Request) -> Response:
        """GET /try."""
        return self._page(request, "try.html.j2", "/try", fields=self._desk.fields(None), answer=None)

    def ask(self, request: Request, form: Form) -> Response:
        """POST /try."""
        self._desk.check(form)
        answer = self._desk.ask(form)
        return self._page(request, "try.html.j2", "/try", fields=self._desk.fields(form), answer=answer)

    def act(self, request: Request, name: str, target: str = "") -> Response:
        """GET /acts/{name}: what it will do."""
        page = self._desk.act(name, target)
        return self._page(request, "act.html.j2", "/", page=page, once=self._desk.new_once())

    def carry_out(self, request: Request, name: str, form: Form) -> Response:
        """POST /acts/{name}."""
        self._desk.check(form)
        outcome = self._desk.carry_out(name, form)
        return self._page(request, "outcome.html.j2", "/", outcome=outcome)

    def _page(self, request: Request, template: str, place: str, **content: Any) -> Response:
        part = PART_HEADER in request.headers
        return HTMLResponse(render(template, part=part, place=place, frame=self._desk.frame(), **content))


def create_app(desk: Desk, keys: Keys) -> FastAPI:
    """The application over one desk; nothing is read before the first request."""
    pages = Pages(desk)
    app = FastAPI(title="selfheal console", openapi_url=None, docs_url=None, redoc_url=None)
    app.add_middleware(Guard, keys=keys)
    for path, endpoint in _gets(pages).items():
        app.get(path)(endpoint)
    app.post("/try")(pages.ask)
    app.post("/acts/{name}")(pages.carry_out)
    app.get("/static/{name}")(_static)
    app.add_exception_handler(SelfhealError, _problem_of(desk))
    app.add_exception_handler(HTTPException, _problem_of(desk))
    return app


def _gets(pages: Pages) -> dict[str, Callable[..., Response]]:
    return {
        "/": pages.now,
        "/time": pages.time,
        "/runs/{day}/{time}": pages.run,
        "/versions": pages.versions,
        "/compare": pages.compare,
        "/versions/{version}": pages.version,
        "/versions/{version}/card": pages.card,
        "/decisions": pages.decisions,
        "/decisions/{decision_id}": pages.decision,
        "/decisions/{decision_id}/recomputed": pages.recomputed,
        "/labels": pages.labels,
        "/labels/missing": pages.missing,
        "/labels/refused": pages.refused,
        "/data": pages.data,
        "/try": pages.form,
        "/acts/{name}": pages.act,
    }


def _static(name: str) -> Response:
    """GET /static/{name}."""
    if name not in STATIC:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"there is no {name}")
    body = (resources.files("selfheal_tools.console") / "static" / name).read_bytes()
    if name == "console.css":
        # The drawings are coloured as those of the reports.
        body = (resources.files("selfheal.report") / "style.css").read_bytes() + body
    return Response(body, media_type=STATIC[name], headers={"cache-control": "max-age=60"})


def _stored(body: bytes) -> Response:
    return HTMLResponse(body, headers={"content-security-policy": STORED_PAGE_POLICY})


def _problem_of(desk: Desk) -> Callable[[Request, Exception], Response]:
    def problem(request: Request, error: Exception) -> Response:
        status = _status(error)
        said = error.detail if isinstance(error, HTTPException) else str(error)
        html = render(
            "problem.html.j2", part=PART_HEADER in request.headers, place="", frame=desk.bare_frame(), said=said
        )
        return HTMLResponse(html, status)

    return problem


def _status(error: Exception) -> int:
    if isinstance(error, HTTPException):
        return error.status_code
    if isinstance(error, VersionUnknown | ObjectMissing):
        return HTTPStatus.NOT_FOUND
    return HTTPStatus.SERVICE_UNAVAILABLE if isinstance(error, StoreUnavailable) else HTTPStatus.CONFLICT
