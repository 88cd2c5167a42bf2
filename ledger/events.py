"""Every type of event the ledger stores, by the name it is stored under."""

from typing import cast, get_args

from pydantic import ValidationError

from ledger.ambassadors import AmbassadorEvent, CreditGiven
from ledger.ballots import BallotEvent
from ledger.bank.events import BankEvent
from ledger.closes import DayClosed
from ledger.decider import Event
from ledger.donations import DonationEvent
from ledger.foundation import FoundationEvent
from ledger.partners.agreements import AgreementEvent
from ledger.partners.certifications.events import CertificationEvent
from ledger.partners.complaints import ComplaintEvent
from ledger.partners.overdue import OverdueEvent
from ledger.partners.register import RegisterEvent
from ledger.payments.events import PaymentEvent, PayoutEvent, SubscriptionEnded
from ledger.payments.fees import CardFeeSet
from ledger.people import PeopleEvent
from ledger.pledges import PledgeEvent
from ledger.projects.idea_events import IdeaEvent
from ledger.projects.project_events import ProjectEvent
from ledger.remittances import RemittanceEvent
from ledger.rounds.events import RoundEvent
from ledger.settlements.events import SettlementEvent
from ledger.tills import TillEvent
from ledger.wallets import GiftAdded, WalletEvent

AnyEvent = (
    DonationEvent
    | RegisterEvent
    | AgreementEvent
    | CertificationEvent
    | ComplaintEvent
    | TillEvent
    | DayClosed
    | PeopleEvent
    | IdeaEvent
    | ProjectEvent
    | AmbassadorEvent
    | CreditGiven
    | RoundEvent
    | BallotEvent
    | WalletEvent
    | GiftAdded
    | FoundationEvent
    | CardFeeSet
    | SettlementEvent
    | OverdueEvent
    | BankEvent
    | RemittanceEvent
    | PledgeEvent
    | PaymentEvent
    | SubscriptionEnded
    | PayoutEvent
)

EVENT_TYPES: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(AnyEvent)}


class Undecodable(Exception):
    """A stored event that no event type can read: the store was altered or the code is older."""


def encode(event: Event) -> tuple[str, bytes]:
    """Give the name and the JSON bytes an event is stored as; absent values are left out."""
    return type(event).__name__, event.__pydantic_serializer__.to_json(event, exclude_none=True)


def decode(name: str, state: bytes) -> AnyEvent:
    """Give back the event stored under a name. Raises Undecodable."""
    kind = EVENT_TYPES.get(name)
    if kind is None:
        raise Undecodable(f"no event type is called {name}")
    try:
        return cast(AnyEvent, kind.model_validate_json(state))
    except ValidationError as invalid:
        problems = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in invalid.errors())
        raise Undecodable(f"{name}: {'; '.join(problems)}") from invalid
