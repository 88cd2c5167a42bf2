"""What the commands on the foundation do: say its name, show what the ledger knows of it."""

from argparse import Namespace
from datetime import UTC, datetime
from typing import Any

from api.commands import opened, tell
from api.foundation import card_fee_now, describe, foundation_of
from api.i18n import money, percent
from ledger.calendar import civil_day
from ledger.foundation import Foundation, SettlementTerms
from ledger.payments.fees import CardFee
from ledger.references import in_groups
from ledger.settings import Settings


def describe_foundation(settings: Settings, asked: Namespace) -> int:
    with opened(settings) as context:
        describe(context, asked.actor, asked.name, asked.siret)
        known = foundation_of(context)
    tell(asked, {"name": known.name, "siret": known.siret}, f"{known.name}, SIRET {known.siret}")
    return 0


def show_foundation(settings: Settings, asked: Namespace) -> int:
    with opened(settings) as context:
        known, fee = foundation_of(context), card_fee_now(context)
    terms = known.terms_on(civil_day(datetime.now(UTC)))
    facts = facts_of(known, terms) | {"card_fee": fee.model_dump(mode="json")}
    tell(asked, facts, "\n".join([*lines_of(known, terms), line_of(fee)]))
    return 0


def facts_of(known: Foundation, terms: SettlementTerms) -> dict[str, Any]:
    account = known.account
    return {
        "name": known.name,
        "siret": known.siret,
        "account": None
        if account is None
        else {
            "account_id": str(account.account_id),
            "iban": account.iban,
            "bic": account.bic,
            "holder": account.holder,
        },
        "account_proposed": known.proposal is not None,
        "terms": terms.model_dump(mode="json"),
    }


def lines_of(known: Foundation, terms: SettlementTerms) -> list[str]:
    account = known.account
    said = [f"{known.name}, SIRET {known.siret}" if known.name else "no name yet"]
    said.append(
        "no account yet: two people of the office name it"
        if account is None
        else f"{in_groups(account.iban)}, {account.holder}"
    )
    if known.proposal is not None:
        said.append("another account waits for a second person")
    said.append(
        f"statements each {terms.period.replace('_', ' ')}, closed {terms.close_after_days} days "
        f"after it, due {terms.due_after_days} days later"
    )
    return said


def line_of(fee: CardFee) -> str:
    rate, fixed = percent(fee.rate_per_10_000, "en"), money(fee.fixed_cents, "en")
    return f"a payment by card is said to cost {rate} of it and {fixed}"
