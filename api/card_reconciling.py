"""The daily reconciliation: what Stripe says happened is held against what was announced here.

Events that never came are stored as if they had, and acted upon as all others; every payout is read
again with its lines, and what they name that the ledger does not know is asked for. What then still
differs is told by `projections/payouts.py`, item by item.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final

from psycopg.rows import class_row

from api import cards
from api.deps import Context
from ledger import inbox, stripe_reading
from ledger.decider import Refused
from ledger.inbox import Announced
from ledger.payments.events import LineKind
from ledger.payments.stripe_words import ForeignCurrency
from ledger.stripe_gateway import Gateway, ObjectUnknown, StripeRefuses, StripeUnavailable
from ledger.stripe_reading import NotYet
from projections import payouts
from projections.payouts import Source

LOG = logging.getLogger("donpositif.cards")
EVERY: Final = timedelta(hours=24)
# After a failure, sooner.
AGAIN: Final = timedelta(minutes=30)
# Stripe keeps its events for so long.
REACH: Final = timedelta(days=30)
# Events may be listed a little after they were made.
OVERLAP: Final = timedelta(hours=2)
# A payout may fail days after it was paid.
PAYOUTS_BACK: Final = timedelta(days=10)
PAGE: Final = 100
# How the inbox names what no event told of.
LISTED: Final = "listed"
# What a line of a payout names, by its kind; of fees and adjustments there is nothing to ask.
SOURCES: Final[Mapping[LineKind, Source]] = {
    "charge": "charge",
    "refund": "refund",
    "dispute": "dispute",
    "dispute_reversal": "dispute",
}

BEGIN = """
INSERT INTO card_reconciliation (begun_at, listed_from) VALUES (%(begun_at)s, %(listed_from)s)
RETURNING reconciliation_id
"""
END = """
UPDATE card_reconciliation
SET ended_at = clock_timestamp(), listed_to = %(listed_to)s, events = %(events)s,
    missing = %(missing)s, payouts = %(payouts)s, failure = %(failure)s
WHERE reconciliation_id = %(reconciliation_id)s
"""
NEWEST = """
SELECT reconciliation_id, begun_at, ended_at, listed_from, listed_to, events, missing, payouts,
       failure
FROM card_reconciliation
WHERE ended_at IS NOT NULL AND (%(whole)s IS FALSE OR failure IS NULL)
ORDER BY reconciliation_id DESC LIMIT 1
"""

Progress = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """One that ended. `missing` of its events had never been announced here.

    `listed_to` is Stripe's own time of the newest event that it, or one before it, listed.
    """

    reconciliation_id: int
    begun_at: datetime
    ended_at: datetime
    listed_from: datetime
    listed_to: datetime | None
    events: int
    missing: int
    payouts: int
    failure: str | None


@dataclass(slots=True)
class Found:
    """What one reconciliation has found so far; `listed_to` is by Stripe's clock."""

    listed_to: datetime | None = None
    events: int = 0
    missing: int = 0
    payouts: int = 0


def newest(context: Context, *, whole: bool = False) -> Reconciliation | None:
    """Give the last reconciliation, or the last one that went through."""
    with context.pool.connection() as connection:
        cursor = connection.cursor(row_factory=class_row(Reconciliation))
        return cursor.execute(NEWEST, {"whole": whole}).fetchone()


def due(context: Context) -> bool:
    last = newest(context)
    if last is None:
        return True
    wait = EVERY if last.failure is None else AGAIN
    return datetime.now(UTC) - last.ended_at > wait


def reconcile(context: Context, progress: Progress = lambda _: None) -> Found:
    """List what happened since the last whole reconciliation. Raises what Stripe refuses.

    `progress` is told how many events and payouts were looked at since it was last told.
    """
    gateway = cards.gateway_of(context)
    begun_at = datetime.now(UTC)
    last = newest(context, whole=True)
    listed_to = None if last is None else last.listed_to
    # Where the last listing ended, by Stripe's clock: ours may be wrong.
    since = begun_at - REACH if listed_to is None else listed_to - OVERLAP
    with context.pool.connection() as connection:
        row = connection.execute(BEGIN, {"begun_at": begun_at, "listed_from": since}).fetchone()
        assert row is not None  # noqa: S101 - it was just made.
        inbox.forget_old(connection)
    found = Found(listed_to)
    failure: str | None = None
    try:
        take_events(context, gateway.events_since(since), found, progress)
        for payout_id in stripe_reading.payouts_since(gateway, since - PAYOUTS_BACK):
            take_payout(context, gateway, payout_id)
            found.payouts += 1
            progress(1)
    except Exception as cause:
        failure = f"{type(cause).__name__}: {cause}"
        raise
    finally:
        ended = {
            "listed_to": found.listed_to,
            "events": found.events,
            "missing": found.missing,
            "payouts": found.payouts,
            "failure": failure,
            "reconciliation_id": row[0],
        }
        with context.pool.connection() as connection:
            connection.execute(END, ended)
    return found


def take_events(
    context: Context, listed: Iterator[Announced], found: Found, progress: Progress
) -> None:
    while page := list(islice(listed, PAGE)):
        with context.pool.connection() as connection:
            found.missing += inbox.store(connection, page, "listing")
        found.events += len(page)
        made = [one.created_at for one in page]
        found.listed_to = max(made if found.listed_to is None else [found.listed_to, *made])
        progress(len(page))


def take_payout(context: Context, gateway: Gateway, payout_id: str) -> None:
    """Read a payout again; one that Stripe is not done with comes with the next reconciliation.

    What cannot be noted waits in the inbox as if it had been announced: there it is tried again,
    and its failure seen, while the other payouts are read.
    """
    try:
        seen = cards.note_payout(context, gateway, payout_id)
    except (NotYet, ObjectUnknown):
        return
    except (*cards.LOST, StripeUnavailable, StripeRefuses):
        raise
    except Exception as cause:
        if not isinstance(cause, ForeignCurrency | Refused):
            LOG.exception("the payout %s cannot be noted", payout_id)
        put(context, [("payout", payout_id)])
        return
    named = {(SOURCES[one.kind], one.source_id) for one in seen.lines if one.kind in SOURCES}
    with context.pool.connection() as connection:
        unknown = payouts.unknown(connection, sorted(named))
    put(context, unknown)


def put(context: Context, objects: Iterable[tuple[str, str]]) -> None:
    """Let the worker ask what became of some objects, each under its own id."""
    at = datetime.now(UTC)
    told = [Announced(one, LISTED, kind, one, at) for kind, one in objects]
    with context.pool.connection() as connection:
        inbox.store(connection, told, "listing")
