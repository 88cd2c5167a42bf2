"""Where administrators open accounts, give them roles and disable them."""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import people
from api.auth import Actor, person_page, require
from api.committee_letters import told
from api.deps import Context, context_of
from api.forms import Fields, fields_of
from api.home import PAGE
from api.mail import MailFailed
from api.pages import Address, go
from api.people import AccountIn
from api.refusals import name_of
from ledger.decider import Refused
from ledger.people import ROLES, AccountNotOpened, Role

router = APIRouter(prefix="/office/accounts", include_in_schema=False)

Administrator = Annotated[Actor, require("administrator")]


class RoleMissing(Refused):
    """An account has at least one role."""


class PartnerUnknown(Refused):
    """No partner has one of these ids."""


def first(fields: Fields, name: str) -> str:
    return fields.get(name, [""])[0]


def roles_of(fields: Fields) -> tuple[Role, ...]:
    return tuple(role for role in ROLES if role in fields.get("role", []))


def partner_ids_of(context: Context, fields: Fields) -> tuple[UUID, ...]:
    """Read the ids of partners, one a line or between spaces. Raises PartnerUnknown."""
    try:
        partner_ids = tuple(UUID(text) for text in first(fields, "partners").split())
    except ValueError:
        raise PartnerUnknown from None
    if not all(context.admission.partner_name(partner_id) for partner_id in partner_ids):
        raise PartnerUnknown
    return partner_ids


@router.api_route("", **PAGE)
async def accounts(request: Request, _: Administrator) -> Response:
    return await accounts_page(request, {})


async def accounts_page(request: Request, typed: Fields, problem: str | None = None) -> Response:
    """Show every account, and the form that opens one, with what was typed in it."""
    found = await run_in_threadpool(people.people, context_of(request))
    values = {
        "people": found,
        "roles": ROLES,
        "email": first(typed, "email"),
        "name": first(typed, "name"),
        "chosen": roles_of(typed),
        "partners": first(typed, "partners"),
        "problem": problem,
    }
    status = 422 if problem else 200
    return person_page(
        request, "account/accounts.html", values, Address(router.prefix), status=status
    )


@router.post("")
async def add_account(request: Request, actor: Administrator) -> Response:
    """Open an account and send its holder the link that sets the password."""
    fields, context = await fields_of(request), context_of(request)
    try:
        account_id = await run_in_threadpool(open_and_send, context, actor, fields)
    except MailFailed:
        return await accounts_page(request, {}, "mail_failed")
    except Refused as refusal:
        return await accounts_page(request, fields, name_of(refusal))
    return go(f"{router.prefix}/{account_id}?done=sent")


def open_and_send(context: Context, actor: Actor, fields: Fields) -> UUID:
    roles = roles_of(fields)
    if not roles:
        raise RoleMissing
    asked = AccountIn(
        first(fields, "email"), first(fields, "name"), roles, partner_ids_of(context, fields)
    )
    with told(context):
        account_id = people.open_account(context, str(actor), asked).account_id
        people.send_link(context, account_id, enrolment=True)
    return account_id


@router.api_route("/{account_id}", **PAGE)
async def one_account(request: Request, account_id: UUID, _: Administrator) -> Response:
    return await account_page(request, account_id, request.query_params.get("done"))


async def account_page(
    request: Request, account_id: UUID, done: str | None = None, problem: str | None = None
) -> Response:
    one = await run_in_threadpool(people.person, context_of(request), account_id)
    if not one.email:  # Whoever held it was erased: there is nobody to show.
        raise AccountNotOpened(account_id=account_id)
    admission = context_of(request).admission
    values: dict[str, Any] = {
        "person": one,
        "roles": ROLES,
        "shops": [(each, admission.partner_name(each)) for each in one.partner_ids],
        "done": done,
        "problem": problem,
    }
    path = Address(f"{router.prefix}/{account_id}")
    return person_page(request, "account/person.html", values, path, status=422 if problem else 200)


@router.post("/{account_id}/roles")
async def change_roles(request: Request, account_id: UUID, actor: Administrator) -> Response:
    fields, context = await fields_of(request), context_of(request)

    def change() -> None:
        roles = roles_of(fields)
        if not roles:
            raise RoleMissing
        partner_ids = partner_ids_of(context, fields)
        with told(context):
            people.change_roles(context, str(actor), account_id, roles, partner_ids)

    return await carry_out(request, account_id, "roles", change)


@router.post("/{account_id}/disable")
async def disable(request: Request, account_id: UUID, actor: Administrator) -> Response:
    context = context_of(request)
    return await carry_out(
        request, account_id, "disabled", lambda: people.disable(context, str(actor), account_id)
    )


@router.post("/{account_id}/enable")
async def enable(request: Request, account_id: UUID, actor: Administrator) -> Response:
    context = context_of(request)

    def enabling() -> None:
        with told(context):
            people.enable(context, str(actor), account_id)

    return await carry_out(request, account_id, "enabled", enabling)


@router.post("/{account_id}/link")
async def send_link(request: Request, account_id: UUID, _: Administrator) -> Response:
    """Send a new link that sets the password."""
    context = context_of(request)
    return await carry_out(
        request, account_id, "sent", lambda: people.send_link(context, account_id, enrolment=True)
    )


async def carry_out(
    request: Request, account_id: UUID, done: str, act: Callable[[], None]
) -> Response:
    """Do what was asked of an account and lead back to its page, or say there why not."""
    try:
        await run_in_threadpool(act)
    except AccountNotOpened:
        raise
    except MailFailed:
        return await account_page(request, account_id, problem="mail_failed")
    except Refused as refusal:
        return await account_page(request, account_id, problem=name_of(refusal))
    return go(f"{router.prefix}/{account_id}?done={done}")
