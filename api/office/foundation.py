"""The foundation in the office: its name, its account by two people, its terms, the card fee."""

from typing import Any, Final
from uuid import uuid4

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api import foundation
from api.deps import Context
from api.home import PAGE
from api.office.desk import (
    FieldMalformed,
    Form,
    Judge,
    Officer,
    Reader,
    named,
    today_here,
)
from api.office.page import Act, OfficePage
from api.project_sheet import euros
from ledger.calendar import days_after
from ledger.foundation import PERIODS, SettlementTerms
from ledger.foundation import foundation as decider
from ledger.payments.fees import CardFee, card_fees, fee_on

router = APIRouter(prefix="/office/foundation", include_in_schema=False)

DAYS: Final = ("close_after_days", "due_after_days", "public_after_days")


def gathered(context: Context) -> dict[str, Any]:
    """Gather what the page shows, as the ledger holds it: what was just done shows."""
    of_fees = foundation.card_fee_history(context)
    own, today = foundation.history_of(context), today_here()
    state, fees = decider.fold(own), card_fees.fold(of_fees)
    terms, fee = state.terms_on(today), fee_on(fees, today)
    history = sorted([*own, *of_fees], key=lambda one: one.recorded_at)
    return {
        "foundation": state,
        "terms": terms,
        "later": sorted(
            (one for one in state.terms if one.in_force_from > today),
            key=lambda one: one.in_force_from,
        ),
        "kept": fields_of_terms(terms),
        "fee": fee,
        "fees_later": sorted(
            (one for one in fees if one.in_force_from > today),
            key=lambda one: one.in_force_from,
        ),
        "fee_kept": fields_of_fee(fee),
        "history": [(type(one).__name__, one) for one in reversed(history)],
        "names": named(context, [one.actor for one in history]),
        "periods": PERIODS,
        "proposal_id": uuid4(),
    }


def fields_of_terms(terms: SettlementTerms) -> dict[str, str]:
    """Give terms as the form shows them; new ones start tomorrow unless somebody says otherwise."""
    return {
        **{name: str(getattr(terms, name)) for name in DAYS},
        "in_force_from": days_after(today_here()).isoformat(),
        "period": terms.period,
        "owed_min": euros(terms.owed_min_cents),
        "reminders": ", ".join(map(str, terms.reminder_after_days)),
    }


def fields_of_fee(fee: CardFee) -> dict[str, str]:
    """Give a card fee as the form shows it."""
    return {
        "fee_from": days_after(today_here()).isoformat(),
        "rate": euros(fee.rate_per_10_000),
        "fixed": euros(fee.fixed_cents),
    }


def typed_terms(form: Form) -> SettlementTerms:
    return SettlementTerms(
        in_force_from=form.day("in_force_from"),
        period=form.word("period"),
        owed_min_cents=form.cents("owed_min", zero=True),
        reminder_after_days=typed_reminders(form),
        **{name: form.number(name) for name in DAYS},
    )


def typed_reminders(form: Form) -> tuple[int, ...]:
    """Read days with commas or spaces between them; none is no reminder."""
    words = form.text("reminders").replace(",", " ").replace(";", " ").split()
    if not all(word.isascii() and word.isdigit() and len(word) <= len("365") for word in words):
        raise FieldMalformed(field="reminders")
    return tuple(map(int, words))


def typed_fee(form: Form) -> CardFee:
    return CardFee(
        in_force_from=form.day("fee_from"),
        rate_per_10_000=form.hundredths("rate"),
        fixed_cents=form.cents("fixed", zero=True),
    )


def page(failed: str = "") -> OfficePage:
    """Give the page; a form that failed is named, to say why beside it."""
    return OfficePage(
        "office/foundation.html",
        router.prefix,
        lambda context: gathered(context) | {"failed": failed},
    )


@router.api_route("", **PAGE)
async def show(request: Request, _: Reader) -> Response:
    return await page().show(request)


async def carry_out(request: Request, form: str, act: Act) -> Response:
    """Do what a form asks, and lead back to the page or say why not beside that form."""
    return await page(failed=form).carry_out(request, form, act)


@router.post("/name")
async def describe(request: Request, actor: Officer) -> Response:
    def act(context: Context, form: Form) -> None:
        siret = form.text("siret").replace(" ", "")
        foundation.describe(context, str(actor), form.text("name"), siret)

    return await carry_out(request, "name", act)


@router.post("/account")
async def propose(request: Request, actor: Officer) -> Response:
    def act(context: Context, form: Form) -> None:
        proposal_id = form.identifier("proposal_id")
        account = {name: form.text(name) for name in ("iban", "holder")}
        bic = form.text("bic") or None
        foundation.propose(context, str(actor), proposal_id, bic=bic, **account)

    return await carry_out(request, "account", act)


@router.post("/account/approval")
async def approve(request: Request, actor: Judge) -> Response:
    def act(context: Context, form: Form) -> None:
        proposal_id = form.identifier("proposal_id")
        foundation.approve(context, str(actor), proposal_id, form.text("iban"))

    return await carry_out(request, "approval", act)


@router.post("/account/discard")
async def discard(request: Request, actor: Judge) -> Response:
    def act(context: Context, form: Form) -> None:
        foundation.discard(context, str(actor), form.identifier("proposal_id"))

    return await carry_out(request, "discard", act)


@router.post("/terms")
async def set_terms(request: Request, actor: Officer) -> Response:
    def act(context: Context, form: Form) -> None:
        foundation.set_terms(context, str(actor), typed_terms(form))

    return await carry_out(request, "terms", act)


@router.post("/card-fee")
async def set_card_fee(request: Request, actor: Officer) -> Response:
    def act(context: Context, form: Form) -> None:
        foundation.set_card_fee(context, str(actor), typed_fee(form))

    return await carry_out(request, "fee", act)
