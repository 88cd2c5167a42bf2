"""Closing a day: what the till counted, compared with what the ledger has counted by then."""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

from starlette.concurrency import run_in_threadpool

from api.deps import Context
from ledger.closes import CloseDay, DayClosed, close, close_id_of
from ledger.store import LedgerUnavailable
from projections import feed, gaps, tills
from projections.admission import AdmittedTill
from projections.chains import Chain
from projections.read_model import as_of
from projections.tills import Day

# The read models follow within a fraction of a second; whoever closes a day waits that long.
BEHIND_SECONDS_MAX: Final = 3.0
LOOK_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Claim:
    """What a till says it gave on a day; the numbers are absent where it numbers none."""

    day: date
    gifts: int
    cents: int
    first_number: int | None = None
    last_number: int | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """What the ledger says of the same day, as of a position of the feed."""

    position: int
    day: Day
    chain: Chain


def head(context: Context) -> int:
    with context.pool.connection() as connection:
        return feed.head(connection)


def counted(context: Context, till_id: UUID, day: date) -> Counted:
    """Read what the ledger has counted of a till's day so far."""
    with context.pool.connection() as connection, connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        position = as_of(connection, "tills", "gaps").position
        return Counted(
            position, tills.day_of(connection, till_id, day), gaps.of_till(connection, till_id)
        )


async def counted_up_to_now(context: Context, till_id: UUID, day: date) -> Counted:
    """Count all that is in the ledger now. Raises LedgerUnavailable when no follower runs."""
    newest = await run_in_threadpool(head, context)
    deadline = time.monotonic() + BEHIND_SECONDS_MAX
    while True:
        found = await run_in_threadpool(counted, context, till_id, day)
        if found.position >= newest:
            return found
        if time.monotonic() > deadline:
            raise LedgerUnavailable("the read models are behind")
        await asyncio.sleep(LOOK_SECONDS)


async def close_day(
    context: Context, till: AdmittedTill, claim: Claim
) -> tuple[DayClosed, Chain, bool]:
    """Record a day's close; tell also what the chain misses, and whether this close is new."""
    so_far = await counted_up_to_now(context, till.till_id, claim.day)
    command = CloseDay(
        at=datetime.now(UTC),
        actor=f"till:{till.till_id}",
        till_id=till.till_id,
        partner_id=till.partner_id,
        day=claim.day,
        gifts=claim.gifts,
        cents=claim.cents,
        first_number=claim.first_number,
        last_number=claim.last_number,
        ledger_gifts=so_far.day.gifts,
        ledger_cents=so_far.day.given_cents,
        ledger_position=so_far.position,
    )
    close_id = close_id_of(till.till_id, claim.day)
    handled = await run_in_threadpool(context.ledger.handle, close, close_id, command)
    return handled.history[-1].event, so_far.chain, handled.fresh > 0
