"""A statement of a large shop: from the feed to its frozen lines, and to the paper it becomes."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import uuid4

from api import settling, statement_documents
from api.deps import Context, open_context
from benchmarks.ground import Ground, Till, village
from benchmarks.history import fill
from benchmarks.measure import Baseline, Figure, at_most, compared, interleaved, ratio_at_most
from ledger.foundation import (
    FOUNDATION_ID,
    ApproveCollectionAccount,
    DescribeFoundation,
    ProposeCollectionAccount,
    foundation,
)
from ledger.store import Ledger
from projections import statements
from projections.every import READ_MODELS
from projections.follow import catch_up

FEW, MANY = 5_000, 50_000
ROUNDS = 3
SECONDS_MAX = 5
IBAN = "FR7630006000011234567890189"


class Taken(NamedTuple):
    """What one statement took: to close it, and to print it with its lines inside."""

    closed: float
    printed: float


def measure(ground: Ground) -> Iterator[Figure]:
    """Take statements of fifty thousand gifts beside those of a tenth, each of its own shop."""
    rounds = 1 if ground.pace.quick else ROUNDS
    conninfo = ground.database("statements")
    tills = village(conninfo, 2 * rounds)
    few, many = tills[:rounds], tills[rounds:]
    first = 0
    for till, gifts in [*((one, FEW) for one in few), *((one, MANY) for one in many)]:
        fill(conninfo, [till], gifts, first)
        first += gifts
    with open_context(ground.settings, conninfo) as context:
        name_account(context.ledger)
        catch_up(conninfo, READ_MODELS)
        subjects = {
            "few": lambda: taken(context, conninfo, few.pop(), FEW),
            "many": lambda: taken(context, conninfo, many.pop(), MANY),
        }
        found = interleaved(rounds, subjects)
    beside = f"of {FEW:,} gifts"
    yield compared(
        f"a statement of {MANY:,} gifts, closed",
        "s",
        [one.closed for one in found["many"]],
        Baseline(beside, [one.closed for one in found["few"]]),
        at_most(SECONDS_MAX),
    )
    yield compared(
        "the same, printed with its lines",
        "s",
        [one.printed for one in found["many"]],
        Baseline(beside, [one.printed for one in found["few"]]),
        ratio_at_most(15),
    )


def name_account(ledger: Ledger) -> None:
    one, other = (f"account:{uuid4()}" for _ in range(2))
    who: dict[str, Any] = {"at": datetime.now(UTC), "actor": one}
    fields: dict[str, Any] = {"proposal_id": uuid4(), "iban": IBAN}
    for command in (
        DescribeFoundation(name="Fondation", siret="73282932000074", **who),
        ProposeCollectionAccount(holder="Fondation", **fields, **who),
        ApproveCollectionAccount(**fields, **who | {"actor": other}),
    ):
        ledger.handle(foundation, FOUNDATION_ID, command)


def taken(context: Context, conninfo: str, till: Till, lines: int) -> Taken:
    catch_up(conninfo, READ_MODELS)
    started_at = time.perf_counter()
    closed = settling.close_now(context, "bench", till.partner_id)
    closed_at = time.perf_counter()
    assert closed.lines == lines
    catch_up(conninfo, READ_MODELS)
    with context.pool.connection() as connection:
        found = statements.one(connection, closed.statement_id)
    assert found is not None
    printing_at = time.perf_counter()
    statement_documents.pdf_of(context, found, "fr")
    return Taken(closed_at - started_at, time.perf_counter() - printing_at)
