"""A server that may be killed, running at the start of each test."""

from collections.abc import Iterator

import pytest

from tests.faults.servers import OwnServer


@pytest.fixture(scope="session")
def own_server() -> Iterator[OwnServer]:
    server = OwnServer()
    try:
        yield server
    finally:
        server.remove()


@pytest.fixture
def mortal(own_server: OwnServer) -> OwnServer:
    """A running server, whatever the test before did to it."""
    if own_server.running is None:
        own_server.start()
    return own_server
