"""Made-up tickets that may vote: whoever tries the village out finds their codes on its page."""

from typing import Any, Final
from uuid import UUID, uuid5

from psycopg import Connection

from api.deps import Context
from ledger.rounds.definition import Definition
from projections import ballots

NAMESPACE: Final = UUID("6b8c4ad1-0a53-5e0b-9f35-1f4f9d2c7e90")
FINISHED, OPEN = uuid5(NAMESPACE, "finished"), uuid5(NAMESPACE, "open")
# The first gifts of the open round's pot are left without a ballot.
TICKETS: Final = 3
# Beyond every position of the feed.
END: Final = 2**53


def silent(_: int) -> None:
    """Tell nobody how far the reading is."""


def gifts_of(connection: Connection[Any], definition: Definition) -> list[UUID]:
    """Give the gifts of a pot that nobody took back, in the order of the feed."""
    pot = definition.pot
    back = ballots.choices(connection, definition, END, silent).reversed_cents
    return [
        gift.donation_id
        for _, gift in ballots.gifts(connection, END, silent)
        if pot.covers(gift.source, gift.partner_id, gift.occurred_on)
        and gift.donation_id not in back
    ]


def tickets(context: Context) -> tuple[str, ...]:
    """Give the codes of a few made-up gifts that may vote in the open round, read once."""
    if context.demonstration_tickets is None:
        context.rounds.refresh()
        known = context.rounds.round(OPEN)
        found: list[UUID] = []
        if known is not None:
            with context.pool.connection() as connection:
                found = gifts_of(connection, known.definition)[:TICKETS]
        context.demonstration_tickets = tuple(map(context.tickets.code, found))
    return context.demonstration_tickets
