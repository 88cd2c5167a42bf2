"""Shops that owe: a statement closed by hand, with one gift of the day on it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from api.admin import registered
from ledger.settlements.commands import CloseStatement, statement_id_of
from ledger.settlements.decider import settlement
from ledger.settlements.events import DaySum, Part
from tests.api.served import Served

TODAY = datetime.now(UTC).date()


def owe(
    served: Served,
    partner_id: UUID,
    cents: int,
    number: int = 1,
    due_on: date = TODAY + timedelta(days=30),
) -> UUID:
    """Close a statement of so many cents, given on the eve; give its id."""
    eve = TODAY - timedelta(days=1)
    told: dict[str, Any] = {"first_on": eve, "last_on": eve, "due_on": due_on}
    part = Part(source="customer", gifts=1, given_cents=cents, reversals=0, reversed_cents=0)
    command = CloseStatement(
        at=datetime.now(UTC),
        actor="test",
        partner_id=partner_id,
        siret=registered(served.context.ledger, partner_id).siret,
        number=number,
        through_position=number,
        lines=1,
        lines_sha256="0" * 64,
        parts=(part,),
        days=(DaySum(day=eve, cents=cents),),
        closed_by="officer",
        **told,
    )
    served.context.ledger.handle(settlement, partner_id, command)
    return statement_id_of(partner_id, number)
