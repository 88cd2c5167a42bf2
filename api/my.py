"""A partner's own pages: what it is and why, its gifts, its papers, its people, and its end."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter
from psycopg import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import admin, people
from api.auth import Actor, person_page, require
from api.deps import Context, context_of
from api.forms import form_of
from api.home import PAGE
from api.pages import Address, Values, go
from api.refusals import PartnerNotFound, name_of
from ledger.calendar import LAST_DAY, civil_day
from ledger.decider import Refused
from ledger.partners.certifications.commands import EndCertification
from ledger.partners.certifications.decider import certification
from ledger.partners.certifications.file import CertificationFile
from ledger.partners.deadlines import ENDS_WITHIN
from ledger.partners.register import SetPublicationConsent
from ledger.partners.register import partner as register
from projections import balances, feed, partners, standings, tills
from projections.tills import Day

router = APIRouter(prefix="/my", include_in_schema=False)

Manager = Annotated[Actor, require("partner_manager")]
DAYS: Final = 14
# How far back among the events of the whole village a shop's newest gifts are looked for.
ENTRIES: Final = 3_000
GIFTS_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class Movement:
    """A gift, or one given back, at its place in the feed."""

    position: int
    amount_cents: int
    day: date
    given_back: bool


class NotConfirmed(Refused):
    """What cannot be taken back is confirmed first."""


class DayMalformed(Refused):
    """This is not a day from today on."""


def today_here() -> date:
    return civil_day(datetime.now(UTC))


def check_own(actor: Actor, partner_id: UUID) -> None:
    """Raise PartnerNotFound unless this is a shop of the manager's."""
    if partner_id not in actor.partner_ids:
        raise PartnerNotFound(partner_id=partner_id)


def shop_of(connection: Connection[Any], partner_id: UUID) -> dict[str, Any]:
    """Give a shop with its standing today. Raises PartnerNotFound."""
    partner = partners.one(connection, partner_id)
    standing = standings.answer(connection, partner_id, today_here())
    if partner is None or standing is None:
        raise PartnerNotFound(partner_id=partner_id)
    return {"partner": partner, "standing": standing}


def file_of(context: Context, partner_id: UUID) -> CertificationFile:
    """Give a partner's certification as the ledger holds it now."""
    history = context.ledger.history(certification, partner_id)
    return certification.fold(recorded.event for recorded in history)


def shop_page(
    request: Request, page: str, values: Values, refusal: Refused | None = None
) -> Response:
    """Answer with a page of one shop."""
    problem = None if refusal is None else name_of(refusal)
    shown = {**values, "today": today_here(), "problem": problem}
    here, status = Address(request.url.path), 200 if refusal is None else 422
    return person_page(request, f"my/{page}.html", shown, here, status=status)


@router.api_route("", **PAGE)
async def shops(request: Request, actor: Manager) -> Response:
    context = context_of(request)

    def read() -> list[dict[str, Any]]:
        found = []
        with context.pool.connection() as connection:
            for partner_id in actor.partner_ids:
                try:
                    found.append(shop_of(connection, partner_id))
                except PartnerNotFound:
                    continue  # Its registration is on its way to the read models.
        return found

    values = {"shops": await run_in_threadpool(read)}
    return person_page(request, "my/shops.html", values, Address("/my"))


@router.api_route("/shops/{partner_id}", **PAGE)
async def overview(request: Request, actor: Manager, partner_id: UUID) -> Response:
    check_own(actor, partner_id)
    context = context_of(request)

    def read() -> dict[str, Any]:
        today = today_here()
        with context.pool.connection() as connection:
            shop = shop_of(connection, partner_id)
            facts = standings.facts(connection, partner_id)
            found = tills.of_partner(connection, partner_id)
            figures = balances.figures_of_partner(connection, partner_id)
        return shop | {
            "figures": figures,
            "agreement": None if facts is None else standings.agreement_on(facts, today),
            "tills": found,
            "file": file_of(context, partner_id),
            "granted": facts is not None and bool(facts.grants),
            "consented": admin.registered(context.ledger, partner_id).consented,
            "team": people.team(context, partner_id),
        }

    return shop_page(request, "shop", await run_in_threadpool(read))


@router.api_route("/shops/{partner_id}/gifts", **PAGE)
async def gifts(request: Request, actor: Manager, partner_id: UUID) -> Response:
    check_own(actor, partner_id)
    context = context_of(request)

    def read() -> dict[str, Any]:
        with context.pool.connection() as connection:
            shop = shop_of(connection, partner_id)
            return shop | {
                "figures": balances.figures_of_partner(connection, partner_id),
                "days": days_of(connection, partner_id, today_here()),
                "newest": newest_of(connection, partner_id),
            }

    return shop_page(request, "gifts", await run_in_threadpool(read))


def days_of(connection: Connection[Any], partner_id: UUID, today: date) -> list[Day]:
    """Sum what a shop's tills gave on each of the last days, newest first."""
    owned = tills.of_partner(connection, partner_id)
    found = []
    for ago in range(DAYS):
        day = today - timedelta(days=ago)
        sums = [tills.day_of(connection, one.till_id, day) for one in owned]
        found.append(
            Day(
                day,
                sum(one.gifts for one in sums),
                sum(one.given_cents for one in sums),
                sum(one.reversals for one in sums),
                sum(one.reversed_cents for one in sums),
            )
        )
    return found


def newest_of(connection: Connection[Any], partner_id: UUID) -> list[Movement]:
    """Give a shop's newest gifts and returns, as far as the newest events of the village go.

    Read from the ledger itself: the journal leaves out whose gifts are not to be published.
    """
    page = feed.read(connection, max(0, feed.head(connection) - ENTRIES), ENTRIES)
    if page is None:
        return []
    whose = str(partner_id)
    given = [
        Movement(position, one.amount_cents, date.fromisoformat(one.occurred_on), given_back=False)
        for position, one in zip(page.gift_positions, page.gifts, strict=True)
        if one.partner_id == whose
    ]
    returned = [
        Movement(position, one.amount_cents, date.fromisoformat(one.reversed_on), given_back=True)
        for position, one in zip(page.reversal_positions, page.reversals, strict=True)
        if one.partner_id == whose
    ]
    newest_first = sorted((*given, *returned), key=lambda one: one.position, reverse=True)
    return newest_first[:GIFTS_SHOWN]


@router.post("/shops/{partner_id}/consent")
async def consent(request: Request, actor: Manager, partner_id: UUID) -> Response:
    """Let the shop's own figures be published, or no longer."""
    check_own(actor, partner_id)
    consented = (await form_of(request)).get("consented") == "yes"
    command = SetPublicationConsent(
        at=datetime.now(UTC), actor=str(actor), partner_id=partner_id, consented=consented
    )
    ledger = context_of(request).ledger
    await run_in_threadpool(ledger.handle, register, partner_id, command)
    return go(f"/my/shops/{partner_id}#figures")


async def ending_page(
    request: Request, partner_id: UUID, refusal: Refused | None = None
) -> Response:
    context = context_of(request)

    def read() -> dict[str, Any]:
        with context.pool.connection() as connection:
            shop = shop_of(connection, partner_id)
        return shop | {"file": file_of(context, partner_id), "ends_within": ENDS_WITHIN}

    return shop_page(request, "ending", await run_in_threadpool(read), refusal)


@router.api_route("/shops/{partner_id}/ending", **PAGE)
async def ask_ending(request: Request, actor: Manager, partner_id: UUID) -> Response:
    check_own(actor, partner_id)
    return await ending_page(request, partner_id)


@router.post("/shops/{partner_id}/ending")
async def end(request: Request, actor: Manager, partner_id: UUID) -> Response:
    """End the shop's certification from a day on."""
    check_own(actor, partner_id)
    form, context = await form_of(request), context_of(request)

    def act() -> None:
        if form.get("confirmed") != "yes":
            raise NotConfirmed
        command = EndCertification(
            at=datetime.now(UTC),
            actor=str(actor),
            partner_id=partner_id,
            ended_on=day_from_today(form.get("ended_on", "")),
        )
        context.ledger.handle(certification, partner_id, command)

    refusal = await attempted(act)
    if refusal is not None:
        return await ending_page(request, partner_id, refusal)
    return go(f"/my/shops/{partner_id}/ending")


def day_from_today(text: str) -> date:
    """Read the day of a form. Raises DayMalformed."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise DayMalformed from None
    if not today_here() <= day <= LAST_DAY:
        raise DayMalformed
    return day


async def attempted(act: Callable[[], None]) -> Refused | None:
    """Do what a form asks; give what it was refused for."""
    try:
        await run_in_threadpool(act)
    except Refused as refusal:
        return refusal
    return None
