"""The customer's ticket: what became of her gift, and her choice, for whoever holds its code."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api import candidates, month_letters
from api.auth import public
from api.ballots import Ticket, ballot_of, own_picks, ticket_of
from api.deps import Context, context_of
from api.forms import form_of
from api.gift_trail import trail_of
from api.guesses import TooManyCodes, origin_of
from api.home import PAGE
from api.intake import gift_of
from api.outcomes import outcome_of
from api.pages import PRIVATE, Address, private_page
from api.refusals import TicketUnknown, name_of, status_of
from api.ticket_marks import mark_of
from api.ticket_rounds import rounds_of
from api.wallet_cookie import wallet_here
from api.wallets import wallet_of_gift
from ledger.decider import Refused
from ledger.reactions import ONLINE_TILL_ID
from ledger.rounds.definition import PICKS_MAX
from ledger.tickets import MalformedCode, parse
from ledger.wallets import wallet_id_of
from projections.open_rounds import Known

router = APIRouter(prefix="/g", include_in_schema=False)

TYPED_MAX: Final = 60
AMBASSADOR_TYPED_MAX: Final = 12
# Why there is no ticket to show, each said on the form for codes.
NO_TICKET: Final = (MalformedCode, TicketUnknown, TooManyCodes)


@router.api_route("", **PAGE)
@public()
async def ask_code(request: Request) -> Response:
    """Ask for a code, or lead on to the ticket of the one in the query."""
    code = request.query_params.get("code")
    typed = typed_in_query(request.query_params)
    return form(request, {}, typed) if code is None else lead_on(request, code, typed)


@router.post("")
@public()
async def take_code(request: Request) -> Response:
    fields = await form_of(request)
    return lead_on(request, fields.get("code", ""), typed_in_query(fields))


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody chose on a page that is shown to her again, and what is wrong with it.

    `mark` says that the ticket opened a moment ago, see ticket_marks.
    """

    round_id: UUID | None = None
    picks: Sequence[UUID] | None = None
    brought_by: str = ""
    refusal: Refused | None = None
    mark: str = ""

    def query(self) -> dict[str, str]:
        """Write what is not wrong into an address, and read it back with `typed_in_query`."""
        told = {
            "round": str(self.round_id or ""),
            "picks": ",".join(str(pick) for pick in (self.picks or ())[:PICKS_MAX]),
            "a": self.brought_by,
        }
        return {name: text for name, text in told.items() if text}


def typed_in_query(query: Mapping[str, str]) -> Typed:
    texts = query.get("picks", "").split(",")[:PICKS_MAX]
    picks = [pick for pick in map(uuid_of, texts) if pick is not None]
    return Typed(
        uuid_of(query.get("round", "")),
        picks or None,
        query.get("a", "")[:AMBASSADOR_TYPED_MAX],
        mark=query.get("opened", ""),
    )


def secret(response: Response) -> Response:
    """The address may hold the code, which is a secret: no site may learn it from a link."""
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def go(path: str, **query: str) -> Response:
    given = {name: text for name, text in query.items() if text}
    return secret(RedirectResponse(Address(path, given).written(), 303, PRIVATE))


def lead_on(request: Request, text: str, typed: Typed) -> Response:
    try:
        code = parse(text)
    except MalformedCode as refusal:
        fields = refusal.fields if text.strip() else {"problem": "missing"}
        return form(request, fields, typed, status=422, text=text)
    return go(f"/g/{code}", **typed.query())


def form(
    request: Request, problem: dict[str, Any], typed: Typed, *, status: int = 200, text: str = ""
) -> Response:
    query = typed.query()
    values = {"typed": text[:TYPED_MAX], "problem": problem, "kept": query}
    page = private_page(request, "ticket_form.html", values, Address("/g", query), status=status)
    if "retry_minutes" in problem:
        page.headers["Retry-After"] = str(problem["retry_minutes"] * 60)
    return secret(page)


def no_ticket(
    request: Request, text: str, refusal: Refused, typed: Typed | None = None
) -> Response:
    """Say on the form why there is no ticket: one page for a wrong code and an unknown one.

    What was picked is kept, for when the code is let in again.
    """
    status = 429 if isinstance(refusal, TooManyCodes) else 404
    fields = {"problem": name_of(refusal), **refusal.fields}
    known = typed or typed_in_query(request.query_params)
    return form(request, fields, known, status=status, text=text)


@router.api_route("/{text}", **PAGE)
@public()
async def show(request: Request, text: str) -> Response:
    """Show a gift and what can be chosen. A code that cannot be, or is unknown, is not found."""
    typed = typed_in_query(request.query_params)
    try:
        ticket = await ticket_of(context_of(request), text, origin_of(request), typed.mark)
    except NO_TICKET as refusal:
        return no_ticket(request, text, refusal, typed)
    return await ticket_page(request, ticket, typed)


def uuid_of(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


async def ticket_page(request: Request, ticket: Ticket, typed: Typed) -> Response:
    context = context_of(request)
    if context.admission.stale:  # It knows the names of shops.
        await context.refresh_admission()
    values = await run_in_threadpool(gathered, context, ticket, typed)
    values |= await run_in_threadpool(kept, request, ticket)
    values["months_asked"] = request.query_params.get("asked") == "months"
    status = 200 if typed.refusal is None else status_of(typed.refusal)
    here = Address(f"/g/{values['code']}", typed.query())
    return secret(private_page(request, "ticket.html", values, here, status=status))


def gathered(context: Context, ticket: Ticket, typed: Typed) -> dict[str, Any]:
    """Gather what the page of a ticket shows. Blocks."""
    gift = gift_of(context, ticket.donation_id)
    assert gift is not None  # noqa: S101 - its ticket was found.
    rounds = rounds_of(context, ticket, datetime.now(UTC))
    wanted = [one for one in rounds.open if one.terms.round_id == typed.round_id]
    here = wanted[0] if wanted else rounds.open[0] if len(rounds.open) == 1 else None
    refusal, code = typed.refusal, context.tickets.code(ticket.donation_id)
    return {
        "gift": gift,
        "code": code,
        "mark": mark_of(context, code),
        "shop": context.admission.partner_name(gift.partner_id),
        "trail": trail_of(context, ticket.donation_id),
        "rounds": rounds,
        "ballot": None if here is None else ballot_form(context, ticket, here, typed),
        "outcome": None if rounds.past is None else outcome_of(context, ticket, rounds.past),
        "problem": None if refusal is None else {"name": name_of(refusal), **refusal.fields},
        "brought_by": typed.brought_by,
        "monthly": gift.till_id == ONLINE_TILL_ID
        and month_letters.monthly(context, ticket.donation_id) is not None,
        "mailed": month_letters.can_ask(context),
    }


def ballot_form(context: Context, ticket: Ticket, known: Known, typed: Typed) -> dict[str, Any]:
    """Gather the ballot of a ticket in an open round, with what was chosen before."""
    round_id = known.terms.round_id
    before = own_picks(context, ticket, round_id)
    with context.pool.connection() as connection:
        found = candidates.named(connection, known.definition, known.terms.project_ids)
    titles = {one.project_id: one for one in found}
    return {
        "known": known,
        "definition": known.definition,
        "projects": candidates.shuffled(found, ballot_of(context, ticket, round_id)),
        "before": [titles[pick] for pick in before if pick in titles],
        "picks": set(before if typed.picks is None else typed.picks),
    }


def kept(request: Request, ticket: Ticket) -> dict[str, Any]:
    """Tell whether this browser has a wallet, and where the gift is. Blocks."""
    context, secret_code = context_of(request), wallet_here(request)
    mine = None if secret_code is None else wallet_id_of(secret_code)
    place = wallet_of_gift(context, ticket.donation_id)
    where = "nowhere" if place is None else "mine" if place == mine else "elsewhere"
    return {"has_wallet": mine is not None, "kept": where}
