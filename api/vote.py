"""The customer's choice, step by step: pick, look at it once more, confirm, done."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import candidates
from api.ambassador_links import code_here
from api.ambassadors import enrolled, give_credit
from api.auth import actor_here, public
from api.ballots import Ticket, ballot_of, cast_ballot, check_ballot, own_picks, ticket_of
from api.deps import Context, context_of
from api.forms import Fields, fields_of
from api.guesses import origin_of
from api.home import PAGE
from api.pages import Address, private_page
from api.ticket_marks import mark_of
from api.ticket_rounds import is_open
from api.tickets import (
    AMBASSADOR_TYPED_MAX,
    NO_TICKET,
    Typed,
    go,
    no_ticket,
    secret,
    ticket_page,
    uuid_of,
)
from api.wallet_cookie import wallet_here
from api.wallets import add_gift, wallet_of_gift
from ledger.ambassadors import (
    AmbassadorIsRetired,
    AmbassadorNotFound,
    CreditedToAnother,
    OwnGift,
    ambassador_id_of,
)
from ledger.ballots import UnknownProject
from ledger.decider import Refused
from ledger.rounds.commands import RoundNotFound
from ledger.wallets import GiftInAnotherWallet, WalletUnknown, wallet_id_of
from projections.open_rounds import Known

router = APIRouter(prefix="/g", include_in_schema=False)

# What came of naming an ambassador, as the last page says it.
CREDIT: Final[dict[type[Refused], str]] = {
    AmbassadorNotFound: "unknown",
    AmbassadorIsRetired: "unknown",
    OwnGift: "own",
    CreditedToAnother: "another",
}
CREDITS: Final = {"given", *CREDIT.values()}


def typed_in(fields: Fields) -> Typed:
    """Read a ballot form; a pick that is no id is one of no project of the round."""
    texts = fields.get("pick", [])
    picks = [pick for pick in map(uuid_of, texts) if pick is not None]
    brought_by = "".join(fields.get("a", [""])[0].split()).upper()[:AMBASSADOR_TYPED_MAX]
    refusal = UnknownProject() if len(picks) < len(texts) else None
    mark = fields.get("opened", [""])[0]
    return Typed(uuid_of(fields.get("round", [""])[0]), picks, brought_by, refusal, mark)


def again(typed: Typed, refusal: Refused) -> Typed:
    return replace(typed, refusal=refusal)


# Whoever sends these forms knows the ticket's code, as only our own page and its holder do: a
# check of where they came from would bar old browsers and nobody else.


@router.post("/{text}/choice")
@public()
async def look_again(request: Request, text: str) -> Response:
    """Show what was picked, to be confirmed; or the form again, when it cannot be so."""
    context, fields = context_of(request), await fields_of(request)
    typed = typed_in(fields)
    try:
        ticket = await ticket_of(context, text, origin_of(request), typed.mark)
    except NO_TICKET as refusal:
        return no_ticket(request, text, refusal, typed)
    if "change" in fields:
        return await ticket_page(request, ticket, typed)
    try:
        picks = await checked(context, ticket, typed)
    except Refused as refusal:
        return await ticket_page(request, ticket, again(typed, refusal))
    return await run_in_threadpool(confirm_page, request, ticket, typed, picks)


async def checked(context: Context, ticket: Ticket, typed: Typed) -> tuple[UUID, ...]:
    """Ask the ledger whether it would take what was typed. Raises its refusal."""
    if typed.refusal is not None:
        raise typed.refusal
    if typed.round_id is None:
        raise RoundNotFound
    return await check_ballot(context, ticket, typed.picks or (), typed.round_id)


def confirm_page(
    request: Request, ticket: Ticket, typed: Typed, picks: tuple[UUID, ...]
) -> Response:
    context = context_of(request)
    assert typed.round_id is not None  # noqa: S101 - its ballot was checked.
    values = told(context, ticket, typed.round_id, picks)
    values |= {"brought_by": typed.brought_by, "credited": ambassador_known(context, typed)}
    here = Address(f"/g/{values['code']}", {"round": str(typed.round_id)})
    return secret(private_page(request, "vote/confirm.html", values, here))


def ambassador_known(context: Context, typed: Typed) -> bool:
    try:
        return not enrolled(context, ambassador_id_of(typed.brought_by)).retired
    except AmbassadorNotFound:
        return False


def told(
    context: Context, ticket: Ticket, round_id: UUID, picks: tuple[UUID, ...]
) -> dict[str, Any]:
    """Gather what is said of a choice. Raises RoundNotFound."""
    known = round_known(context, round_id)
    with context.pool.connection() as connection:
        chosen = candidates.named(connection, known.definition, picks)
    code = context.tickets.code(ticket.donation_id)
    return {
        "code": code,
        "mark": mark_of(context, code),
        "cents": ticket.remaining_cents,
        "definition": known.definition,
        "chosen": chosen,
    }


def round_known(context: Context, round_id: UUID) -> Known:
    known = context.rounds.round(round_id)
    if known is None:
        raise RoundNotFound(round_id=round_id)
    return known


@router.post("/{text}/ballot")
@public()
async def cast(request: Request, text: str) -> Response:
    """Cast the ballot that was confirmed, and lead to the page that says so."""
    context, typed = context_of(request), typed_in(await fields_of(request))
    try:
        ticket = await ticket_of(context, text, origin_of(request), typed.mark)
    except NO_TICKET as refusal:
        return no_ticket(request, text, refusal, typed)
    try:
        await checked(context, ticket, typed)
        made = await cast_ballot(context, ticket, typed.picks or (), typed.round_id, channel="web")
    except Refused as refusal:
        return await ticket_page(request, ticket, again(typed, refusal))
    credit = await credited(request, ticket, typed, made.round_id)
    code = context.tickets.code(ticket.donation_id)
    mark = mark_of(context, code)
    return go(f"/g/{code}/done", round=str(made.round_id), credit=credit, opened=mark)


async def credited(request: Request, ticket: Ticket, typed: Typed, round_id: UUID) -> str:
    """Credit the ambassador who was named; tell what came of it, nothing when none was.

    The ballot counts whatever comes of it.
    """
    if not typed.brought_by:
        return ""
    context, actor = context_of(request), await actor_here(request)
    here = wallet_here(request)

    def give() -> None:
        give_credit(
            context,
            "public",
            typed.brought_by,
            "ballot",
            ballot_of(context, ticket, round_id),
            caster="public" if actor is None else str(actor),
            wallet_id=wallet_of_gift(context, ticket.donation_id),
            browser_wallet_id=None if here is None else wallet_id_of(here),
            browser_code=code_here(context, request),
        )

    try:
        await run_in_threadpool(give)
    except tuple(CREDIT) as refusal:
        return CREDIT[type(refusal)]
    return "given"


@router.api_route("/{text}/done", **PAGE)
@public()
async def done(request: Request, text: str) -> Response:
    """Say what was chosen, until when it can be changed, and when the result comes."""
    context, mark = context_of(request), request.query_params.get("opened", "")
    try:
        ticket = await ticket_of(context, text, origin_of(request), mark)
    except NO_TICKET as refusal:
        return no_ticket(request, text, refusal)
    code = context.tickets.code(ticket.donation_id)
    round_id = uuid_of(request.query_params.get("round", ""))
    known = None if round_id is None else context.rounds.round(round_id)
    if round_id is None or known is None:
        return go(f"/g/{code}")
    picks = await run_in_threadpool(own_picks, context, ticket, round_id)
    if not picks:
        return go(f"/g/{code}")
    credit = request.query_params.get("credit", "")
    values = await run_in_threadpool(told, context, ticket, round_id, picks)
    values |= {
        "credit": credit if credit in CREDITS else "",
        "open": is_open(known, datetime.now(UTC)),
        "has_wallet": wallet_here(request) is not None,
        "kept": await run_in_threadpool(wallet_of_gift, context, ticket.donation_id) is not None,
    }
    here = Address(f"/g/{code}/done", {"round": str(round_id)})
    return secret(private_page(request, "vote/done.html", values, here))


@router.post("/{text}/wallet")
@public()
async def keep(request: Request, text: str) -> Response:
    """Put the gift into the wallet that this browser holds."""
    context, held = context_of(request), wallet_here(request)
    typed = typed_in(await fields_of(request))
    try:
        ticket = await ticket_of(context, text, origin_of(request), typed.mark)
    except NO_TICKET as refusal:
        return no_ticket(request, text, refusal)
    if held is None:
        return go("/w")
    try:
        await run_in_threadpool(add_gift, context, held, ticket.donation_id)
    except (GiftInAnotherWallet, WalletUnknown) as refusal:
        return await ticket_page(request, ticket, Typed(refusal=refusal))
    return go(f"/g/{context.tickets.code(ticket.donation_id)}")
