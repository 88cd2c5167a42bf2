"""The read models of tills: numbers, days and closes, from the events as they come in."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from ledger.calendar import civil_day
from ledger.closes import CloseDay, close, close_id_of
from ledger.devices import FIRST, DeviceLink, LinkedGift, link_hash
from ledger.donations import RecordDonation, donation
from ledger.store import Ledger
from ledger.tills import ExplainGap, OfferEnrolment, RevokeTill, RotateTillKey, till
from projections import gaps, tills
from projections.chains import Chain, Gap
from projections.every import READ_MODELS
from projections.follow import catch_up
from projections.rebuild import rebuild
from tests.api.shops import ACTOR, Shop, open_shop
from tests.projections.village import rows

START = datetime.now(UTC) - timedelta(days=1)
MODELS = {name: READ_MODELS[name] for name in ("tills", "gaps")}


@pytest.fixture
def shop(ledger: Ledger) -> Shop:
    return open_shop(ledger)


def numbered(shop: Shop, count: int) -> list[RecordDonation]:
    """Gifts as one device makes them, a minute apart."""
    made: list[RecordDonation] = []
    previous = FIRST
    for number in range(1, count + 1):
        at = START + timedelta(minutes=number)
        fields: dict[str, Any] = {
            "till_id": shop.till_id,
            "donation_id": uuid4(),
            "occurred_at": at,
            "amount_cents": number,
            "source": "customer",
            "purchase_cents": 100 - number,
            "ask_id": "round-up.fr.1",
        }
        link = link_hash(previous, LinkedGift(number=number, **fields))
        made.append(
            RecordDonation(
                at=datetime.now(UTC),
                actor=ACTOR,
                partner_id=shop.partner_id,
                occurred_on=civil_day(at),
                device=DeviceLink(number=number, previous=previous, hash=link),
                partner_standing="active",
                **fields,
            )
        )
        previous = link
    return made


def give(ledger: Ledger, gifts: list[RecordDonation]) -> None:
    ledger.handle_all(donation, [(gift.donation_id, gift) for gift in gifts], presume_new=True)


def chain(conninfo: str, till_id: UUID) -> Chain:
    catch_up(conninfo, READ_MODELS)
    with psycopg.connect(conninfo) as connection:
        return gaps.of_till(connection, till_id)


def test_gifts_come_late_and_out_of_order(conninfo: str, ledger: Ledger, shop: Shop) -> None:
    gifts = numbered(shop, 30)
    late, early = gifts[10:13], gifts[:10] + gifts[13:]
    random.Random(1).shuffle(early)
    for gift in early:
        give(ledger, [gift])
    before = chain(conninfo, shop.till_id)
    assert (before.gaps, before.gifts, before.last_number) == ((Gap(11, 13),), 27, 30)
    give(ledger, late[::-1] + early[:3])  # Three come twice.
    after = chain(conninfo, shop.till_id)
    assert after.whole
    assert (after.gifts, after.last_number) == (30, 30)
    with psycopg.connect(conninfo) as connection:
        assert gaps.last_number(connection, shop.till_id) == 30


def test_gifts_without_numbers_have_no_chain(conninfo: str, ledger: Ledger, shop: Shop) -> None:
    plain = [one.model_copy(update={"device": None}) for one in numbered(shop, 3)]
    give(ledger, plain)
    assert chain(conninfo, shop.till_id) == Chain()


def test_a_gift_that_is_not_what_its_device_linked_is_named(
    conninfo: str, ledger: Ledger, shop: Shop
) -> None:
    gifts = numbered(shop, 3)
    give(ledger, [gifts[0], gifts[1].model_copy(update={"amount_cents": 999}), gifts[2]])
    assert chain(conninfo, shop.till_id).altered == (2,)


def test_the_partner_explains_and_a_close_claims(conninfo: str, ledger: Ledger, shop: Shop) -> None:
    give(ledger, [gift for gift in numbered(shop, 8) if gift.device and gift.device.number != 4])
    explain = ExplainGap(
        at=datetime.now(UTC),
        actor=ACTOR,
        till_id=shop.till_id,
        partner_id=shop.partner_id,
        first_number=4,
        last_number=4,
        reason="never_made",
    )
    ledger.handle(till, shop.till_id, explain)
    assert chain(conninfo, shop.till_id).gaps == (Gap(4, 4, "never_made"),)
    close_it(ledger, shop, gifts=9, last_number=9)
    assert chain(conninfo, shop.till_id).open_gaps == (Gap(9, 9),)


def close_it(ledger: Ledger, shop: Shop, **claim: Any) -> None:
    day = civil_day(START)
    terms: dict[str, Any] = {
        "at": datetime.now(UTC),
        "actor": ACTOR,
        "till_id": shop.till_id,
        "partner_id": shop.partner_id,
        "day": day,
        "gifts": 8,
        "cents": 36,
        "first_number": 1,
        "last_number": 8,
        "ledger_gifts": 8,
        "ledger_cents": 36,
        "ledger_position": 1,
    }
    ledger.handle(close, close_id_of(shop.till_id, day), CloseDay(**terms | claim))


def test_a_day_is_summed_and_its_close_compared_for_ever(
    conninfo: str, ledger: Ledger, shop: Shop
) -> None:
    gifts = numbered(shop, 8)
    give(ledger, gifts[:7])
    close_it(ledger, shop, ledger_gifts=7, ledger_cents=28)
    catch_up(conninfo, READ_MODELS)
    with psycopg.connect(conninfo) as connection:
        assert tills.day_of(connection, shop.till_id, civil_day(START)).given_cents == 28
        (closed,) = tills.closes_of(connection, shop.till_id)
        assert (closed.agrees, closed.agrees_now) == (False, False)
    give(ledger, gifts[7:])
    catch_up(conninfo, READ_MODELS)
    with psycopg.connect(conninfo) as connection:
        (closed,) = tills.closes_of(connection, shop.till_id)
        assert (closed.agrees, closed.agrees_now, closed.cents_now) == (False, True, 36)
        assert tills.day_of(connection, uuid4(), civil_day(START)).gifts == 0


def test_a_till_is_offered_enrolled_and_revoked(conninfo: str, ledger: Ledger, shop: Shop) -> None:
    other = uuid4()
    for till_id, name, mac in ((other, "Étal", "a" * 32), (shop.till_id, "Caisse 1", "b" * 32)):
        offer = OfferEnrolment(
            at=START,
            actor=ACTOR,
            till_id=till_id,
            partner_id=shop.partner_id,
            name=name,
            code_mac=mac,
        )
        ledger.handle(till, till_id, offer)
    catch_up(conninfo, READ_MODELS)
    with psycopg.connect(conninfo) as connection:
        assert tills.offered_by_code(connection, "a" * 32) == other
        assert tills.offered_by_code(connection, "b" * 32) == shop.till_id
        found = {one.till_id: one.state for one in tills.of_partner(connection, shop.partner_id)}
        assert found == {shop.till_id: "enrolled", other: "offered"}
    rotate = RotateTillKey(at=START, actor=ACTOR, till_id=shop.till_id, key_sha256="c" * 64)
    ledger.handle(till, shop.till_id, rotate)
    revoke = RevokeTill(at=START, actor=ACTOR, till_id=shop.till_id, reason="lost")
    ledger.handle(till, shop.till_id, revoke)
    catch_up(conninfo, READ_MODELS)
    with psycopg.connect(conninfo) as connection:
        assert tills.offered_by_code(connection, "b" * 32) is None
        assert [one.state for one in tills.of_partner(connection, shop.partner_id)] == [
            "offered",
            "revoked",
        ]


def test_rebuilt_rows_equal_the_live_ones(conninfo: str, ledger: Ledger, shop: Shop) -> None:
    catch_up(conninfo, READ_MODELS)
    for gift in numbered(shop, 12):
        give(ledger, [gift])
        catch_up(conninfo, READ_MODELS)
    close_it(ledger, shop)
    catch_up(conninfo, READ_MODELS)
    live = rows(conninfo, MODELS)
    assert len(live["numbered_gift"]) == 12
    rebuild(conninfo, READ_MODELS)
    assert rows(conninfo, MODELS) == live
