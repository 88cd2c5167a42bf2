"""The journal names a shop with its gifts only while the shop lets its figures be published."""

import random
from datetime import UTC, datetime

import psycopg
import pytest

from ledger.calendar import civil_day
from ledger.closes import CloseDay, close, close_id_of
from ledger.donations import donation
from ledger.partners.register import SetPublicationConsent, partner
from ledger.store import Ledger
from projections import follow, journal
from projections.check import check
from projections.every import READ_MODELS
from projections.follow import catch_up
from projections.journal import WHOSE, Public
from projections.rebuild import rebuild
from tests.api.shops import ACTOR, Shop, open_shop
from tests.projections.village import a_gift, its_reversal, rows

MODELS = {"journal": READ_MODELS["journal"]}
DICE = random.Random(8)


def consent(ledger: Ledger, shop: Shop, *, given: bool) -> None:
    command = SetPublicationConsent(
        at=datetime.now(UTC), actor=ACTOR, partner_id=shop.partner_id, consented=given
    )
    ledger.handle(partner, shop.partner_id, command)


def give(ledger: Ledger, shop: Shop) -> None:
    """Give, and give a part of it back."""
    one = a_gift(shop, DICE)
    ledger.handle(donation, one.donation_id, one)
    ledger.handle(donation, one.donation_id, its_reversal(one, DICE))


def close_today(ledger: Ledger, shop: Shop, gifts: int) -> None:
    at = datetime.now(UTC)
    command = CloseDay(
        at=at,
        actor=ACTOR,
        till_id=shop.till_id,
        partner_id=shop.partner_id,
        day=civil_day(at),
        gifts=gifts,
        cents=0,
        ledger_gifts=0,
        ledger_cents=0,
        ledger_position=0,
    )
    ledger.handle(close, close_id_of(shop.till_id, command.day), command)


@pytest.fixture
def shop(ledger: Ledger) -> Shop:
    return open_shop(ledger)


def told(conninfo: str, *kinds: str) -> list[Public]:
    with psycopg.connect(conninfo) as connection:
        entries = journal.page(connection, before=None, limit=1_000)
    return [entry.public for entry in reversed(entries) if entry.kind in kinds]


def named(conninfo: str) -> list[bool]:
    """Tell of each gift, in their order, whether its lines name the shop."""
    gifts = told(conninfo, "DonationRecorded")
    backs = told(conninfo, "DonationReversed")
    found = [[bool(WHOSE & one.keys()) for one in lines] for lines in (gifts, backs)]
    assert found[0] == found[1]
    return found[0]


@pytest.mark.parametrize("events", [1, 2, 1_000])
def test_a_gift_names_its_shop_by_the_consent_at_its_position(
    ledger: Ledger, shop: Shop, conninfo: str, monkeypatch: pytest.MonkeyPatch, events: int
) -> None:
    monkeypatch.setattr(follow, "PAGE_EVENTS", events)
    for given in (True, False, False, True, False):
        consent(ledger, shop, given=given)
        give(ledger, shop)
    catch_up(conninfo, MODELS)
    assert named(conninfo) == [True, False, False, True, False]


def test_what_was_published_stays_and_what_was_not_is_not_made_up_for(
    ledger: Ledger, shop: Shop, conninfo: str
) -> None:
    give(ledger, shop)
    catch_up(conninfo, MODELS)
    consent(ledger, shop, given=False)
    give(ledger, shop)
    catch_up(conninfo, MODELS)
    assert named(conninfo) == [True, False]
    consent(ledger, shop, given=True)
    catch_up(conninfo, MODELS)
    assert named(conninfo) == [True, False]


def test_a_consent_is_of_one_shop_alone(ledger: Ledger, shop: Shop, conninfo: str) -> None:
    other = open_shop(ledger, 2)
    consent(ledger, shop, given=False)
    for one in (shop, other, shop):
        give(ledger, one)
    catch_up(conninfo, MODELS)
    assert named(conninfo) == [False, True, False]


def test_an_unnamed_line_says_when_and_how_much_and_no_more(
    ledger: Ledger, shop: Shop, conninfo: str
) -> None:
    consent(ledger, shop, given=False)
    give(ledger, shop)
    catch_up(conninfo, MODELS)
    (gift,) = told(conninfo, "DonationRecorded")
    (back,) = told(conninfo, "DonationReversed")
    assert gift.keys() == {"source", "amount_cents", "occurred_on"}
    assert back.keys() == {"source", "amount_cents", "reason", "reversed_on"}


def test_a_closed_day_does_not_tell_whose_gifts_stand_before_it(
    ledger: Ledger, shop: Shop, conninfo: str
) -> None:
    for given in (True, False):
        consent(ledger, shop, given=given)
        close_today(ledger, shop, gifts=int(given))
    catch_up(conninfo, MODELS)
    first, second = told(conninfo, "DayClosed")
    assert first["partner_id"] == str(shop.partner_id)
    assert second.keys() == {"day"}


def test_a_rebuild_gives_the_same_lines_and_the_check_agrees(
    ledger: Ledger, shop: Shop, conninfo: str
) -> None:
    other = open_shop(ledger, 2)
    for given in (True, False, True, False):
        consent(ledger, shop, given=given)
        consent(ledger, other, given=not given)
        for one in (shop, other):
            give(ledger, one)
        catch_up(conninfo, READ_MODELS)
    lived = rows(conninfo, MODELS)
    rebuild(conninfo, MODELS)
    assert rows(conninfo, MODELS) == lived
    with psycopg.connect(conninfo, autocommit=True) as connection:
        assert check(connection).differences == []


def test_the_check_finds_a_name_that_should_not_be_there(
    ledger: Ledger, shop: Shop, conninfo: str
) -> None:
    consent(ledger, shop, given=False)
    give(ledger, shop)
    catch_up(conninfo, READ_MODELS)
    whose = f'"partner_id":"{shop.partner_id}","source"'
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(
            "UPDATE journal_block SET lines = replace(lines, '\"source\"', %s)", [whose]
        )
        assert any("journal" in one for one in check(connection).differences)
