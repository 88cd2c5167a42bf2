"""Letters that could not be sent, and the button that sends one again."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api import (
    admin,
    committee_letters,
    complaint_letters,
    foundation_letters,
    letters,
    month_letters,
    people,
    statement_letters,
)
from api.auth import Actor, require
from api.complaint_letters import EMAIL_FIELD
from api.deps import Context, context_of
from api.forms import fields_of
from api.home import PAGE
from api.letters import KINDS, Kind, Unsent
from api.office.desk import FieldMalformed, Form, Problem, attempted, shop_name_of
from api.office.page import OfficePage
from api.pages import go
from ledger.partners.complaints import Unopened, complaint
from ledger.people import AccountNotOpened

router = APIRouter(prefix="/office/letters", include_in_schema=False)

OF_ACCOUNTS: frozenset[Kind] = frozenset({"enrolment", "reset"})
# Each is to one person of the office, whose account it is about.
OF_OFFICE: frozenset[Kind] = frozenset({"committee", "account_proposed", "account_approved"})
OF_STATEMENTS: frozenset[Kind] = frozenset({"statement", "reminder"})
OF_MONTHS: frozenset[Kind] = frozenset({"month", "months"})
Sender = Annotated[Actor, require("officer", "administrator")]


def kinds_of(actor: Actor) -> tuple[Kind, ...]:
    """Give which letters a person sees: an administrator those of accounts, an officer others."""
    return tuple(
        kind for kind in KINDS if actor.has("administrator" if kind in OF_ACCOUNTS else "officer")
    )


def shown(context: Context, one: Unsent) -> dict[str, Any]:
    """Give a letter with whom it is for and what it is about, as far as that is still known."""
    if one.kind in OF_ACCOUNTS | OF_OFFICE:
        try:
            holder = people.person(context, one.about_id)
        except AccountNotOpened:
            return {"letter": one, "to": "", "about": "", "path": ""}
        path = f"/office/accounts/{one.about_id}" if one.kind in OF_ACCOUNTS else ""
        return {"letter": one, "to": holder.email, "about": holder.name, "path": path}
    if one.kind in OF_STATEMENTS:
        return {"letter": one} | statement_letters.shown(context, one.about_id)
    if one.kind in OF_MONTHS:
        return {"letter": one} | month_letters.shown(context, one.kind, one.about_id)
    history = context.ledger.history(complaint, one.about_id)
    state = complaint.fold(recorded.event for recorded in history)
    if isinstance(state, Unopened):
        return {"letter": one, "to": "", "about": "", "path": ""}
    return {
        "letter": one,
        "to": context.vault.get(state.opening.subject_id, EMAIL_FIELD) or "",
        "about": shop_name_of(admin.registered(context.ledger, state.opening.partner_id)),
        "path": f"/office/complaints/{one.about_id}",
    }


def letters_page(actor: Actor) -> OfficePage:
    def gathered(context: Context) -> dict[str, Any]:
        unsent = letters.unsent(context, kinds_of(actor))
        return {"unsent": [shown(context, one) for one in unsent]}

    return OfficePage("office/letters.html", router.prefix, gathered)


@router.api_route("", **PAGE)
async def show(request: Request, actor: Sender) -> Response:
    return await letters_page(actor).show(request)


@router.post("")
async def send_again(request: Request, actor: Sender) -> Response:
    """Write a letter anew and send it; one that was sent meanwhile is not sent twice."""
    context, form = context_of(request), Form(await fields_of(request))

    def act() -> None:
        kind = next((one for one in kinds_of(actor) if one == form.text("kind")), None)
        if kind is None:
            raise FieldMalformed(field="kind")
        dispatch(context, kind, form.identifier("about_id"))

    problem = await attempted(form, act)
    if problem is not None and problem.name == "mail_failed":
        problem = Problem("mail_failed_again", problem.status)
    if problem is not None:
        return await letters_page(actor).show(request, problem)
    return go(f"{router.prefix}?done=sent")


def dispatch(context: Context, kind: Kind, about_id: UUID) -> None:
    """Send a letter by whoever writes its kind. Raises MailFailed."""
    match kind:
        case "enrolment" | "reset":
            people.send_noted_link(context, kind, about_id)
        case "account_proposed" | "account_approved":
            foundation_letters.send(context, kind, about_id)
        case "committee":
            committee_letters.send(context, about_id)
        case "statement" | "reminder":
            statement_letters.send(context, kind, about_id)
        case "month" | "months":
            month_letters.send(context, kind, about_id)
        case _:
            complaint_letters.send(context, kind, about_id)
