"""The worker of cards: acts upon what the inbox holds, and reconciles with Stripe once a day.

It runs in one process at a time. What it was at when it was killed is still in the inbox, and every
step of it can be repeated.
"""

import logging
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import groupby, islice
from typing import Final

from api import card_reconciling, cards
from api.cards import LOST
from api.deps import Context, open_context
from ledger import inbox
from ledger.decider import Refused
from ledger.inbox import Waiting
from ledger.settings import Settings
from ledger.stripe_gateway import StripeRefuses, StripeUnavailable
from ledger.stripe_reading import NotYet
from projections.follow import connected

LOG = logging.getLogger("donpositif.cards")
LOOK_SECONDS: Final = 0.5
RETRY_SECONDS: Final = 5.0
BATCH: Final = 100
# Stripe is asked about so many objects at once: each answer takes a part of a second.
AT_ONCE: Final = 4
# Any number that nobody else locks.
LOCK: Final = 7_402_118_380


def run(settings: Settings, conninfo: str, stopping: threading.Event) -> None:
    """Work until told to stop; do nothing at all without a key. A lost database is tried again."""
    if settings.stripe_secret_key is None:
        return
    while not stopping.is_set():
        try:
            with alone(conninfo, stopping), open_context(settings, conninfo) as context:
                while not stopping.is_set():
                    look(context, stopping)
        except LOST as lost:
            LOG.warning("the worker of cards lost its database and tries again: %s", lost)
            stopping.wait(RETRY_SECONDS)


@contextmanager
def alone(conninfo: str, stopping: threading.Event) -> Iterator[None]:
    """Wait until no other worker of cards is at it; the lock ends with its connection."""
    with connected(conninfo) as connection:
        while not stopping.is_set():
            row = connection.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,)).fetchone()
            if row is not None and row[0]:
                break
            stopping.wait(LOOK_SECONDS)
        yield


def look(context: Context, stopping: threading.Event) -> None:
    """Act upon what is due. With nothing due, reconcile if it is time, else wait a moment."""
    try:
        if work(context):
            return
        if card_reconciling.due(context):
            card_reconciling.reconcile(context)
            return
    except (StripeUnavailable, StripeRefuses) as refusal:
        # What was at work is noted with its failure, for the office to see.
        LOG.warning("Stripe gives no answer: %s", refusal)
        stopping.wait(RETRY_SECONDS)
        return
    except LOST:
        raise
    except Exception:
        # Whatever is odd about one object, the others' turn comes.
        LOG.exception("the worker of cards met what it does not know, and goes on")
        stopping.wait(RETRY_SECONDS)
        return
    stopping.wait(LOOK_SECONDS)


def work_off(context: Context) -> int:
    """Act upon all that is due now; give how many announcements that were."""
    done = 0
    while count := work(context):
        done += count
    return done


def work(context: Context) -> int:
    """Act upon a batch; give how many announcements it held.

    Several about one object are one question: what is it now? Raises StripeUnavailable once Stripe
    is away, so that not everything waits for it in turn.
    """
    with context.pool.connection() as connection:
        due = inbox.waiting(connection, BATCH)
    foreign = [one.event_id for one in due if one.account is not None]
    if foreign:
        with context.pool.connection() as connection:
            inbox.mark_handled(connection, foreign, "connected_account")
    ours = sorted((one for one in due if one.account is None), key=subject)
    groups = iter([list(group) for _, group in groupby(ours, subject)])
    with ThreadPoolExecutor(AT_ONCE, "cards") as asking:
        while some := list(islice(groups, AT_ONCE)):
            away = [one for one in asking.map(lambda group: handle(context, group), some) if one]
            if away:
                raise away[0]
    return len(due)


def subject(one: Waiting) -> tuple[str, str]:
    return one.object_kind, one.object_id


def handle(context: Context, group: Sequence[Waiting]) -> StripeUnavailable | None:
    """Act upon all announcements about one object; note success, or why there is none."""
    event_ids = [one.event_id for one in group]
    try:
        outcome = cards.apply(context, group[0].object_kind, group[0].object_id)
    except LOST:
        raise
    except Exception as cause:
        with context.pool.connection() as connection:
            inbox.mark_failed(connection, event_ids, f"{type(cause).__name__}: {cause}")
        if isinstance(cause, StripeUnavailable):
            return cause
        if not isinstance(cause, NotYet | Refused):
            LOG.exception("an announcement about %s failed", group[0].object_id)
        return None
    with context.pool.connection() as connection:
        inbox.mark_handled(connection, event_ids, outcome)
    return None
