"""A partner's agreements: signed, amended, ended."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api import admin
from api.deps import context_of
from api.office.desk import Form, Officer
from api.office.partners import carry_out
from ledger.partners.agreements import (
    AmendAgreement,
    EndAgreement,
    SignAgreement,
    agreement,
    agreement_id_of,
)

router = APIRouter(prefix="/office/partners/{partner_id}/agreements", include_in_schema=False)


def terms(form: Form) -> dict[str, Any]:
    """Read what both sides promise; a measure is dropped where the commitment has none."""
    commitment = form.word("commitment")
    return {
        "regime": form.word("regime"),
        "commitment": commitment,
        "basis_points": form.hundredths("share") if commitment == "share_of_sales" else None,
        "cents_per_item": form.hundredths("amount") if commitment == "amount_per_item" else None,
        "charter_version": form.number("charter_version"),
        "valid_until": form.day_or_none("valid_until"),
        "debt_public": True if form.text("debt_public") == "yes" else None,
    }


@router.post("")
async def sign(request: Request, actor: Officer, partner_id: UUID) -> Response:
    ledger = context_of(request).ledger

    def act(form: Form, who: dict[str, Any]) -> None:
        admin.registered(ledger, partner_id)
        number = form.text("number").upper()
        signed_on = form.day("signed_on")
        signed = SignAgreement(
            agreement_id=agreement_id_of(number),
            number=number,
            signed_on=signed_on,
            valid_from=form.day_or_none("valid_from") or signed_on,
            **terms(form),
            **who,
        )
        ledger.handle(agreement, signed.agreement_id, signed)

    return await carry_out(request, actor, partner_id, "signed", act)


@router.post("/{agreement_id}/amendment")
async def amend(request: Request, actor: Officer, partner_id: UUID, agreement_id: UUID) -> Response:
    ledger = context_of(request).ledger

    def act(form: Form, who: dict[str, Any]) -> None:
        amended_on = form.day("amended_on")
        amended = AmendAgreement(
            agreement_id=agreement_id, amended_on=amended_on, **terms(form), **who
        )
        ledger.handle(agreement, agreement_id, amended)

    return await carry_out(request, actor, partner_id, "amended", act)


@router.post("/{agreement_id}/end")
async def end(request: Request, actor: Officer, partner_id: UUID, agreement_id: UUID) -> Response:
    ledger = context_of(request).ledger

    def act(form: Form, who: dict[str, Any]) -> None:
        ended = EndAgreement(
            agreement_id=agreement_id,
            ended_on=form.day("ended_on"),
            ended_by=form.word("ended_by"),
            **who,
        )
        ledger.handle(agreement, agreement_id, ended)

    return await carry_out(request, actor, partner_id, "agreement_ended", act)
