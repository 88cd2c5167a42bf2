"""The clock: does what is due by itself, whoever sleeps then. Any of its duties may be repeated."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from psycopg import OperationalError
from psycopg_pool import PoolTimeout

from api import bank_matching, dunning, pledges, set_offs, settling
from api.deps import Context, open_context
from api.round_steps import close_due
from ledger.committer import Closed, QueueFull
from ledger.settings import Settings
from ledger.store import LedgerUnavailable

LOG = logging.getLogger("donpositif.clock")
LOOK_SECONDS: Final = 5.0
# What says that the database is away: then no duty can be done, and all are tried again.
LOST: Final = (OperationalError, PoolTimeout, LedgerUnavailable, QueueFull, Closed)


@dataclass(frozen=True, slots=True)
class Duty:
    """Something done every so often. It finds out by itself what is due, and does it once."""

    name: str
    every_seconds: float
    act: Callable[[Context], object]


def close_rounds(context: Context) -> None:
    for round_id in close_due(context):
        LOG.info("round %s is closed", round_id)


DUTIES: Final = (
    Duty("rounds", LOOK_SECONDS, close_rounds),
    Duty("statements", 60.0, settling.close_due),
    # A statement may be closed after its money came.
    Duty("matching", 300.0, bank_matching.match_certain),
    Duty("set offs", 60.0, set_offs.set_off_due),
    Duty("overdue", 60.0, dunning.note_overdue),
    Duty("reminders", 600.0, dunning.remind_due),
    Duty("pledges", 60.0, pledges.use_due),
)


@dataclass(slots=True)
class Round:
    """When each duty was done last, by a clock that nobody sets."""

    duties: tuple[Duty, ...] = DUTIES
    done_at: dict[str, float] = field(default_factory=dict)

    def go(self, context: Context, now: float) -> None:
        """Do every duty whose time has come. One that fails stops no other, and comes again."""
        for duty in self.duties:
            if now - self.done_at.get(duty.name, float("-inf")) < duty.every_seconds:
                continue
            self.done_at[duty.name] = now
            try:
                duty.act(context)
            except LOST:
                raise
            except Exception:
                LOG.exception("the duty %s failed and is tried again", duty.name)


def run(settings: Settings, conninfo: str, stopping: threading.Event) -> None:
    """Look every few seconds until told to stop. A lost database is tried again."""
    rounds = Round()
    while not stopping.is_set():
        try:
            with open_context(settings, conninfo) as context:
                while not stopping.is_set():
                    rounds.go(context, time.monotonic())
                    stopping.wait(LOOK_SECONDS)
        except LOST as lost:
            LOG.warning("the clock lost its database and tries again: %s", lost)
            stopping.wait(LOOK_SECONDS)
