"""The clock: closes each round once its deadline is over, whoever sleeps then."""

import logging
import threading

from psycopg import OperationalError
from psycopg_pool import PoolTimeout

from api.deps import open_context
from api.round_steps import close_due
from ledger.committer import Closed, QueueFull
from ledger.settings import Settings
from ledger.store import LedgerUnavailable

LOG = logging.getLogger("donpositif.clock")
LOOK_SECONDS = 5.0


def run(settings: Settings, conninfo: str, stopping: threading.Event) -> None:
    """Look every few seconds until told to stop. A lost database is tried again."""
    while not stopping.is_set():
        try:
            with open_context(settings, conninfo) as context:
                while not stopping.is_set():
                    for round_id in close_due(context):
                        LOG.info("round %s is closed", round_id)
                    stopping.wait(LOOK_SECONDS)
        except (OperationalError, PoolTimeout, LedgerUnavailable, QueueFull, Closed) as lost:
            LOG.warning("the clock lost its database and tries again: %s", lost)
            stopping.wait(LOOK_SECONDS)
