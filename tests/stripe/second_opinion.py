"""Localstripe, another double of Stripe by other people (GPL), as a process of its own.

It lives in an environment of its own, made by `make install-localstripe`; nothing imports it.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.api.served import free_port
from tests.ledger.processes import eventually

PYTHON = Path(__file__).parent / ".localstripe/bin/python"
# Its own start listens to the whole network; the tests listen on the loopback only.
START = """
import sys
from aiohttp import web
from localstripe.server import app
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""


@dataclass(frozen=True, slots=True)
class Localstripe:
    client: httpx.Client


@contextmanager
def localstripe_running() -> Iterator[Localstripe]:
    port = free_port()
    with subprocess.Popen(
        [PYTHON, "-c", START, str(port)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            with httpx.Client(
                base_url=f"http://127.0.0.1:{port}",
                auth=("sk_test_localstripe", ""),
                timeout=30,
            ) as client:
                eventually(lambda: process.poll() is not None or answers(client))
                assert process.poll() is None, "localstripe did not start"
                yield Localstripe(client)
        finally:
            process.terminate()


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/v1/balance").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
