"""The follower of the service: keeps every read model at the head of the feed; clock and cards."""

import os
import signal
import sys
import threading

from api import card_worker, clock, lifeline
from api.logs import log_to_stderr
from ledger.db import database
from ledger.settings import Settings
from projections.every import READ_MODELS
from projections.follow import Follower


def main(held: int, settings: Settings) -> None:
    """Follow until told to stop."""
    lifeline.hold(held)
    with database(settings) as conninfo:
        follower = Follower(conninfo, READ_MODELS)
        for stop in (signal.SIGTERM, signal.SIGINT):
            signal.signal(stop, lambda *_: follower.stop())
        ticking = threading.Thread(
            target=clock.run, args=(settings, conninfo, follower.stopping), name="clock"
        )
        ticking.start()
        paying = threading.Thread(
            target=card_worker.run, args=(settings, conninfo, follower.stopping), name="cards"
        )
        paying.start()
        follower.run()
        ticking.join()
        paying.join()


if __name__ == "__main__":
    log_to_stderr()
    main(int(sys.argv[1]), Settings.from_environment(os.environ))
