"""What the tests need of a shop: a partner with a till, and gifts as the till sends them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

from stdnum import luhn

from api.admin import add_partner, enrol_till
from api.demo_life import DECIDED_AFTER, recognise, sanction
from ledger.calendar import VILLAGE
from ledger.store import Ledger, open_ledger

ACTOR = "test"


@dataclass(frozen=True, slots=True)
class Shop:
    """A partner's till, with its key."""

    partner_id: UUID
    till_id: UUID
    key: str

    @property
    def bearer(self) -> dict[str, str]:
        """The headers by which the till is known."""
        return {"Authorization": f"Bearer {self.key}"}


def siret(number: int) -> str:
    """Make a SIRET whose two control digits are right."""
    siren = f"{91_000_000 + number:08d}"
    siren += luhn.calc_check_digit(siren)
    digits = siren + "0001"
    return digits + luhn.calc_check_digit(digits)


def open_shop(
    ledger: Ledger, number: int = 1, *, since: date | None = None, until: date | None = None
) -> Shop:
    """Recognise a partner, active since a year ago unless said otherwise, and enrol its till."""
    valid_from = since or (datetime.now(UTC) - timedelta(days=365)).date()
    name = f"Boulangerie {number}"
    applied_at = datetime.combine(valid_from, time(12), tzinfo=VILLAGE) - DECIDED_AFTER
    partner_id = add_partner(ledger, ACTOR, name, siret(number), at=applied_at)
    recognise(
        ledger,
        partner_id,
        f"2026-{number:03d}",
        applied_at=applied_at,
        valid_from=valid_from,
        valid_until=until,
    )
    enrolled = enrol_till(ledger, ACTOR, partner_id, "Caisse 1")
    return Shop(partner_id, enrolled.till_id, enrolled.key)


def suspend(ledger: Ledger, partner_id: UUID) -> None:
    """Suspend a partner from today on, as two members of the committee do."""
    sanction(ledger, partner_id, "suspend", "statements_overdue", at=datetime.now(UTC))


def shop_in(conninfo: str, number: int = 1) -> Shop:
    """Open a shop as another process would: through a ledger of its own."""
    with open_ledger(conninfo) as ledger:
        return open_shop(ledger, number)


def ago(**parts: float) -> str:
    """Write the moment that lies so far back, as a till does."""
    return (datetime.now(UTC) - timedelta(**parts)).isoformat()


def gift(**changes: Any) -> dict[str, Any]:
    """Make the body of one gift of 40 cents; a change to None leaves the field out."""
    body = {
        "donation_id": str(uuid4()),
        "occurred_at": ago(minutes=1),
        "amount_cents": 40,
        "source": "customer",
    }
    return {name: value for name, value in (body | changes).items() if value is not None}


def reversal(**changes: Any) -> dict[str, Any]:
    """Make the body of one reversal of 10 cents."""
    body = {"reversal_id": str(uuid4()), "amount_cents": 10, "reason": "mistake"}
    return body | changes
