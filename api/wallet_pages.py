"""The customer's wallet: her tickets together, what each became, and her standing choice.

Its code is her only key. It never stands in an address that is sent: she types it into a form, or
her browser keeps it in a cookie. The link and the QR code hold it as a fragment, which browsers
keep to themselves; a script, where there is one, types it from there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import candidates
from api.ambassadors import enrolled
from api.auth import public
from api.ballots import own_picks, read_ticket, ticket_of
from api.credentials import TooManyAttempts
from api.deps import Context, context_of
from api.forms import Fields, fields_of, foreign, form_of
from api.guesses import TooManyCodes, origin_of
from api.home import PAGE
from api.intake import Gift, gift_of
from api.login import barred
from api.outcomes import Outcome, outcome_of
from api.pages import Address, go, private_page
from api.refusals import FormForeign, name_of, status_of
from api.ticket_marks import MARK_MAX
from api.ticket_rounds import rounds_of
from api.tickets import NO_TICKET, uuid_of
from api.wallet_cookie import give_wallet, take_wallet, wallet_here
from api.wallets import (
    LASTING,
    add_gift,
    link_of,
    make_choice,
    open_wallet,
    opened,
    withdraw_choice,
)
from ledger import wallet_codes
from ledger.ambassadors import (
    AmbassadorNotFound,
    DeclareWallet,
    ambassador,
    ambassador_id_of,
)
from ledger.decider import Refused
from ledger.rounds.definition import Definition
from ledger.tickets import MalformedCode
from ledger.wallets import (
    ChoiceNotPublished,
    GiftInAnotherWallet,
    Opened,
    WalletUnknown,
    wallet_id_of,
)
from projections import wallets

router = APIRouter(prefix="/w", include_in_schema=False)

HERE: Final = Address("/w")
GIFTS_MAX: Final = 50
# As many as the form asks for; the ledger takes more from programs.
CHOICES: Final = 3
CODE_TYPED_MAX: Final = 80
MISTAKES: Final = (MalformedCode, WalletUnknown, TooManyCodes)


@dataclass(frozen=True, slots=True)
class Kept:
    """A ticket in the wallet: its gift, its ballot in an open round, or what a round made of it."""

    code: str
    gift: Gift
    shop: str
    open: Definition | None
    picks: tuple[UUID, ...]
    outcome: Outcome | None


@router.api_route("", **PAGE)
@public()
async def show(request: Request) -> Response:
    """Show the wallet that the browser holds, or ask for one's code."""
    return await wallet_page(request)


async def wallet_page(request: Request, refusal: Refused | None = None) -> Response:
    context, code = context_of(request), wallet_here(request)
    if code is None:
        return code_form(request)
    try:
        known = await run_in_threadpool(opened, context, code)
    except WalletUnknown:
        return take_wallet(request, code_form(request))
    values = await run_in_threadpool(gathered, context, code, known)
    values |= {
        "problem": None if refusal is None else {"name": name_of(refusal), **refusal.fields},
        "done": request.query_params.get("done", ""),
    }
    status = 200 if refusal is None else 429 if isinstance(refusal, TooManyAttempts) else 422
    return private_page(request, "vote/wallet.html", values, HERE, status=status)


def gathered(context: Context, code: str, known: Opened) -> dict[str, Any]:
    """Gather a wallet's tickets and choices. Blocks."""
    wallet_id = wallet_id_of(code)
    with context.pool.connection() as connection:
        donation_ids = wallets.gifts(connection, wallet_id, GIFTS_MAX + 1)
        published = candidates.published(connection)
    lasting = [one for one in published.values() if one.state in LASTING]
    titles = {project_id: one.document.get("title", "") for project_id, one in published.items()}
    return {
        "tickets": list(tickets_of(context, donation_ids[:GIFTS_MAX])),
        "more": len(donation_ids) > GIFTS_MAX,
        "gifts_max": GIFTS_MAX,
        "standing": known.picks,
        "titles": titles,
        "offered": sorted(lasting, key=lambda one: one.document.get("title", "").casefold()),
        "choices": range(CHOICES),
    }


def tickets_of(context: Context, donation_ids: list[UUID]) -> Iterator[Kept]:
    at = datetime.now(UTC)
    for donation_id in donation_ids:
        code = context.tickets.code(donation_id)
        ticket, gift = read_ticket(context, code), gift_of(context, donation_id)
        if ticket is None or gift is None:
            continue
        rounds = rounds_of(context, ticket, at)
        chosen = [(one, own_picks(context, ticket, one.terms.round_id)) for one in rounds.open]
        # The first with a ballot, else the first that takes one.
        here, picks = max(chosen, key=lambda one: bool(one[1]), default=(None, ()))
        yield Kept(
            code=code,
            gift=gift,
            shop=context.admission.partner_name(gift.partner_id) or "",
            open=None if here is None else here.definition,
            picks=picks,
            outcome=None if rounds.past is None else outcome_of(context, ticket, rounds.past),
        )


def code_form(
    request: Request, problem: dict[str, Any] | None = None, typed: str = "", status: int = 200
) -> Response:
    values = {"problem": problem, "typed": typed[:CODE_TYPED_MAX]}
    page = private_page(request, "vote/wallet_form.html", values, HERE, status=status)
    if problem is not None and "retry_minutes" in problem:
        page.headers["Retry-After"] = str(problem["retry_minutes"] * 60)
    return page


@router.post("")
@public()
async def take_code(request: Request) -> Response:
    """Open the wallet of a code in this browser. A foreign form could hand her another's."""
    if foreign(request):
        return barred(request, FormForeign())
    typed = (await form_of(request)).get("wallet", "")
    if not typed.strip():
        return code_form(request, {"problem": "missing"}, status=422)
    try:
        code = await run_in_threadpool(known_code, request, typed)
    except MISTAKES as refusal:
        status = 429 if isinstance(refusal, TooManyCodes) else 422
        fields = {"problem": name_of(refusal), **refusal.fields}
        return code_form(request, fields, typed, status)
    return give_wallet(request, go("/w"), code)


def known_code(request: Request, typed: str) -> str:
    """Give the code of a wallet that exists. Raises one of MISTAKES."""
    code = wallet_codes.parse(typed)
    context, origin = context_of(request), origin_of(request)
    with context.guesses.attempt(origin, WalletUnknown):
        opened(context, code)
    return code


@router.post("/new")
@public()
async def ask_opening(request: Request) -> Response:
    """Tell what a wallet is before one is opened, for the ticket that she came from."""
    return opening(request, await form_of(request))


def opening(
    request: Request, form: dict[str, str], refusal: TooManyAttempts | None = None
) -> Response:
    values = {
        "code": form.get("code", "")[:CODE_TYPED_MAX],
        "mark": form.get("opened", "")[:MARK_MAX],
        "minutes": None if refusal is None else refusal.fields["retry_minutes"],
    }
    status = 200 if refusal is None else status_of(refusal)
    return private_page(request, "vote/wallet_new.html", values, HERE, status=status)


@router.post("/open")
@public()
async def open_here(request: Request) -> Response:
    """Open a wallet, put the ticket into it, and show its code this once."""
    if foreign(request):
        return barred(request, FormForeign())
    if wallet_here(request) is not None:
        return go("/w")
    context, form = context_of(request), await form_of(request)
    typed, mark = form.get("code", ""), form.get("opened", "")
    ticket = None
    if typed:
        try:
            ticket = await ticket_of(context, typed, origin_of(request), mark)
        except NO_TICKET:
            ticket = None  # The wallet is opened all the same; the ticket is added by its own page.
    try:
        made = await run_in_threadpool(open_wallet, context, origin_of(request))
    except TooManyAttempts as refusal:
        return opening(request, form, refusal)
    kept = False
    if ticket is not None:
        try:
            kept = await run_in_threadpool(add_gift, context, made.secret, ticket.donation_id)
        except GiftInAnotherWallet:
            kept = False
    code = None if ticket is None else context.tickets.code(ticket.donation_id)
    values = {"wallet": made.secret, "link": link_of(context, made.secret), "kept": kept}
    page = private_page(request, "vote/wallet_secret.html", values | {"code": code}, HERE)
    return give_wallet(request, page, made.secret)


@router.post("/leave")
@public()
async def leave(request: Request) -> Response:
    """Take the wallet from this browser; whoever has its code opens it anywhere."""
    if foreign(request):
        return barred(request, FormForeign())
    return take_wallet(request, go("/w"))


@router.post("/choice")
@public()
async def choose(request: Request) -> Response:
    """Make a standing choice, the dearest project first."""
    context, code = context_of(request), wallet_here(request)
    if foreign(request):
        return barred(request, FormForeign())
    if code is None:
        return go("/w")
    picks = picks_in(await fields_of(request))
    try:
        await run_in_threadpool(make_choice, context, code, picks, origin_of(request))
    except WalletUnknown:
        return go("/w")
    except (ChoiceNotPublished, TooManyAttempts) as refusal:
        return await wallet_page(request, refusal)
    return go("/w?done=chosen")


def picks_in(fields: Fields) -> tuple[UUID, ...]:
    """Read the projects of a form's lists, in the order of the lists, each once."""
    texts = [text for number in range(CHOICES) for text in fields.get(f"pick_{number}", [""])[:1]]
    picks = [uuid_of(text) or UUID(int=0) for text in texts if text]
    return tuple(dict.fromkeys(picks))


@router.post("/choice/withdrawal")
@public()
async def withdraw(request: Request) -> Response:
    context, code = context_of(request), wallet_here(request)
    if foreign(request):
        return barred(request, FormForeign())
    if code is None:
        return go("/w")
    try:
        await run_in_threadpool(withdraw_choice, context, code)
    except WalletUnknown:
        return go("/w")
    return go("/w?done=withdrawn")


@router.post("/ambassador")
@public()
async def declare(request: Request) -> Response:
    """Note that the wallet is an ambassador's own: none of its ballots is credited to her."""
    context, code = context_of(request), wallet_here(request)
    if foreign(request):
        return barred(request, FormForeign())
    if code is None:
        return go("/w")
    typed = "".join((await form_of(request)).get("ambassador", "").split()).upper()
    try:
        await run_in_threadpool(declare_own, context, typed, code)
    except AmbassadorNotFound as refusal:
        return await wallet_page(request, refusal)
    return go("/w?done=declared")


def declare_own(context: Context, typed: str, code: str) -> None:
    """Raises AmbassadorNotFound."""
    ambassador_id = ambassador_id_of(typed)
    enrolled(context, ambassador_id)
    command = DeclareWallet(
        at=datetime.now(UTC),
        actor="public",
        ambassador_id=ambassador_id,
        wallet_id=wallet_id_of(code),
    )
    context.ledger.handle(ambassador, ambassador_id, command)
