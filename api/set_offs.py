"""Setting credit off: whoever moves money or closes a statement leaves no credit beside a debt."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from psycopg import Connection

from api.deps import Context
from api.turns import MONEY, one_at_a_time
from ledger.decider import Refused
from ledger.settlements.commands import SetOffCredit
from ledger.settlements.decider import settlement
from projections import follow, statements

LOG = logging.getLogger("donpositif.set_offs")
ACTOR: Final = "settlement"


@contextmanager
def moving_money(context: Context) -> Iterator[None]:
    """Hold the turn of money, and leave credit set off as it then must be."""
    with one_at_a_time(context.pool, MONEY):
        yield
        set_off(context)


def set_off_due(context: Context, partner_id: UUID | None = None) -> int:
    """Set off what no act of an officer's did, of a partner or all; give how much was noted.

    The turn is waited for only where there is something to do.
    """
    with context.pool.connection() as connection:
        catch_up(connection)
        due = statements.to_set_off(connection, partner_id)
    if not due:
        return 0
    with one_at_a_time(context.pool, MONEY):
        return set_off(context)


def catch_up(connection: Connection[Any]) -> None:
    """Bring the statements to the head: what was just recorded counts."""
    pages = follow.Pages(connection)
    while follow.advance(connection, statements.statements, pages, follow.PAGE_EVENTS):
        pass


def set_off(context: Context) -> int:
    """Set off all that is to be, of every partner. Whoever calls it holds the turn of money."""
    with context.pool.connection() as connection:
        catch_up(connection)
        due = statements.to_set_off(connection)
    at = datetime.now(UTC)
    commands = [
        (partner_id, SetOffCredit(at=at, actor=ACTOR, partner_id=partner_id, got=tuple(got)))
        for partner_id, got in due.items()
    ]
    noted = 0
    results = context.ledger.handle_all(settlement, commands)
    for (partner_id, _), result in zip(commands, results, strict=True):
        if isinstance(result, Refused):
            # The act that led here is recorded and stands: one odd partner stops no other.
            LOG.warning("nothing is set off for partner %s: %s", partner_id, result)
        else:
            noted += result.fresh
    return noted
