"""Letters that must not get lost: noted before they are tried, and kept until one was taken.

One thread of each process sends them, one after another: while a mail server is slow, its letters
wait, and nothing else does.
"""

import logging
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, get_args
from uuid import UUID

from psycopg.rows import class_row

from api.deps import Context
from api.mail import Letter, MailFailed
from ledger.decider import Refused

Kind = Literal[
    "complaint_received",
    "complaint_answered",
    "complaint_closed",
    "committee",
    "account_proposed",
    "account_approved",
    "statement",
    "reminder",
    "enrolment",
    "reset",
    "month",
    "months",
]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
# Whoever notes one of these again, who cannot know that it was sent, does not send it again.
KEPT: Final[frozenset[Kind]] = frozenset({"month", "months"})
LOG = logging.getLogger("donpositif.letters")
# Before that, a letter may still wait for its turn; afterwards the attempt was cut short.
UNDER_WAY: Final = timedelta(minutes=2)
# Longer than a mail server takes for one letter; then another may try.
LEASE: Final = timedelta(minutes=10)
# How long a person waits to hear that her letter failed. It is sent all the same.
PATIENCE_SECONDS: Final = 5.0

NOTE = """
INSERT INTO letter_due (kind, about_id, due_at) VALUES (%(kind)s, %(about)s, %(now)s)
ON CONFLICT (kind, about_id) DO UPDATE
SET due_at = excluded.due_at, tried_at = NULL, sent_at = NULL
WHERE letter_due.sent_at < %(sent_before)s
"""
HOLD = """
UPDATE letter_due SET held_until = %(until)s
WHERE kind = %(kind)s AND about_id = %(about)s AND sent_at IS NULL
  AND (held_until IS NULL OR held_until <= %(now)s)
"""
FAIL = """
UPDATE letter_due SET tried_at = %(now)s, failure = %(failure)s, held_until = NULL
WHERE kind = %(kind)s AND about_id = %(about)s AND held_until = %(until)s
"""
FORGET = """
DELETE FROM letter_due
WHERE kind = %(kind)s AND about_id = %(about)s AND held_until = %(until)s
"""
KEEP = """
UPDATE letter_due SET tried_at = %(now)s, sent_at = %(now)s, failure = NULL, held_until = NULL
WHERE kind = %(kind)s AND about_id = %(about)s AND held_until = %(until)s
"""
NOTED = """
SELECT due_at, tried_at, sent_at, failure FROM letter_due
WHERE kind = %(kind)s AND about_id = %(about)s
"""
UNSENT = """
SELECT kind, about_id, due_at, tried_at, failure FROM letter_due
WHERE kind = ANY(%(kinds)s) AND sent_at IS NULL
  AND (failure IS NOT NULL
       OR (due_at < %(before)s AND (held_until IS NULL OR held_until <= %(now)s)))
  AND (%(about)s::uuid IS NULL OR about_id = %(about)s)
ORDER BY due_at, kind, about_id
"""


@dataclass(frozen=True, slots=True)
class Unsent:
    """A letter that failed, or whose first attempt was cut short: then `failure` is None.

    `about_id` is a complaint's, a statement's, a payment's or a monthly gift's id, or that of the
    account it goes to.
    """

    kind: Kind
    about_id: UUID
    due_at: datetime
    tried_at: datetime | None
    failure: str | None


@dataclass(frozen=True, slots=True)
class Noted:
    """A letter that is due, failed, or was sent and is one of those that stay noted."""

    due_at: datetime
    tried_at: datetime | None
    sent_at: datetime | None
    failure: str | None


class NotWritten(MailFailed):
    """What a letter is written from cannot be read, or its papers cannot be printed."""


def note(context: Context, kind: Kind, about_id: UUID, sent_before: datetime | None = None) -> bool:
    """Note that a letter is due; noted twice, it is sent once. Tell whether it was not before.

    One of KEPT that was sent is due again only if that was before `sent_before`.
    """
    noted = {
        "kind": kind,
        "about": about_id,
        "now": datetime.now(UTC),
        "sent_before": sent_before,
    }
    with context.pool.connection() as connection:
        return connection.execute(NOTE, noted).rowcount > 0


def send(context: Context, kind: Kind, about_id: UUID, write: Callable[[], Letter | None]) -> None:
    """Send a letter that was noted; nothing is left to send where `write` gives None.

    Two at a time send it once. Raises MailFailed if that is known soon: the letter stays noted.
    """
    sending = send_later(context, kind, about_id, write)
    wait([sending], PATIENCE_SECONDS)
    if sending.done():
        sending.result()


def send_later(
    context: Context, kind: Kind, about_id: UUID, write: Callable[[], Letter | None]
) -> Future[None]:
    """Let a letter that was noted be sent, and wait for nothing; the office sees its failure."""

    def tried() -> None:
        try:
            deliver(context, kind, about_id, write)
        except NotWritten:
            LOG.exception("a letter could not be written")
            raise
        except MailFailed as failure:
            LOG.error("a letter could not be sent: %s", failure)  # noqa: TRY400 - a trace tells nothing.
            raise
        except Exception:
            LOG.exception("a letter could not be sent")
            raise

    return context.sender.submit(tried)


def deliver(
    context: Context, kind: Kind, about_id: UUID, write: Callable[[], Letter | None]
) -> None:
    """Hold a letter, write it, hand it to the mail server, and note what came of it.

    Whatever keeps it from being written or sent is noted, for the office to see.
    """
    now = datetime.now(UTC)
    about = {"kind": kind, "about": about_id, "now": now, "until": now + LEASE}
    with context.pool.connection() as connection:
        if connection.execute(HOLD, about).rowcount == 0:
            return
    try:
        letter = written(write)
        if letter is not None:
            context.mail.send(letter)
    except Exception as cause:
        failure = str(cause) if isinstance(cause, MailFailed) else type(cause).__name__
        with context.pool.connection() as connection:
            connection.execute(FAIL, about | {"now": datetime.now(UTC), "failure": failure})
        raise
    done = KEEP if kind in KEPT and letter is not None else FORGET
    with context.pool.connection() as connection:
        connection.execute(done, about | {"now": datetime.now(UTC)})


def noted(context: Context, kind: Kind, about_id: UUID) -> Noted | None:
    """Give what is known of a letter; None for one that is not due, or was sent and forgotten."""
    with context.pool.connection() as connection:
        cursor = connection.cursor(row_factory=class_row(Noted))
        return cursor.execute(NOTED, {"kind": kind, "about": about_id}).fetchone()


def written(write: Callable[[], Letter | None]) -> Letter | None:
    """Write a letter; what is refused is raised as it is. Raises NotWritten."""
    try:
        return write()
    except (MailFailed, Refused):
        raise
    except Exception as cause:
        raise NotWritten(type(cause).__name__) from cause


def unsent(
    context: Context, kinds: tuple[Kind, ...] = KINDS, about_id: UUID | None = None
) -> list[Unsent]:
    """Give the letters of some kinds that could not be sent, the oldest first."""
    now = datetime.now(UTC)
    asked = {"kinds": list(kinds), "about": about_id, "now": now, "before": now - UNDER_WAY}
    with context.pool.connection() as connection:
        cursor = connection.cursor(row_factory=class_row(Unsent))
        return cursor.execute(UNSENT, asked).fetchall()
