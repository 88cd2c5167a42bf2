"""The application: every router, every refusal's answer, and what is opened around them."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from psycopg import OperationalError
from psycopg_pool import PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from api import (
    accounts,
    ambassador_office,
    ambassador_page,
    ambassadors,
    badge,
    ballots,
    card_statements,
    complaints,
    csv_upload,
    donations,
    errors,
    give,
    give_return,
    home,
    idea_form,
    idea_office,
    ideas,
    journal,
    login,
    my,
    my_cases,
    my_papers,
    my_statements,
    my_tills,
    office,
    ops,
    owed,
    pages,
    partners,
    pictures,
    project_office,
    projects,
    refusals,
    round_files,
    round_office,
    round_pages,
    rounds,
    rule_pages,
    sheet_versions,
    stripe_webhook,
    ticket_months,
    tickets,
    till,
    till_app,
    till_day,
    till_sync,
    verify,
    vote,
    wallet_pages,
    wallets,
)
from api.deps import open_context
from api.lane import Service
from api.snapshots import Snapshots
from ledger.committer import Closed, QueueFull
from ledger.decider import Refused
from ledger.settings import Settings
from ledger.store import LedgerUnavailable

VERSION = version("donpositif")
LOG = logging.getLogger("donpositif")
# The read side loses its database in two more ways than the write side.
UNAVAILABLE = (QueueFull, Closed, LedgerUnavailable, OperationalError, PoolTimeout)
MALFORMED, NOT_FOUND, METHOD_NOT_ALLOWED = 400, 404, 405


def create_app(settings: Settings, conninfo: str) -> FastAPI:
    """Make the application of one worker on a migrated database."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with open_context(settings, conninfo) as context:
            app.state.context = context
            app.state.snapshots = Snapshots(context.pool)
            yield

    app = Service(
        title="Don positif", version=VERSION, lifespan=lifespan, docs_url=None, redoc_url=None
    )
    rooms = (donations, home, owed, partners, complaints, journal, till, tickets, badge, verify)
    # The form comes first: its addresses would be taken for those of ideas.
    of_projects = (idea_form, ideas, projects, sheet_versions, pictures)
    of_project_office = (idea_office, project_office)
    of_ambassadors = (ambassador_page, ambassadors, ambassador_office)
    of_tills = (till_day, till_app, till_sync, my_tills, csv_upload)
    of_votes = (ballots, rounds, round_files, wallets, round_pages, round_office, rule_pages)
    of_tickets = (vote, ticket_months, wallet_pages)
    of_cards = (stripe_webhook, give, give_return, card_statements)
    for room in (
        *rooms,
        *of_projects,
        *of_project_office,
        *of_ambassadors,
        *of_votes,
        *of_tickets,
        *of_tills,
        *of_cards,
        my,
        my_cases,
        my_papers,
        my_statements,
        ops,
        login,
        office,
        accounts,
    ):
        app.include_router(room.router)
    app.include_router(round_files.beside_page)
    app.mount("/static", pages.static_files())
    answer_errors(app)
    short = {
        ("POST", donations.ONE): donations.record,
        ("POST", ballots.PATH): ballots.cast,
        ("GET", home.FIGURES_PATH): home.figures,
        ("POST", stripe_webhook.PATH): stripe_webhook.take,
    }
    app.open_lane(short, answer_error)
    describe(app)
    return app


def answer_errors(app: FastAPI) -> None:
    """Answer every refusal and failure in the form that its reader expects: JSON or a page."""
    for unavailable in UNAVAILABLE:
        app.add_exception_handler(unavailable, answer_unavailable)
    app.add_exception_handler(Refused, answer_refused)
    app.add_exception_handler(refusals.BodyTooLarge, answer_too_large)
    app.add_exception_handler(ClientDisconnect, answer_left)
    app.add_exception_handler(HTTPException, answer_http)
    app.add_exception_handler(RequestValidationError, answer_invalid)
    app.add_exception_handler(Exception, answer_failed)


def answer_error(request: Request, error: Exception) -> Response:
    """Answer whatever a handler raised, for the lane that the framework's handlers do not see."""
    match error:
        case Refused():
            return answer_refused(request, error)
        case _ if isinstance(error, UNAVAILABLE):
            return answer_unavailable(request, error)
        case ClientDisconnect():
            return answer_left(request, error)
        case _:
            return answer_failed(request, error)


def for_programs(request: Request) -> bool:
    """Tell whether a program reads the answer, by the address it asked."""
    return request.url.path.startswith(("/api/", "/healthz", "/openapi.json"))


def answer_refused(request: Request, refusal: Exception) -> Response:
    if isinstance(refusal, refusals.Barred) and not for_programs(request):
        return login.answer_barred(request, refusal)
    known = isinstance(refusal, Refused) and refusals.status_of(refusal) != NOT_FOUND
    if for_programs(request) or known:
        return refusals.answer_refused(request, refusal)
    return errors.page_not_found(request)


async def answer_too_large(request: Request, refusal: Exception) -> Response:
    if for_programs(request) or not isinstance(refusal, refusals.BodyTooLarge):
        return refusals.answer_refused(request, refusal)
    return await errors.page_too_large(request, refusal.fields["bytes_max"])


def answer_unavailable(request: Request, cause: Exception) -> Response:
    if for_programs(request):
        return refusals.answer_unavailable(request, cause)
    return errors.page_busy(request)


def answer_http(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses: an unknown address, a wrong method, a spoilt form."""
    headers = error.headers or {} if isinstance(error, HTTPException) else {}
    status = error.status_code if isinstance(error, HTTPException) else NOT_FOUND
    if not for_programs(request):
        spoilt = status == MALFORMED
        return errors.page_malformed(request) if spoilt else errors.page_not_found(request)
    known: dict[int, Refused] = {
        MALFORMED: refusals.FormMalformed(),
        METHOD_NOT_ALLOWED: refusals.MethodNotAllowed(),
    }
    refusal = known.get(status, refusals.PageNotFound())
    answer = refusals.answer_refused(request, refusal)
    answer.headers.update(headers)
    return answer


def answer_invalid(request: Request, error: Exception) -> Response:
    """Answer a path or query parameter that is not of its form."""
    if not for_programs(request) or not isinstance(error, RequestValidationError):
        return errors.page_not_found(request)
    problems = [
        {"field": ".".join(map(str, found["loc"][1:])), "problem": found["msg"]}
        for found in error.errors()
    ]
    return refusals.answer_refused(request, refusals.BodyMalformed(problems=problems))


def answer_left(_: Request, __: Exception) -> Response:
    """Answer a client that left before its body was whole: nobody reads it, nothing was done."""
    return Response(None, 400)


def answer_failed(request: Request, error: Exception) -> Response:
    """Answer a fault of ours. What it was stays in the log."""
    LOG.error("%s %s failed", request.method, type(error).__name__, exc_info=error)
    if not for_programs(request):
        return errors.page_failed(request)
    body = {"error": {"name": "failed", "message": "The service made a mistake; nothing is lost."}}
    return refusals.json_answer(500, body)


def describe(app: FastAPI) -> None:
    """Complete the OpenAPI document with the till's key."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
            components = schema.setdefault("components", {})
            components["securitySchemes"] = {"till": {"type": "http", "scheme": "bearer"}}
            app.openapi_schema = schema
        return app.openapi_schema

    # FastAPI documents this as the way to complete the document.
    app.openapi = document  # type: ignore[method-assign]
