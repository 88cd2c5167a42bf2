"""The roster says of all accounts at once what each account's own history says."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import UUID

import pytest
from psycopg import Connection
from psycopg_pool import ConnectionPool

from ledger.decider import Refused
from ledger.people import (
    ROLES,
    AccountOpened,
    ChangeRoles,
    DisableAccount,
    EnableAccount,
    OpenAccount,
    Opened,
    PeopleCommand,
    Role,
    RolesChanged,
    account,
)
from ledger.store import Ledger
from projections.roster import Roster

ACCOUNTS = [UUID(int=number) for number in range(1, 9)]
SHOPS = [UUID(int=number) for number in range(101, 104)]


@pytest.fixture
def pool(conninfo: str) -> Iterator[ConnectionPool[Connection[Any]]]:
    with ConnectionPool(conninfo, min_size=1, kwargs={"autocommit": True}) as opened:
        yield opened


def some_command(random: Random) -> PeopleCommand:
    account_id = random.choice(ACCOUNTS)
    who: dict[str, Any] = {
        "at": datetime.now(UTC),
        "actor": "test",
        "account_id": account_id,
    }
    roles: list[Role] = random.sample(ROLES, random.randint(1, 3))
    shops = random.sample(SHOPS, random.randint(1, 2)) if "partner_manager" in roles else []
    given: dict[str, Any] = {"roles": tuple(roles), "partner_ids": tuple(shops)}
    asked: list[PeopleCommand] = [
        OpenAccount(subject_id=account_id, **given, **who),
        ChangeRoles(**given, **who),
        DisableAccount(**who),
        EnableAccount(**who),
    ]
    return random.choice(asked)


def told_one_by_one(ledger: Ledger) -> dict[UUID, Opened]:
    histories = {one: ledger.history(account, one) for one in ACCOUNTS}
    states = {
        one: account.fold(recorded.event for recorded in history)
        for one, history in histories.items()
    }
    return {one: state for one, state in states.items() if isinstance(state, Opened)}


def ever_acted_for(ledger: Ledger, shop: UUID) -> list[UUID]:
    return [
        one
        for one in ACCOUNTS
        if any(
            isinstance(recorded.event, AccountOpened | RolesChanged)
            and shop in recorded.event.partner_ids
            for recorded in ledger.history(account, one)
        )
    ]


@pytest.mark.parametrize("seed", range(3))
def test_it_agrees_with_every_history_after_every_step(
    seed: int, ledger: Ledger, pool: ConnectionPool[Connection[Any]]
) -> None:
    random, living = Random(seed), Roster(pool)
    for _ in range(40):
        command = some_command(random)
        with suppress(Refused):
            ledger.handle(account, command.account_id, command)
        assert living.accounts() == Roster(pool).accounts() == told_one_by_one(ledger)
    expected = told_one_by_one(ledger)
    for roster in (living, Roster(pool)):
        off = [one for one, state in expected.items() if not state.enabled]
        assert sorted(roster.disabled()) == sorted(off)
        for role in ROLES:
            held = {one for one, state in expected.items() if role in state.roles}
            assert set(roster.holding(role)) == held.difference(off)
        for shop in SHOPS:
            acting = [one for one, state in expected.items() if shop in state.partner_ids]
            assert roster.acting_for(shop) == sorted(acting)
            assert roster.acted_for(shop) == ever_acted_for(ledger, shop)
        assert roster.state(UUID(int=999)) is None
