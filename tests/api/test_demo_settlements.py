"""The made-up village's money: settled, late, wrong or waiting, each cent of it in its place."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from api import bank_matching
from api.demo import load_demo
from api.demo_settlements import CALLED_CENTS, PAID_CENTS, PAYS_NOTHING, PLEDGED_CENTS, catch_up
from api.deps import Context, open_context
from ledger.calendar import civil_day
from ledger.foundation import DEFAULT_TERMS
from projections import bank, bank_chain, partners, pledges, remittances, statements
from projections.check import check
from tests.api.served import settings_in
from tests.api.stored import stored
from tests.conftest import created

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def loaded(
    server: str,
    maintenance: psycopg.Connection,
    migrated_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Context, str]]:
    """A village that is loaded once, for tests that change nothing of it."""
    settings = settings_in(tmp_path_factory.mktemp("village") / "home")
    with created(maintenance, template=migrated_template) as name:
        conninfo = make_conninfo(server, dbname=name)
        with open_context(settings, conninfo) as context:
            load_demo(context)
            catch_up(context)
            yield context, conninfo


@pytest.fixture
def village(loaded: tuple[Context, str]) -> Context:
    return loaded[0]


@pytest.fixture
def conninfo(loaded: tuple[Context, str]) -> str:
    return loaded[1]


def test_its_money_is_in_every_place_and_nowhere_else(village: Context, conninfo: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        checked = check(connection)
    assert checked.differences == []
    told = checked.whereabouts
    assert told.unexplained_cents == 0
    assert min(told.open_cents, told.on_statements_cents, told.banked_cents) > 0
    assert told.written_off_cents == 0
    today = civil_day(datetime.now(UTC))
    with village.pool.connection() as connection:
        closed = statements.newest(connection)
        names = {one.partner_id: one.name for one in partners.every(connection)}
    settled = [one for one in closed if one.settled_on is not None]
    late = [one for one in closed if one.is_overdue(today)]
    assert len(settled) >= 8
    assert PAYS_NOTHING in {names[one.partner_id] for one in late}
    assert all(one.overdue_noted for one in late)
    for one in late:
        ages = [age for age in DEFAULT_TERMS.reminder_after_days if one.due_on + age * DAY <= today]
        assert one.reminders == len(ages)
    assert [one.write_off is not None for one in closed].count(True) == 1


def test_its_bank_leaves_a_treasurer_something_to_do(village: Context) -> None:
    with village.pool.connection() as connection:
        waiting = bank.open_transactions(connection)
        offered = bank_matching.proposed(village, connection, waiting)
        assert bank_chain.differing(bank_chain.chain(connection)) == []
        assert remittances.waiting(connection) == 1
    assert {match.rule for matches in offered.values() for match in matches} == {"amount_and_iban"}
    assert [] in offered.values()


def test_its_sponsor_has_paid_a_part_of_what_was_called(village: Context) -> None:
    with village.pool.connection() as connection:
        (one,) = pledges.every(connection)
    assert (one.cents, one.called_cents) == (PLEDGED_CENTS, CALLED_CENTS)
    assert one.banked_cents == PAID_CENTS
    assert 0 < one.used_cents <= one.cents


def test_no_letter_of_it_is_sent(village: Context) -> None:
    assert not list(village.settings.home.glob("mail/*"))


def test_loading_it_again_settles_nothing_twice(village: Context, conninfo: str) -> None:
    before = [one.topic for one in stored(conninfo)]
    load_demo(village)
    added = [one.topic for one in stored(conninfo)][len(before) :]
    assert set(added) <= {"DonationRecorded", "DonationReversed"}
