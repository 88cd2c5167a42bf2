"""What is known of one partner, and what it is on a day."""

from collections.abc import Sequence

from ledger.partners.agreements import AgreementEvent
from ledger.partners.certifications.commands import CertificationCommand
from ledger.partners.facts import PartnerFacts, StandingEvent, facts_of
from ledger.partners.register import PartnerRegistered
from ledger.partners.standing import Standing, rule_on, standing
from tests.ledger.partners.papers import NOON, SHOP, agreed, done, on, sign

REGISTERED = PartnerRegistered(
    recorded_at=NOON, actor="console:anne", partner_id=SHOP, name="Bassin", siret="73282932000074"
)


def facts(
    *commands: CertificationCommand, agreements: Sequence[AgreementEvent] | None = None
) -> PartnerFacts:
    """What is known of a registered shop: by default with an agreement without an end."""
    papers = agreed(sign()) if agreements is None else agreements
    events: list[StandingEvent] = [REGISTERED, *papers, *done(*commands)]
    return facts_of(list(enumerate(events, 1)))


def on_day(found: PartnerFacts, day: int) -> Standing:
    return standing(found, on(day), rule_on(on(day)))
