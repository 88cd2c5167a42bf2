"""Gifts by card in person: a code to scan at a stand, which leads to a page of Stripe's.

The address is at Stripe, so that it can be paid at even while this service is away.
"""

from typing import Any, Final
from uuid import UUID, uuid4

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.cards import gateway_of, taken
from api.deps import Context
from api.give import PurposeMissing, targets_of, words_of
from api.home import PAGE
from api.i18n import language_of
from api.office.desk import Form, Officer, Reader
from api.office.page import OfficePage
from ledger.payments import stripe_words
from ledger.stripe_gateway import StripeRefuses, StripeUnavailable

router = APIRouter(prefix="/office/cards/links", include_in_schema=False)

RETURN_PATH: Final = "/give/paid?session={CHECKOUT_SESSION_ID}"


def gathered(context: Context) -> dict[str, Any]:
    """Gather the addresses that can be paid at, as Stripe has them now."""
    found = targets_of(context)
    titles: dict[tuple[str, UUID | None], str] = {
        (one.purpose, one.purpose_id): one.title for one in found
    }
    links: list[dict[str, Any]] = []
    away = False
    if context.gateway is not None:
        try:
            for link in context.gateway.links():
                terms = stripe_words.terms_in(link["metadata"])
                if terms is not None:
                    title = titles.get((terms.purpose, terms.purpose_id), "")
                    links.append(
                        {"id": link["id"], "url": link["url"], "terms": terms, "title": title}
                    )
        except (StripeUnavailable, StripeRefuses):
            away = True
    on = taken(context)
    return {"on": on, "targets": found, "links": links, "away": away, "form_id": uuid4()}


LINKS: Final = OfficePage("office/card_links.html", router.prefix, gathered)


@router.api_route("", **PAGE)
async def show(request: Request, _: Reader) -> Response:
    return await LINKS.show(request)


@router.post("")
async def make(request: Request, _: Officer) -> Response:
    """Make an address for a purpose; the same form makes one."""

    def act(context: Context, form: Form) -> None:
        gateway = gateway_of(context)
        wanted = form.text("for")
        target = next((one for one in targets_of(context) if one.key == wanted), None)
        if target is None:
            raise PurposeMissing
        metadata: dict[str, str] = {"purpose": target.purpose}
        if target.purpose_id is not None:
            metadata["purpose_id"] = str(target.purpose_id)
        back = f"{context.settings.public_url}{RETURN_PATH}"
        words = words_of(target, language_of(request))
        gateway.make_link(words, metadata, back, str(form.identifier("form_id")))

    return await LINKS.carry_out(request, "made", act)


@router.post("/{link_id}/end")
async def end(request: Request, _: Officer, link_id: str) -> Response:
    def act(context: Context, _: Form) -> None:
        gateway = gateway_of(context)
        # Of what the account sells besides, nothing is touched.
        if link_id in {link["id"] for link in gateway.links()}:
            gateway.end_link(link_id)

    return await LINKS.carry_out(request, "ended", act)
