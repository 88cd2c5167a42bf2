"""The documents of a statement: its PDF, for people and programs, and the receipt of payments."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, time
from io import BytesIO
from typing import Any, Final

import segno
import typst
from markupsafe import Markup

from api import admin
from api.deps import Context
from api.foundation import foundation_of
from api.i18n import Language
from api.pages import ROOM, environment
from api.statement_lines import csv_of_statement
from ledger import epc
from ledger.calendar import civil_day
from ledger.foundation import Foundation
from ledger.partners.register import Registered
from ledger.references import in_groups
from projections import statements
from projections.statements import Statement

TEMPLATES: Final = ROOM / "templates" / "statement"
# PDF/A-3 may carry the lines themselves; UA-1 is read aloud.
STANDARDS: Final = ("a-3a", "ua-1")


@dataclass(frozen=True, slots=True)
class Payment:
    """How to pay what is left of a statement; `text` is what its QR code says (EPC069-12)."""

    name: str
    iban: str
    bic: str | None
    cents: int
    reference: str
    text: str


@dataclass(frozen=True, slots=True)
class Shop:
    """A partner as its papers name it: its sign, then who it is by law and where."""

    name: str
    lines: tuple[str, ...]
    siret: str


def payment_of(own: Foundation, one: Statement) -> Payment | None:
    """Say how to pay what is left; None when nothing is, or no account is named."""
    account, cents = own.account, one.outstanding_cents
    if account is None:
        return None
    try:
        text = epc.credit_transfer(account.holder, account.iban, account.bic, cents, one.reference)
    except epc.NotPayable:
        return None
    iban, reference = in_groups(account.iban), in_groups(one.reference)
    return Payment(account.holder, iban, account.bic, cents, reference, text)


def code_of(payment: Payment) -> segno.QRCode:
    """Make the code of a payment: level M, version 13 at most, and UTF-8 as its text says."""
    return segno.make(payment.text, error="m", encoding="utf-8", boost_error=False, micro=False)


def qr_of(payment: Payment) -> str:
    out = BytesIO()
    code_of(payment).save(out, kind="svg", border=4, dark="#000", light="#fff")
    return out.getvalue().decode()


def qr_inline(payment: Payment, title: str) -> Markup:
    """Draw the code of a payment into a page: dark on light in any scheme."""
    drawn = code_of(payment).svg_inline(
        border=4, dark="#000", light="#fff", svgclass="qr", omitsize=True, title=title
    )
    return Markup(drawn)  # noqa: S704 - segno escapes the title and draws the rest.


def shop_of(shop: Registered) -> Shop:
    described = shop.description
    lines = () if described is None else (described.legal_name, described.place)
    name = shop.sign
    return Shop(name, tuple(line for line in lines if line and line != name), shop.siret)


def folder_of(one: Statement) -> str:
    """Give the address of all statements among their partner's own pages."""
    return f"/my/shops/{one.partner_id}/statements"


def path_of(one: Statement) -> str:
    """Give the address of a statement among its partner's own pages."""
    return f"{folder_of(one)}/{one.number}"


def file_name(one: Statement, ending: str, kind: str = "bordereau") -> str:
    return f"{kind}-{one.number:04d}-{one.last_on}.{ending}"


def pdf_of(context: Context, one: Statement, language: Language) -> bytes:
    """Print a statement, with its lines inside; what is left to pay is as of now."""
    own = foundation_of(context)
    with context.pool.connection() as connection:
        csv = csv_of_statement(connection, one)
        money = statements.money_of(connection, one.statement_id)
        days = statements.days_of(connection, one.statement_id)
    payment = payment_of(own, one)
    said = {
        "own": own,
        "shop": shop_of(admin.registered(context.ledger, one.partner_id)),
        "statement": one,
        "money": money,
        "days": days,
        "payment": payment,
        "qr": "" if payment is None else qr_of(payment),
        "csv_name": file_name(one, "csv"),
    }
    return printed("document", said, language, one, {"csv": csv.decode()})


def receipt_of(context: Context, one: Statement, language: Language) -> bytes:
    """Print what came in for a statement so far."""
    with context.pool.connection() as connection:
        money = statements.money_of(connection, one.statement_id)
    said = {
        "own": foundation_of(context),
        "shop": shop_of(admin.registered(context.ledger, one.partner_id)),
        "statement": one,
        "money": money,
        "reference": in_groups(one.reference),
        "today": civil_day(datetime.now(UTC)),
    }
    return printed("receipt", said, language, one, {})


def printed(
    name: str, said: dict[str, Any], language: Language, one: Statement, more: dict[str, str]
) -> bytes:
    """Set a document: what it says is written in one template, how it looks in another."""
    says = environment(language).get_template(f"statement/{name}.txt").render(said)
    json.loads(says)  # A template that is no JSON fails here, not as a puzzle in the layout.
    return typst.compile(
        (TEMPLATES / f"{name}.typ").read_bytes(),
        ignore_system_fonts=True,
        sys_inputs={"says": says, **more},
        pdf_standards=list(STANDARDS),
        timestamp=datetime.combine(one.closed_on, time.min, UTC),
    )
