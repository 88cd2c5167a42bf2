"""A ledger on a fresh database, for the read models to follow."""

from collections.abc import Iterator

import pytest

from ledger.store import Ledger, open_ledger


@pytest.fixture
def ledger(conninfo: str) -> Iterator[Ledger]:
    with open_ledger(conninfo) as opened:
        yield opened
