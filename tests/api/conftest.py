"""A served application on a fresh database, and a shop that may send it gifts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.settings import Settings
from tests.api.served import Served, serving, settings_in
from tests.api.shops import Shop, open_shop


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path / "home")


@pytest.fixture
def served(settings: Settings, conninfo: str) -> Iterator[Served]:
    with serving(settings, conninfo) as running:
        yield running


@pytest.fixture
def shop(served: Served) -> Shop:
    return open_shop(served.context.ledger)
