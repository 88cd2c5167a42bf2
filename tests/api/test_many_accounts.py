"""A judgement and a shop's page read what they are about, however many accounts there are."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from api.office.desk import committee_people, disabled_people, partner_people
from ledger.people import OpenAccount, account
from ledger.store import Ledger
from ledger.vault import Vault
from tests.api.office import Office, follow_up, now, open_office
from tests.api.people import browser_of
from tests.api.served import Served

OTHERS = 60


@dataclass
class Readings:
    """How often a person's history was read, or her words unsealed."""

    count: int = 0


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> Readings:
    counted = Readings()

    def counting(read: Callable[..., object], *, of_people: bool) -> Callable[..., object]:
        def wrapped(*given: object) -> object:
            counted.count += of_people or given[1] is account
            return read(*given)

        return wrapped

    monkeypatch.setattr(Ledger, "history", counting(Ledger.history, of_people=False))
    monkeypatch.setattr(Vault, "_read", counting(Vault._read, of_people=True))
    return counted


@pytest.fixture
def office(served: Served, conninfo: str) -> Office:
    made = open_office(served)
    follow_up(conninfo)
    return made


def crowd(served: Served, shop: UUID) -> None:
    """Open accounts that act for another shop."""
    for _ in range(OTHERS):
        account_id = uuid4()
        command = OpenAccount(
            at=now(),
            actor="test",
            account_id=account_id,
            subject_id=uuid4(),
            roles=("partner_manager",),
            partner_ids=(shop,),
        )
        served.context.ledger.handle(account, account_id, command)


def test_they_read_nothing_of_anybody_else(office: Office, readings: Readings) -> None:
    served, shop = office.served, office.partner_id
    manager = browser_of(served, "partner_manager", partner_ids=(shop,))

    def read() -> int:
        readings.count = 0
        assert partner_people(served.context, shop)
        assert committee_people(served.context)
        assert disabled_people(served.context) == ()
        for who, path in ((manager, f"/my/shops/{shop}"), (office.officer, office.here)):
            assert who.get(path).status_code == 200
        return readings.count

    alone = read()
    crowd(served, uuid4())
    assert read() == alone
