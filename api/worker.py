"""One worker of the service: serves the application on a socket it inherits."""

import os
import socket
import sys

import uvicorn

from api import lifeline
from api.app import create_app
from api.logs import log_to_stderr
from ledger.db import database
from ledger.settings import Settings

KEEP_ALIVE_SECONDS = 20
DRAIN_SECONDS = 10


def main(listening: int, held: int, settings: Settings) -> None:
    """Serve until told to stop; what was taken is committed and answered first."""
    lifeline.hold(held)
    with database(settings) as conninfo:
        config = uvicorn.Config(
            create_app(settings, conninfo),
            loop="uvloop",
            http="httptools",
            ws="none",
            lifespan="on",
            # An address may hold a ticket code, which no log may know.
            access_log=False,
            log_config=None,
            server_header=False,
            # Nothing here depends on the address of a client, which a proxy would have to tell.
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
        uvicorn.Server(config).run(sockets=[socket.socket(fileno=listening)])


if __name__ == "__main__":
    log_to_stderr()
    main(int(sys.argv[1]), int(sys.argv[2]), Settings.from_environment(os.environ))
