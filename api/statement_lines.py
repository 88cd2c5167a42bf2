"""What was frozen when a statement was closed: its own record, and its lines as they were."""

from typing import Any
from uuid import UUID

from psycopg import Connection

from api.deps import Context
from ledger.settlements.decider import settlement
from ledger.settlements.lines import Reach, csv_of, digest_of
from ledger.settlements.state import Settlement
from projections import dues
from projections.statements import Statement, reach_before


class LinesDiffer(Exception):
    """The lines of a closed statement are not those that were frozen: the ledger was altered."""


def settlement_of(context: Context, partner_id: UUID) -> Settlement:
    """Read a partner's settlement from its stream, so that what was just done shows."""
    history = context.ledger.history(settlement, partner_id)
    return settlement.fold(recorded.event for recorded in history)


def csv_of_statement(connection: Connection[Any], statement: Statement) -> bytes:
    """Write the lines of a closed statement again, as they were frozen. Raises LinesDiffer."""
    upto = Reach(statement.through_position, statement.last_on)
    before = reach_before(connection, statement)
    csv = csv_of(dues.lines_of(connection, statement.partner_id, before, upto))
    if digest_of(csv) != statement.lines_sha256:
        raise LinesDiffer(statement.statement_id)
    return csv
