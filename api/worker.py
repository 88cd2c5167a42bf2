"""One worker of the service: serves the application on a socket it inherits."""

import gc
import os
import socket
import sys
from ipaddress import IPv4Network, ip_network

import uvicorn
from fastapi import FastAPI

from api import lifeline
from api.app import create_app
from api.logs import log_to_stderr
from ledger.db import database
from ledger.settings import Settings

KEEP_ALIVE_SECONDS = 20
DRAIN_SECONDS = 10
YOUNG_OBJECTS_MAX = 50_000


class Server(uvicorn.Server):
    """A server that sets its process's garbage collector at rest once it has started."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        spare_what_lives()


def spare_what_lives() -> None:
    """Look no more at objects born at start, which live for ever: a collection is short then."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS_MAX, 50, 100)


def main(listening: int, held: int, settings: Settings) -> None:
    """Serve until told to stop; what was taken is committed and answered first."""
    lifeline.hold(held)
    with database(settings) as conninfo:
        config = config_of(create_app(settings, conninfo), settings)
        Server(config).run(sockets=[socket.socket(fileno=listening)])


def config_of(app: FastAPI, settings: Settings) -> uvicorn.Config:
    """Say how a worker serves the application."""
    return uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        # An address may hold a ticket code, which no log may know.
        access_log=False,
        log_config=None,
        server_header=False,
        # Limits count attempts by the client's address; only a proxy of ours may tell another one.
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=[*settings.trusted_proxies, *mapped(settings.trusted_proxies)],
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )


def mapped(networks: tuple[str, ...]) -> list[str]:
    """Give networks of IPv4 as a socket of IPv6 writes their addresses."""
    found = [ip_network(one) for one in networks]
    return [
        f"::ffff:{one.network_address}/{96 + one.prefixlen}"
        for one in found
        if isinstance(one, IPv4Network)
    ]


if __name__ == "__main__":
    log_to_stderr()
    main(int(sys.argv[1]), int(sys.argv[2]), Settings.from_environment(os.environ))
