"""The check finds every kind of fault that is planted, and only those."""

import json
import random
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.sql import SQL, Composed, Identifier

from ledger.calendar import civil_day
from ledger.closes import CloseDay, close, close_id_of
from ledger.donations import DonationReversed
from ledger.events import encode
from ledger.ids import stream_of
from ledger.store import Ledger
from ledger.tills import ExplainGap, till
from projections import partners
from projections.check import Checked, check
from projections.every import READ_MODELS
from projections.follow import catch_up
from projections.rebuild import rebuild
from tests.api.shops import Shop
from tests.projections.test_gaps import give as give_numbered
from tests.projections.test_gaps import numbered
from tests.projections.village import (
    RebuildMeanwhile,
    following,
    found,
    give,
    giving,
    insert_raw,
)


def checked(conninfo: str) -> Checked:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        return check(connection)


def change(conninfo: str, statement: LiteralString | Composed, *parameters: object) -> None:
    """Change what is stored behind the ledger's back; it must really change."""
    with psycopg.connect(conninfo) as connection:
        assert connection.execute(statement, parameters).rowcount > 0


@pytest.fixture
def shops(ledger: Ledger, conninfo: str) -> list[Shop]:
    """The shops of a village that every read model has followed, and that checks out."""
    made = found(ledger, 120)
    catch_up(conninfo, READ_MODELS)
    assert checked(conninfo).differences == []
    return made


def gift_state(shop: Shop, **changes: Any) -> tuple[UUID, bytes]:
    """Make the stored form of a gift, and the stream it belongs to."""
    donation_id = uuid4()
    state = {
        "recorded_at": "2026-11-23T10:00:00Z",
        "actor": "test",
        "donation_id": str(donation_id),
        "partner_id": str(shop.partner_id),
        "till_id": str(shop.till_id),
        "source": "customer",
        "amount_cents": 40,
        "occurred_at": "2026-11-23T10:00:00Z",
        "occurred_on": "2026-11-23",
    }
    return stream_of("donation", donation_id), json.dumps(state | changes).encode()


def difference(conninfo: str) -> str:
    """Give what the check says, which must be something."""
    found = checked(conninfo)
    assert not found.ok
    return "\n".join(found.differences)


def test_a_village_that_was_left_alone_checks_out(
    shops: list[Shop], ledger: Ledger, conninfo: str
) -> None:
    result = checked(conninfo)
    with psycopg.connect(conninfo) as connection:
        row = connection.execute("SELECT count(*) FROM ledger_events").fetchone()
    assert result == Checked(events=row[0] if row else 0, differences=[])


def test_an_empty_ledger_checks_out(conninfo: str) -> None:
    catch_up(conninfo, READ_MODELS)
    assert checked(conninfo) == Checked(events=0, differences=[])


def test_read_models_that_lag_are_compared_where_they_stand(
    shops: list[Shop], ledger: Ledger, conninfo: str
) -> None:
    give(ledger, shops, 20, random.Random(4))
    assert checked(conninfo).differences == []
    catch_up(conninfo, {"balances": READ_MODELS["balances"]})
    assert checked(conninfo).differences == []


def test_a_check_beside_a_working_service_finds_nothing(shops: list[Shop], conninfo: str) -> None:
    with following(conninfo), giving(conninfo, shops):
        for _ in range(10):
            assert checked(conninfo).differences == []


@pytest.mark.parametrize("column", ["gifts", "given_cents", "reversals", "reversed_cents"])
def test_a_balance_that_was_changed_is_found(shops: list[Shop], conninfo: str, column: str) -> None:
    change(
        conninfo,
        SQL("UPDATE balance SET {0} = {0} + 1 WHERE ctid = (SELECT min(ctid) FROM balance)").format(
            Identifier(column)
        ),
    )
    assert "balance of partner" in difference(conninfo)


def test_a_balance_that_was_removed_or_made_up_is_found(shops: list[Shop], conninfo: str) -> None:
    change(conninfo, "DELETE FROM balance WHERE ctid = (SELECT max(ctid) FROM balance)")
    assert "the read model says None" in difference(conninfo)
    rebuild(conninfo, READ_MODELS)
    change(conninfo, "INSERT INTO balance VALUES (gen_random_uuid(), 'shop', '2026-01', 1, 40)")
    assert "the events [0, 0, 0, 0]" in difference(conninfo)


def test_a_partner_that_was_removed_or_made_up_is_found(shops: list[Shop], conninfo: str) -> None:
    change(conninfo, "DELETE FROM partner WHERE partner_id = %s", shops[0].partner_id)
    assert f"partner {shops[0].partner_id} is only in the events" in difference(conninfo)
    rebuild(conninfo, READ_MODELS)
    change(
        conninfo,
        "INSERT INTO partner (partner_id, name, folded_name, siret, registered_on)"
        " SELECT gen_random_uuid(), name, folded_name, siret, registered_on"
        " FROM partner LIMIT 1",
    )
    assert "is only in the read model" in difference(conninfo)


def test_a_line_that_was_cut_from_the_journal_is_found(shops: list[Shop], conninfo: str) -> None:
    change(
        conninfo,
        "UPDATE journal_block SET lines = substr(lines, strpos(lines, E'\\n') + 1) WHERE block = 0",
    )
    assert "journal" in difference(conninfo)


def test_a_line_that_was_altered_in_the_journal_is_found(shops: list[Shop], conninfo: str) -> None:
    change(
        conninfo,
        "UPDATE journal_block SET lines ="
        " regexp_replace(lines, '\"amount_cents\":\\d+', '\"amount_cents\":99999')"
        " WHERE block = 0",
    )
    assert "journal" in difference(conninfo)


def test_a_gap_in_the_versions_of_a_stream_is_found(shops: list[Shop], conninfo: str) -> None:
    change(conninfo, "DELETE FROM ledger_events WHERE topic = 'ReviewRecorded'")
    assert "from version 1 to 4" in difference(conninfo)


def test_a_stream_that_does_not_begin_at_one_is_found(shops: list[Shop], conninfo: str) -> None:
    stream, state = gift_state(shops[0])
    insert_raw(conninfo, "DonationRecorded", state, stream=stream, version=2)
    assert f"stream {stream} has 1 events from version 2 to 2" in difference(conninfo)


@pytest.mark.parametrize(
    ("topic", "state"),
    [
        ("DonationRecorded", b"{}"),
        ("DonationRecorded", b"{"),
        ("DonationRecorded", b"\xff"),
        ("DonationReversed", b"{}"),
        ("PartnerRegistered", b"[]"),
        ("DonationForgotten", b"{}"),
        ("", b"{}"),
    ],
)
def test_an_undecodable_event_is_found(
    shops: list[Shop], conninfo: str, topic: str, state: bytes
) -> None:
    position = insert_raw(conninfo, topic, state)
    assert f"event {position} cannot be decoded" in difference(conninfo)


def test_a_gift_that_became_undecodable_is_found_though_it_was_given_back(
    shops: list[Shop], conninfo: str
) -> None:
    change(
        conninfo,
        "UPDATE ledger_events SET state = '{' WHERE topic = 'DonationRecorded' AND originator_id ="
        " (SELECT originator_id FROM ledger_events WHERE topic = 'DonationReversed' LIMIT 1)",
    )
    assert "cannot be decoded" in difference(conninfo)


def test_a_gift_of_nobody_is_found(shops: list[Shop], conninfo: str) -> None:
    stream, state = gift_state(shops[0], partner_id=str(uuid4()))
    position = insert_raw(conninfo, "DonationRecorded", state, stream=stream)
    named = difference(conninfo)
    assert f"event {position} names a partner that was never registered" in named
    stream, state = gift_state(shops[0], till_id=str(uuid4()))
    position = insert_raw(conninfo, "DonationRecorded", state, stream=stream)
    assert f"event {position} names a till that was never enrolled" in difference(conninfo)


def test_a_gift_at_the_till_of_another_partner_is_found(shops: list[Shop], conninfo: str) -> None:
    stream, state = gift_state(shops[0], till_id=str(shops[1].till_id))
    position = insert_raw(conninfo, "DonationRecorded", state, stream=stream)
    assert f"event {position}" in difference(conninfo)


def test_an_event_in_a_stream_of_another_is_found(shops: list[Shop], conninfo: str) -> None:
    _, state = gift_state(shops[0])
    position = insert_raw(conninfo, "DonationRecorded", state, stream=uuid4())
    assert f"event {position} stands in a stream that is not of its" in difference(conninfo)


def reversal_state(shop: Shop, donation_id: UUID, cents: int) -> bytes:
    event = DonationReversed.model_validate(
        {
            "recorded_at": "2026-11-23T10:00:00Z",
            "actor": "test",
            "donation_id": donation_id,
            "reversal_id": uuid4(),
            "partner_id": shop.partner_id,
            "till_id": shop.till_id,
            "source": "customer",
            "amount_cents": cents,
            "reason": "mistake",
            "reversed_on": "2026-11-23",
        }
    )
    return encode(event)[1]


def test_a_reversal_without_a_gift_is_found(shops: list[Shop], conninfo: str) -> None:
    donation_id = uuid4()
    stream = stream_of("donation", donation_id)
    state = reversal_state(shops[0], donation_id, 40)
    insert_raw(conninfo, "DonationReversed", state, stream=stream)
    assert f"stream {stream} gives back 40 cents of a gift of 0" in difference(conninfo)


def test_a_reversal_above_its_gift_is_found(shops: list[Shop], conninfo: str) -> None:
    stream, state = gift_state(shops[0])
    insert_raw(conninfo, "DonationRecorded", state, stream=stream)
    donation_id = UUID(json.loads(state)["donation_id"])
    for version, cents in ((2, 40), (3, 1)):
        back = reversal_state(shops[0], donation_id, cents)
        insert_raw(conninfo, "DonationReversed", back, stream=stream, version=version)
    assert f"stream {stream} gives back 41 cents of a gift of 40" in difference(conninfo)


def test_a_rebuild_while_a_check_reads_is_no_difference(shops: list[Shop], conninfo: str) -> None:
    meanwhile = RebuildMeanwhile(conninfo)

    def rebuild_once(_: int) -> None:
        if meanwhile.thread.ident is None:
            meanwhile.start()

    with psycopg.connect(conninfo, autocommit=True) as connection:
        assert check(connection, rebuild_once).differences == []
    assert meanwhile.ended_well()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE standing_period SET status = 'active' WHERE status = 'suspended'",
        "UPDATE standing_period SET since_on = since_on - 1 WHERE status = 'active'",
        "UPDATE standing_period SET reasons = '[]' WHERE status = 'active'",
        "UPDATE standing_period SET last_on = first_on WHERE last_on IS NULL OR last_on > now()",
        "DELETE FROM standing_period WHERE status = 'active'",
        (
            "INSERT INTO standing_period"
            " SELECT gen_random_uuid(), first_on, last_on, since_on, status, reasons"
            " FROM standing_period WHERE status = 'active' LIMIT 1"
        ),
    ],
)
def test_a_standing_that_is_not_what_the_events_say_is_found(
    shops: list[Shop], conninfo: str, statement: LiteralString
) -> None:
    change(conninfo, statement)
    assert "standing of partner" in difference(conninfo)


def test_a_standing_of_a_past_day_is_compared_too(shops: list[Shop], conninfo: str) -> None:
    change(
        conninfo,
        "UPDATE standing_period SET status = 'lapsed'"
        " WHERE status = 'active' AND last_on < current_date",
    )
    days = [one.split(" on ")[1][:10] for one in checked(conninfo).differences]
    assert days
    assert max(days) < datetime.now(UTC).date().isoformat()


def test_a_directory_that_says_otherwise_is_found(
    shops: list[Shop], conninfo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = partners.directory

    def flattering(*asked: Any, **more: Any) -> list[partners.Listed]:
        return [replace(one, status="active") for one in honest(*asked, **more)]

    monkeypatch.setattr(partners, "directory", flattering)
    assert "the directory says active" in difference(conninfo)


def at_work(ledger: Ledger, shop: Shop) -> None:
    """Let a device of a till number three gifts, miss one, explain it and close its day."""
    gifts = numbered(shop, 4)
    give_numbered(ledger, gifts[:2] + gifts[3:])
    who: dict[str, Any] = {"at": datetime.now(UTC), "actor": "test", "till_id": shop.till_id}
    who["partner_id"] = shop.partner_id
    missing = ExplainGap(first_number=3, last_number=3, reason="never_made", **who)
    ledger.handle(till, shop.till_id, missing)
    day = civil_day(gifts[0].occurred_at)
    counted = CloseDay(
        day=day, gifts=4, cents=10, ledger_gifts=3, ledger_cents=7, ledger_position=1, **who
    )
    ledger.handle(close, close_id_of(shop.till_id, day), counted)


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE till SET state = 'enrolled' WHERE state = 'revoked'", "state of till"),
        ("DELETE FROM till WHERE state = 'enrolled'", "state of till"),
        ("UPDATE till_day SET given_cents = given_cents + 1", "day of till"),
        ("DELETE FROM till_close", "close of till"),
        ("DELETE FROM numbered_gift WHERE number = 2", "numbers of till"),
        ("UPDATE gap_explained SET reason = 'other'", "explanation of till"),
    ],
)
def test_a_till_that_is_not_what_the_events_say_is_found(
    shops: list[Shop], conninfo: str, ledger: Ledger, statement: LiteralString, what: str
) -> None:
    at_work(ledger, shops[0])
    catch_up(conninfo, READ_MODELS)
    assert checked(conninfo).differences == []
    change(conninfo, statement)
    assert what in difference(conninfo)
