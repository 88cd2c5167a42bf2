"""A statement as CSV: its lines as they were frozen, and what was asked, paid and is left now."""

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from psycopg import Connection

from api.deps import Context
from ledger.settlements.decider import settlement
from ledger.settlements.lines import Reach, csv_of, digest_of
from ledger.settlements.state import Settlement
from projections import dues
from projections.statements import Money, Statement, reach_before

ACCOUNT_HEADER: Final = "kind,day,other_statement,reference,cents"


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


def csv_of_account(statement: Statement, money: Iterable[Money]) -> bytes:
    """Write what a statement asks for, what came in or was set off, and what is left as of now.

    Cents are what the shop owes: money that came is negative, and all rows but the last add up to
    the last. `other_statement` is the number on the other side of a set-off.
    """
    rows = [
        ("asked", statement.closed_on, "", statement.reference, statement.owed_cents),
        *((one.means, one.day, one.other_number or "", "", -one.cents) for one in money),
        ("left", statement.due_on, "", statement.reference, statement.outstanding_cents),
    ]
    lines = [ACCOUNT_HEADER, *(",".join(map(str, row)) for row in rows)]
    return "".join(f"{line}\n" for line in lines).encode()
