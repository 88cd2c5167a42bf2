"""Wallets: a secret code that keeps a customer's gifts together, and her standing choice."""

import secrets
from datetime import UTC, datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import candidates
from api.auth import public
from api.ballots import CODE_TYPED_MAX, ticket_of
from api.bodies import body_of, parsed
from api.deps import Context, context_of
from api.guesses import origin_of
from api.intake import Body
from api.openapi import body_schema, refusals, repeated
from api.refusals import UNCACHED
from ledger import wallet_codes
from ledger.wallets import (
    PICKS_MAX,
    AddGift,
    ChoiceNotPublished,
    Kept,
    MakeStandingChoice,
    Opened,
    OpenWallet,
    WalletUnknown,
    WithdrawStandingChoice,
    place,
    wallet,
    wallet_id_of,
)

router = APIRouter(prefix="/api/v1/wallets", tags=["votes"])

BODY_BYTES_MAX: Final = 4_096
ACTOR: Final = "public"
# Projects that a later round may still be about.
LASTING: Final = {"published", "in_round", "granted", "under_way"}

Secret = Annotated[str, Field(min_length=1, max_length=100)]


class WalletOut(Body):
    """A new wallet. Its secret is shown once and kept by nobody else.

    In `url` it is the fragment, which browsers send to nobody: no log anywhere holds it.
    """

    secret: str
    url: str


class WalletIn(Body):
    wallet: Secret


class GiftIn(WalletIn):
    code: Annotated[str, Field(max_length=CODE_TYPED_MAX)]


class ChoiceIn(WalletIn):
    """Project ids, the dearest first: a round that allows fewer picks takes the first ones."""

    picks: Annotated[list[UUID], Field(min_length=1, max_length=PICKS_MAX)]


class ChoiceOut(Body):
    """The standing choice; no pick when there is none."""

    picks: list[UUID]


@router.post("", status_code=201, response_model=WalletOut, responses=refusals(429, 503))
@public()
async def open_one(request: Request) -> Response:
    """Open a wallet."""
    made = await run_in_threadpool(open_wallet, context_of(request), origin_of(request))
    return Response(made.model_dump_json(), 201, UNCACHED, "application/json")


@router.post(
    "/look",
    response_model=ChoiceOut,
    responses=refusals(404, 413, 422, 429, 503),
    openapi_extra=body_schema(WalletIn, secured=False),
)
@public()
async def look(request: Request) -> Response:
    """Tell the standing choice; the secret is in the body, because addresses are written down."""
    body = parsed(WalletIn, await body_of(request, BODY_BYTES_MAX))
    return await answer(request, body.wallet)


@router.post(
    "/gifts",
    status_code=201,
    response_model=ChoiceOut,
    responses=repeated(ChoiceOut) | refusals(404, 409, 413, 422, 429, 503),
    openapi_extra=body_schema(GiftIn, secured=False),
)
@public()
async def add(request: Request) -> Response:
    """Put the gift of a ticket into a wallet. A gift is in one wallet only."""
    context = context_of(request)
    body = parsed(GiftIn, await body_of(request, BODY_BYTES_MAX))
    ticket = await ticket_of(context, body.code, origin_of(request))
    known = await run_in_threadpool(opened, context, body.wallet)
    fresh = await run_in_threadpool(add_gift, context, body.wallet, ticket.donation_id)
    content = ChoiceOut(picks=list(known.picks)).model_dump_json()
    return Response(content, 201 if fresh else 200, UNCACHED, "application/json")


@router.post(
    "/choice",
    response_model=ChoiceOut,
    responses=refusals(404, 413, 422, 429, 503),
    openapi_extra=body_schema(ChoiceIn, secured=False),
)
@public()
async def choose(request: Request) -> Response:
    """Make a standing choice: it holds for gifts without a ballot of their own."""
    body = parsed(ChoiceIn, await body_of(request, BODY_BYTES_MAX))
    context, origin = context_of(request), origin_of(request)
    await run_in_threadpool(make_choice, context, body.wallet, tuple(body.picks), origin)
    return await answer(request, body.wallet)


@router.post(
    "/choice/withdrawal",
    response_model=ChoiceOut,
    responses=refusals(404, 413, 422, 429, 503),
    openapi_extra=body_schema(WalletIn, secured=False),
)
@public()
async def withdraw(request: Request) -> Response:
    """Withdraw the standing choice; ballots that were cast stay."""
    body = parsed(WalletIn, await body_of(request, BODY_BYTES_MAX))
    await run_in_threadpool(withdraw_choice, context_of(request), body.wallet)
    return await answer(request, body.wallet)


async def answer(request: Request, secret: str) -> Response:
    known = await run_in_threadpool(opened, context_of(request), secret)
    content = ChoiceOut(picks=list(known.picks)).model_dump_json()
    return Response(content, 200, UNCACHED, "application/json")


def open_wallet(context: Context, origin: str) -> WalletOut:
    """Open a wallet under a new secret. Raises TooManyAttempts: what is stored stays for ever."""
    context.credentials.attempt("wallet", {"address": origin}, datetime.now(UTC))
    secret = wallet_codes.code_of(secrets.randbelow(wallet_codes.CODES))
    wallet_id = wallet_id_of(secret)
    command = OpenWallet(at=datetime.now(UTC), actor=ACTOR, wallet_id=wallet_id)
    context.ledger.handle(wallet, wallet_id, command)
    return WalletOut(secret=secret, url=link_of(context, secret))


def link_of(context: Context, secret: str) -> str:
    return f"{context.settings.public_url}/w#{secret}"


def id_of(typed: str) -> UUID:
    """Give the wallet of a code as typed, whether or not there is one. Raises MalformedCode."""
    return wallet_id_of(wallet_codes.parse(typed))


def opened(context: Context, secret: str) -> Opened:
    """Give the wallet of a code. Raises MalformedCode, WalletUnknown."""
    known = opened_by_id(context, id_of(secret))
    if known is None:
        raise WalletUnknown
    return known


def opened_by_id(
    context: Context, wallet_id: UUID, before: datetime | None = None
) -> Opened | None:
    """Give a wallet as it is, or as it was before a time."""
    history = context.ledger.history(wallet, wallet_id)
    known = wallet.fold(
        one.event for one in history if before is None or one.event.recorded_at < before
    )
    return known if isinstance(known, Opened) else None


def wallet_of_gift(
    context: Context, donation_id: UUID, before: datetime | None = None
) -> UUID | None:
    """Give the wallet that a gift is in, or was before a time."""
    history = context.ledger.history(place, donation_id)
    kept = place.fold(
        one.event for one in history if before is None or one.event.recorded_at < before
    )
    return kept.wallet_id if isinstance(kept, Kept) else None


def add_gift(context: Context, secret: str, donation_id: UUID) -> bool:
    """Put a gift into a wallet; tell whether it is new there. Raises GiftInAnotherWallet."""
    command = AddGift(
        at=datetime.now(UTC), actor=ACTOR, donation_id=donation_id, wallet_id=id_of(secret)
    )
    return context.ledger.handle(place, donation_id, command).fresh > 0


def make_choice(context: Context, secret: str, picks: tuple[UUID, ...], origin: str) -> None:
    """Make a standing choice. Raises WalletUnknown, ChoiceNotPublished, TooManyAttempts."""
    if picks and opened(context, secret).picks == picks:
        return
    check_lasting(context, picks)
    at, wallet_id = datetime.now(UTC), id_of(secret)
    context.credentials.attempt("standing_choice", {"address": origin}, at)
    command = MakeStandingChoice(at=at, actor=ACTOR, wallet_id=wallet_id, picks=picks)
    context.ledger.handle(wallet, wallet_id, command)


def check_lasting(context: Context, picks: tuple[UUID, ...]) -> None:
    """Refuse a choice of nothing, and one of what no later round can be about."""
    with context.pool.connection() as connection:
        published = candidates.published(connection)
    lasting = [one for one in picks if one in published and published[one].state in LASTING]
    if not picks or len(lasting) < len(picks):
        raise ChoiceNotPublished(picks=[str(one) for one in picks if one not in lasting])


def withdraw_choice(context: Context, secret: str) -> None:
    wallet_id = id_of(secret)
    command = WithdrawStandingChoice(at=datetime.now(UTC), actor=ACTOR, wallet_id=wallet_id)
    context.ledger.handle(wallet, wallet_id, command)
