"""Who may ask for what: each route says it itself, and a person's page knows who reads it.

@router.get("/")            @router.get("/office/accounts")
@public()                   async def accounts(request: Request, actor: Administrator) -> ...
async def home(...)         Administrator = Annotated[Actor, require("administrator")]
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from secrets import compare_digest
from typing import Any, Final, TypeVar
from uuid import UUID

from fastapi import Depends
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from api.deps import Context, context_of
from api.forms import fields_of, foreign
from api.pages import HERE, Address, Values, private_page
from api.refusals import FormForeign, NotPermitted, SignInNeeded
from api.sessions import csrf_of, token_of
from ledger.decider import Refused
from ledger.people import Opened, Role, account, actor_of

PUBLIC: Final = "public"
TILL_KEY: Final = "till key"
ANYBODY: Final = "anybody signed in"
READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_FIELD: Final = "csrf"

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
# What the endpoints say that ask for no account. A dependency would cost each gift its time.
OPEN_ENDPOINTS: Final[dict[Callable[..., Any], str]] = {}


@dataclass(frozen=True, slots=True)
class Actor:
    """A person who signed in, as she is now; `str(actor)` is what her commands carry."""

    account_id: UUID
    subject_id: UUID
    roles: tuple[Role, ...]
    partner_ids: tuple[UUID, ...]
    csrf: str = field(repr=False)

    def __str__(self) -> str:
        return actor_of(self.account_id)

    def has(self, *roles: Role) -> bool:
        """Tell whether she has at least one of these roles."""
        return any(role in self.roles for role in roles)


def public() -> Callable[[Endpoint], Endpoint]:
    """Say below a route's decorator that anybody may ask for it."""
    return opened_to(PUBLIC)


def till_key() -> Callable[[Endpoint], Endpoint]:
    """Say below a route's decorator that it asks for a till's key by itself (`till_of`)."""
    return opened_to(TILL_KEY)


def opened_to(whom: str) -> Callable[[Endpoint], Endpoint]:
    def mark(endpoint: Endpoint) -> Endpoint:
        OPEN_ENDPOINTS[endpoint] = whom
        return endpoint

    return mark


@dataclass(frozen=True)
class Demand:
    """A dependency that lets in who has one of its roles; with none, anybody signed in."""

    roles: tuple[Role, ...]

    async def __call__(self, request: Request) -> AsyncIterator[Actor]:
        actor = await self.admitted(request)
        if request.method not in READING:
            await fields_of(request)
            try:
                # A body may take its time to come: who sends it may have lost her roles meanwhile.
                actor = await self.admitted(request)
                await check_form(request, actor)
            except Refused:
                await request.close()  # With its form come files, which nobody will read.
                raise
        request.state.actor = actor
        yield actor
        await request.close()  # The files of a form, if it had any, go.

    async def admitted(self, request: Request) -> Actor:
        """Give who asks, as she is now. Raises SignInNeeded, NotPermitted."""
        actor = await actor_here(request)
        if actor is None:
            raise SignInNeeded
        if self.roles and not actor.has(*self.roles):
            raise NotPermitted
        return actor


def require(*roles: Role) -> Any:
    """Let in who signed in and has one of these roles; forms must come from our own pages."""
    return Depends(Demand(roles))


def demand_of(route: BaseRoute) -> str | None:
    """Read from a route what it demands; None when it says nothing."""
    endpoint = getattr(route, "endpoint", None)
    if endpoint in OPEN_ENDPOINTS:
        return OPEN_ENDPOINTS[endpoint]
    for dependant in getattr(getattr(route, "dependant", None), "dependencies", []):
        if isinstance(dependant.call, Demand):
            return " ".join(dependant.call.roles) or ANYBODY
    return None


async def actor_here(request: Request) -> Actor | None:
    """Give the person whose session the request's cookie holds, None when it holds none."""
    token = token_of(request)
    if token is None:
        return None
    return await run_in_threadpool(actor_of_session, context_of(request), token)


def actor_of_session(context: Context, token: str) -> Actor | None:
    account_id = context.sessions.account_of(token, datetime.now(UTC))
    if account_id is None:
        return None
    history = context.ledger.history(account, account_id)
    person = account.fold(recorded.event for recorded in history)
    if not isinstance(person, Opened) or not person.enabled:
        return None
    return Actor(account_id, person.subject_id, person.roles, person.partner_ids, csrf_of(token))


async def check_form(request: Request, actor: Actor) -> None:
    """Refuse a form that our own page did not send in this session. Raises FormForeign."""
    sent = (await fields_of(request)).get(CSRF_FIELD, [""])[0]
    if foreign(request) or not compare_digest(sent.encode(), actor.csrf.encode()):
        raise FormForeign


def person_page(
    request: Request,
    template: str,
    values: Values,
    address: Address = HERE,
    *,
    status: int = 200,
) -> Response:
    """Answer with a page for the person whom `require` let in; her forms contain `{{ csrf() }}`."""
    actor: Actor = request.state.actor

    def csrf() -> Markup:
        field = Markup('<input type="hidden" name="{}" value="{}">')
        return field.format(CSRF_FIELD, actor.csrf)

    known = {**values, "actor": actor, "csrf": csrf}
    return private_page(request, template, known, address, status=status)
