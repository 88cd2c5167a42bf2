"""What the commands on the foundation do: say its name, show what the ledger knows of it."""

from argparse import Namespace
from datetime import UTC, datetime
from typing import Any

from api.commands import opened, tell
from api.foundation import describe, foundation_of
from ledger.calendar import civil_day
from ledger.foundation import Foundation, SettlementTerms
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
        known = foundation_of(context)
    terms = known.terms_on(civil_day(datetime.now(UTC)))
    tell(asked, facts_of(known, terms), "\n".join(lines_of(known, terms)))
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
