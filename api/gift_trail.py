"""How far a gift has come on its way to the foundation: promised, owed on a statement, banked."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from api.deps import Context
from ledger.donations import DonationRecorded, donation
from ledger.foundation import FOUNDATION_ID
from projections import statements
from projections.statements import Statement


@dataclass(frozen=True, slots=True)
class Trail:
    """`statement` is what the shop was asked to pay the gift by; None while it is on none."""

    promised_on: date
    statement: Statement | None

    @property
    def banked_on(self) -> date | None:
        """Since when the foundation has the gift: its whole statement was remitted then.

        What was written off never came; a statement that was remitted in part does not say whose.
        """
        one = self.statement
        if one is None or one.written_off_cents or one.outstanding_cents > 0:
            return None
        return one.settled_on


def trail_of(context: Context, donation_id: UUID) -> Trail | None:
    """Follow a gift of a till; None for a gift by card, which the foundation gets by itself."""
    history = context.ledger.history(donation, donation_id)
    given = history[0].event if history else None
    if not isinstance(given, DonationRecorded) or given.partner_id == FOUNDATION_ID:
        return None
    with context.pool.connection() as connection:
        found = statements.of_line(
            connection, given.partner_id, history[0].position, given.occurred_on
        )
    return Trail(given.occurred_on, found)
