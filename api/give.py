"""Giving online: to the foundation, to a project or to a round; once or each month; by card.

The pages say what a payment is, never more: one on its way is no gift yet.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from fastapi import APIRouter
from psycopg import Connection
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api import cards, checkouts, month_letters
from api.asking import asking
from api.auth import public
from api.checkouts import TooManyTries, Wish
from api.credentials import TooManyAttempts
from api.deps import Context, context_of
from api.forms import foreign, form_of
from api.foundation import card_fee_now
from api.home import PAGE
from api.i18n import Language, language_of
from api.login import address_of, barred
from api.pages import GUARD, PRIVATE, Address, environment, private_page
from api.refusals import FormForeign, name_of, status_of
from api.till import sale_cents_of
from ledger.decider import Refused
from ledger.payments.commands import CardsOff
from ledger.payments.events import Interval, Purpose
from ledger.payments.fees import CardFee, cover_cents, fee_cents
from ledger.stripe_gateway import StripeRefuses, StripeUnavailable
from projections import projects, rounds

router = APIRouter(prefix="/give", include_in_schema=False)

OFFERED_CENTS: Final = (500, 1_000, 2_000, 5_000)
CENTS_MIN: Final = 100
CENTS_MAX: Final = 1_000_000
CHECKOUT: Final = "https://checkout.stripe.com"
ENDED: Final = frozenset({"completed", "abandoned"})
DEFAULTS: Final = {"for": "foundation", "choice": "1000", "interval": "once"}


class AmountMissing(Refused):
    """A gift by card is an amount of 1 to 10,000 euros."""


class PurposeMissing(Refused):
    """This is neither the foundation, nor a project that goes on, nor a round that is open."""


MISTAKES: Final = (AmountMissing, PurposeMissing, TooManyAttempts, TooManyTries)
AWAY: Final = (StripeUnavailable, StripeRefuses, CardsOff)


@dataclass(frozen=True, slots=True)
class Target:
    """What may be given to: `key` is how a form names it."""

    purpose: Purpose
    purpose_id: UUID | None = None
    title: str = ""

    @property
    def key(self) -> str:
        return self.purpose if self.purpose_id is None else f"{self.purpose}:{self.purpose_id}"


def targets(connection: Connection[Any]) -> list[Target]:
    """Give what may be given to: the foundation, the open rounds, the projects that go on."""
    votes = [Target("round", one.round_id, one.title) for one in rounds.opened(connection)]
    going = [
        Target("project", one.project_id, one.document.get("title", ""))
        for one in projects.listed(connection, limit=None)
        if one.state not in ENDED
    ]
    by_title = sorted(going, key=lambda one: (one.title.casefold(), one.key))
    return [Target("foundation"), *votes, *by_title]


def targets_of(context: Context) -> list[Target]:
    with context.pool.connection() as connection:
        return targets(connection)


def words_of(target: Target, language: Language) -> str:
    """Say in the donor's language what Stripe shows beside the amount."""
    module = environment(language).get_template("give/_words.html").module
    return str(module.checkout_words(target))  # type: ignore[attr-defined]


def wish_in(form: Mapping[str, str], found: list[Target], fee: CardFee, language: Language) -> Wish:
    """Read the form; who covers the fee adds the one in force. Raises one of MISTAKES."""
    target = next((one for one in found if one.key == form.get("for")), None)
    if target is None:
        raise PurposeMissing
    cents = cents_in(form)
    interval: Interval = "monthly" if form.get("interval") == "monthly" else "once"
    return Wish(
        purpose=target.purpose,
        purpose_id=target.purpose_id,
        partner_id=None,
        cents=cents,
        fee_cover_cents=cover_cents(fee, cents) if form.get("cover") == "yes" else 0,
        interval=interval,
        words=words_of(target, language),
        language=language,
        cancel_path=Address("/give", {"for": target.key}).written(),
    )


def cents_in(form: Mapping[str, str]) -> int:
    """Give the amount of a form: what was typed, else what was chosen. Raises AmountMissing."""
    typed = form.get("amount", "").strip()
    if typed or form.get("choice") == "other":
        cents = sale_cents_of(typed)
    else:
        cents = next((one for one in OFFERED_CENTS if str(one) == form.get("choice")), None)
    if cents is None or not CENTS_MIN <= cents <= CENTS_MAX:
        raise AmountMissing
    return cents


def form_id_in(form: Mapping[str, str]) -> UUID:
    try:
        return UUID(form.get("form_id", ""))
    except ValueError:
        return uuid4()


@router.api_route("", **PAGE)
@public()
async def ask(request: Request) -> Response:
    """Ask what somebody gives; without a key, say that cards are not taken here."""
    wanted = DEFAULTS | {"for": request.query_params.get("for", "foundation")}
    return await form_page(request, wanted)


async def form_page(
    request: Request, typed: Mapping[str, str], refusal: Refused | None = None
) -> Response:
    context = context_of(request)

    def gathered() -> dict[str, Any]:
        on = cards.taken(context)
        return {
            "on": on,
            "targets": targets_of(context) if on else [],
            "fee": card_fee_now(context),
            "mailed": month_letters.are_sent(context),
        }

    values = await run_in_threadpool(gathered)
    minutes = 0 if refusal is None else refusal.fields.get("retry_minutes", 0)
    values |= {
        "typed": typed,
        "form_id": form_id_in(typed),
        "offered": [(cents, fee_cents(values["fee"], cents)) for cents in OFFERED_CENTS],
        "problem": None if refusal is None else name_of(refusal),
        "minutes": minutes,
    }
    status = 200 if refusal is None else max(422, status_of(refusal))
    here = Address("/give", {"for": typed.get("for", "foundation")})
    page = private_page(request, "give/form.html", values, here, status=status)
    page.headers["Content-Security-Policy"] = policy(context)
    return page


def policy(context: Context) -> str:
    """Let this one form lead on to Stripe: a browser holds a form's answers to the same rule."""
    base = context.settings.stripe_api_base
    elsewhere = CHECKOUT if base is None else "{0.scheme}://{0.netloc}".format(urlsplit(base))
    ours = GUARD["Content-Security-Policy"]
    return ours.replace("form-action 'self'", f"form-action 'self' {elsewhere}")


@router.post("")
@public()
async def begin(request: Request) -> Response:
    """Note what somebody is about to pay, and lead on to Stripe's page."""
    context, form = context_of(request), await form_of(request)
    if foreign(request):
        return barred(request, FormForeign())

    def act() -> str:
        if not cards.taken(context):
            raise CardsOff
        found, fee = targets_of(context), card_fee_now(context)
        wish = wish_in(form, found, fee, language_of(request))
        origins = {"address": address_of(request)}
        context.credentials.attempt("give", origins, cards.now())
        return checkouts.begin(context, form_id_in(form), wish)

    try:
        address = await asking(act)
    except (*MISTAKES, *AWAY) as refusal:
        return await form_page(request, form, refusal)
    return RedirectResponse(address, 303, PRIVATE)
