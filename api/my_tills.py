"""A partner's tills: codes for new devices, what each till's numbers say, and taking one away."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import admin
from api.auth import Actor, person_page, require
from api.deps import Context, context_of
from api.enrolment import Offer, offer_again, offer_till
from api.forms import form_of
from api.home import PAGE
from api.pages import Address, go
from api.refusals import name_of
from ledger.decider import Refused
from ledger.tills import (
    GAP_REASONS,
    ExplainGap,
    GapReversed,
    TillAlreadyEnrolled,
    TillIsRevoked,
    TillNotEnrolled,
    till,
)
from projections import gaps, tills
from projections.chains import Chain
from projections.tills import Close, Till

router = APIRouter(prefix="/my/tills", include_in_schema=False)

Manager = Annotated[Actor, require("partner_manager")]
HERE = Address("/my/tills")
PROBLEMS = (GapReversed, TillAlreadyEnrolled, TillIsRevoked, TillNotEnrolled)


class TillNameMalformed(Refused):
    """A till's name is one line of at most eighty characters."""


class NumbersMalformed(Refused):
    """The numbers of a gap are whole numbers from 1."""


@dataclass(frozen=True, slots=True)
class TillToday:
    """One till as its manager sees it."""

    till: Till
    chain: Chain
    closes: list[Close]


@dataclass(frozen=True, slots=True)
class ShopTills:
    partner_id: UUID
    name: str
    tills: list[TillToday]


def shops_of(context: Context, partner_ids: tuple[UUID, ...]) -> list[ShopTills]:
    """Read the tills of a manager's shops."""
    shops = []
    with context.pool.connection() as connection:
        for partner_id in partner_ids:
            found = [
                TillToday(
                    one,
                    gaps.of_till(connection, one.till_id),
                    tills.closes_of(connection, one.till_id, limit=7),
                )
                for one in tills.of_partner(connection, partner_id)
            ]
            name = context.admission.partner_name(partner_id)
            shops.append(ShopTills(partner_id, name, found))
    return shops


async def tills_page(
    request: Request, actor: Actor, refusal: Refused | None = None, offer: Offer | None = None
) -> Response:
    context = context_of(request)
    shops = await run_in_threadpool(shops_of, context, actor.partner_ids)
    values = {
        "shops": shops,
        "reasons": GAP_REASONS,
        "problem": None if refusal is None else name_of(refusal),
        "offer": offer,
        "address": f"{context.settings.public_url}/till/app#{offer.code}" if offer else "",
        "till_address": f"{context.settings.public_url}/till",
        "now": datetime.now(UTC),
    }
    return person_page(request, "my/tills.html", values, HERE, status=422 if refusal else 200)


@router.api_route("", **PAGE)
async def show(request: Request, actor: Manager) -> Response:
    return await tills_page(request, actor)


@router.post("")
async def offer_new(request: Request, actor: Manager) -> Response:
    """Give out a code for a new till; it is shown once, in the answer."""
    form = await form_of(request)
    name = " ".join(form.get("name", "").split())
    partner_id = own(actor, form.get("partner", ""))
    if partner_id is None:
        return await tills_page(request, actor, TillNotEnrolled())
    context = context_of(request)
    try:
        offer = await run_in_threadpool(offer_till, context, str(actor), partner_id, name)
    except ValidationError:
        return await tills_page(request, actor, TillNameMalformed())
    return await tills_page(request, actor, offer=offer)


def own(actor: Actor, text: str) -> UUID | None:
    """Give the manager's own shop that a form names."""
    return next((one for one in actor.partner_ids if str(one) == text), None)


def owner_of(context: Context, actor: Actor, till_id: UUID) -> UUID:
    """Give the manager's shop to which a till belongs. Raises TillNotEnrolled."""
    history = context.ledger.history(till, till_id)
    if not history or history[0].event.partner_id not in actor.partner_ids:
        raise TillNotEnrolled(till_id=till_id)
    return history[0].event.partner_id


@router.post("/{till_id}/code")
async def offer_existing(request: Request, actor: Manager, till_id: UUID) -> Response:
    """Give out a code by which another device takes this till over."""
    context = context_of(request)

    def give_out() -> Offer:
        return offer_again(context, str(actor), owner_of(context, actor, till_id), till_id)

    try:
        offer = await run_in_threadpool(give_out)
    except PROBLEMS as refusal:
        return await tills_page(request, actor, refusal)
    except ValidationError:  # Its name is from before such names were refused.
        return await tills_page(request, actor, TillNameMalformed())
    return await tills_page(request, actor, offer=offer)


@router.post("/{till_id}/revoke")
async def revoke(request: Request, actor: Manager, till_id: UUID) -> Response:
    """Refuse whatever this till sends from now on."""
    context = context_of(request)

    def take_away() -> None:
        owner_of(context, actor, till_id)
        admin.revoke_till(context.ledger, str(actor), till_id, "taken out of use by its shop")

    try:
        await run_in_threadpool(take_away)
    except PROBLEMS as refusal:
        return await tills_page(request, actor, refusal)
    return go("/my/tills")


@router.post("/{till_id}/gaps")
async def explain(request: Request, actor: Manager, till_id: UUID) -> Response:
    """Say why numbers of this till are missing."""
    form = await form_of(request)
    context = context_of(request)

    def say_why() -> None:
        command = ExplainGap(
            at=datetime.now(UTC),
            actor=str(actor),
            till_id=till_id,
            partner_id=owner_of(context, actor, till_id),
            first_number=int(form.get("first", "")),
            last_number=int(form.get("last", "")),
            # Checked by the command: any other word is not a reason.
            reason=form.get("reason", ""),  # type: ignore[arg-type]
        )
        context.ledger.handle(till, till_id, command)

    try:
        await run_in_threadpool(say_why)
    except PROBLEMS as refusal:
        return await tills_page(request, actor, refusal)
    except (ValueError, ValidationError):
        return await tills_page(request, actor, NumbersMalformed())
    return go("/my/tills")
