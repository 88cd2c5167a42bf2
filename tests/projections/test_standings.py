"""Standings, the directory and the queues of the office, as the read models tell them."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import Connection
from psycopg.rows import tuple_row
from psycopg_pool import ConnectionPool

from api.admin import add_partner, people_of
from api.demo_life import DECIDED_AFTER, recognise, sanction
from ledger.calendar import civil_day
from ledger.partners.certifications.commands import CertificationCommand
from ledger.partners.certifications.decider import certification
from ledger.partners.complaints import AnswerComplaint, CloseComplaint, OpenComplaint, complaint
from ledger.partners.register import NameContact, partner
from ledger.store import Ledger, open_ledger
from projections import cases, partners, standings
from projections.admission import Admission
from projections.cases import QUEUES, OpenCase
from projections.every import READ_MODELS
from projections.feed import head
from projections.follow import catch_up, connected
from projections.rebuild import rebuild
from tests.api.shops import siret
from tests.ledger.partners.papers import (
    ANNE,
    APPEAL,
    APPLICATION,
    BRUNO,
    CHLOE,
    NOON,
    PEOPLE,
    RENEWAL,
    SANCTION,
    SHOPKEEPER,
    TODAY,
    account,
    appeal,
    apply,
    approve,
    conflict,
    decision,
    granted,
    on,
    propose,
    reject,
    review,
    withdraw,
)

ACTOR = "test"
TABLES = (
    *("standing_event", "standing_period", "partner"),
    *("open_case", "certified_until", "decided_case"),
)


class Town:
    """Shops in a ledger, and the read models beside them."""

    def __init__(self, ledger: Ledger, conninfo: str, connection: Connection[Any]) -> None:
        self.ledger = ledger
        self.conninfo = conninfo
        self.connection = connection

    def shop(self, number: int, name: str = "", **where: Any) -> UUID:
        name = name or f"Shop {number}"
        return add_partner(self.ledger, ACTOR, name, siret(number), at=NOON, **where)

    def follow(self) -> int:
        catch_up(self.conninfo, READ_MODELS)
        return head(self.connection)

    def certified(self, shop: UUID, number: str = "2026-1", days: int | None = None) -> None:
        """Recognise a shop from the day of the papers on."""
        last = None if days is None else on(days)
        applied_at = NOON - DECIDED_AFTER
        recognise(
            self.ledger, shop, number, applied_at=applied_at, valid_from=on(0), valid_until=last
        )

    def do(self, shop: UUID, *commands: CertificationCommand) -> None:
        """Carry out commands of the papers, for this shop instead of theirs."""
        for command in commands:
            moved = command.model_copy(update={"partner_id": shop})
            self.ledger.handle(certification, shop, moved)

    def queues(self, today: date = TODAY) -> dict[str, list[UUID]]:
        """The partners in each queue."""
        self.follow()
        waiting = {kind: cases.queue(self.connection, kind, today) for kind in QUEUES}
        return {kind: [one.partner_id for one in found] for kind, found in waiting.items() if found}


@pytest.fixture
def town(conninfo: str) -> Iterator[Town]:
    with open_ledger(conninfo) as ledger, connected(conninfo) as connection:
        made = Town(ledger, conninfo, connection)
        made.follow()
        yield made


def rows(conninfo: str) -> dict[str, list[tuple[Any, ...]]]:
    with psycopg.connect(conninfo, autocommit=True, row_factory=tuple_row) as connection:
        return {
            table: sorted(connection.execute(f"SELECT * FROM {table}").fetchall(), key=str)  # noqa: S608 - a name of ours.
            for table in TABLES
        }


class TestAnswers:
    def test_a_partner_is_answered_for_on_any_day(self, town: Town) -> None:
        shop = town.shop(1)
        town.certified(shop, days=100)
        sanction(town.ledger, shop, "suspend", "statements_overdue", at=NOON + timedelta(days=10))
        town.follow()
        told = {}
        for day in (-1, 0, 9, 10, 101, 1500):
            answer = standings.answer(town.connection, shop, on(day))
            assert answer is not None
            told[day] = (answer.status, answer.since, answer.reasons[0].name)
        assert told == {
            -1: ("registered", None, "not_registered_yet"),
            0: ("active", on(0), "certified"),
            9: ("active", on(0), "certified"),
            10: ("suspended", on(10), "certification_suspended"),
            101: ("suspended", on(10), "certification_suspended"),
            1500: ("lapsed", on(1096), "certification_over"),
        }

    def test_it_is_answered_as_it_was_known(self, town: Town) -> None:
        shop = town.shop(1)
        registered = town.follow()
        town.certified(shop)
        certified = town.follow()
        sanction(town.ledger, shop, "suspend", "statements_overdue", at=NOON + timedelta(days=10))
        town.follow()

        def status(known_at: int | None) -> str | None:
            answer = standings.answer(town.connection, shop, on(20), known_at)
            return None if answer is None else answer.status

        told = {at: status(at) for at in (None, certified + 99, certified, registered, 0)}
        assert list(told.values()) == ["suspended", "suspended", "active", "registered", None]
        answer = standings.answer(town.connection, shop, on(20), certified)
        assert answer is not None
        assert answer.position == certified

    def test_nobody_is_answered_for_under_an_unknown_id(self, town: Town) -> None:
        assert standings.answer(town.connection, uuid4(), on(0)) is None
        assert standings.on_day(town.connection, uuid4(), on(0)) is None
        assert standings.history(town.connection, uuid4()) == []
        assert standings.certificate(town.connection, uuid4(), on(0)) is None

    def test_the_history_gives_every_reason(self, town: Town) -> None:
        shop = town.shop(1)
        town.certified(shop, days=100)
        town.follow()
        told = [
            (stay.first_on, stay.last_on, stay.status, [one.name for one in stay.reasons])
            for stay in standings.history(town.connection, shop)
        ]
        assert told == [
            (on(0), on(100), "active", ["certified", "agreement_in_force"]),
            (on(101), on(1095), "lapsed", ["certified", "agreement_over"]),
            (on(1096), None, "lapsed", ["certification_over"]),
        ]

    def test_a_certificate_names_its_agreement_and_its_event(self, town: Town) -> None:
        shop = town.shop(1)
        town.certified(shop)
        town.follow()
        found = standings.certificate(town.connection, shop, on(5))
        assert found is not None
        assert (found.agreement_number, found.status) == ("2026-1", "active")
        assert (found.valid_from, found.valid_until) == (on(0), on(1095))
        kind = town.connection.execute(
            "SELECT topic FROM ledger_events WHERE notification_id = %s", (found.position,)
        ).fetchone()
        assert kind == ("CertificationGranted",)
        assert standings.certificate(town.connection, shop, on(-1)) is None

    def test_a_worker_answers_the_same_from_memory(self, town: Town) -> None:
        shops = [town.shop(number) for number in range(3)]
        town.certified(shops[0])
        town.certified(shops[1], "2026-2", days=50)
        town.follow()
        with ConnectionPool(town.conninfo, min_size=1, open=True) as pool:
            admission = Admission(pool)
            admission.refresh()
            for day in (0, 50, 51, 2000):
                stored = standings.everyone(town.connection, on(day))
                held = {shop: admission.standing(shop, on(day)) for shop in shops}
                assert held == stored
            assert admission.standing(uuid4(), on(0)) == "registered"
            sanction(town.ledger, shops[0], "revoke", "false_evidence", at=NOON)
            admission.refresh()
            assert admission.standing(shops[0], on(0)) == "revoked"

    def test_a_worker_knows_a_name_as_soon_as_another_recorded_it(self, town: Town) -> None:
        with ConnectionPool(town.conninfo, min_size=1, open=True) as pool:
            admission = Admission(pool)
            admission.refresh()
            assert admission.partner_name(town.shop(1, "Zinc")) == "Zinc"
            assert admission.partner_name(uuid4()) == ""


class TestDirectory:
    def test_it_is_searched_without_accents_by_place_and_by_sector(self, town: Town) -> None:
        town.shop(1, "Épicerie des Névons", place="Velleron", sector="food")
        town.shop(2, "Boulangerie", place="L’Isle-sur-la-Sorgue", sector="food")
        town.shop(3, "Librairie", place="L’Isle-sur-la-Sorgue", sector="culture")
        town.shop(4, "Zinc")
        town.follow()

        def names(*terms: Any, **more: Any) -> list[str]:
            found = partners.directory(town.connection, *terms, **more)
            return [one.name for one in found]

        today = civil_day(datetime.now(UTC)) + timedelta(days=400)
        every = ["Boulangerie", "Épicerie des Névons", "Librairie", "Zinc"]
        assert names(on=today) == every
        assert names("NEVONS", on=today) == ["Épicerie des Névons"]
        assert names("100%_", on=today) == []
        assert names("", "L’Isle-sur-la-Sorgue", on=today) == ["Boulangerie", "Librairie"]
        assert names("", "L’Isle-sur-la-Sorgue", "culture", on=today) == ["Librairie"]
        assert names("", None, "food", on=today) == ["Boulangerie", "Épicerie des Névons"]
        assert names(on=today, limit=2, offset=1) == every[1:3]
        assert names(on=on(-1)) == []
        assert partners.places(town.connection) == ["L’Isle-sur-la-Sorgue", "Velleron"]

    def test_it_says_what_each_is_on_the_day(self, town: Town) -> None:
        shop, other = town.shop(1), town.shop(2)
        town.certified(shop, days=50)
        town.follow()
        told = {
            day: [
                (one.partner_id, one.status, one.found)
                for one in partners.directory(town.connection, on=on(day))
            ]
            for day in (0, 51)
        }
        assert told[0] == [(shop, "active", 2), (other, "registered", 2)]
        assert told[51] == [(shop, "lapsed", 2), (other, "registered", 2)]
        active = partners.directory(town.connection, on=on(0), statuses=["active"])
        assert [one.partner_id for one in active] == [shop]


class TestQueues:
    def test_an_application_travels_through_them(self, town: Town) -> None:
        shop = town.shop(1)
        assert town.queues() == {}
        town.do(shop, apply())
        assert town.queues() == {"reviews": [shop]}
        town.do(shop, review())
        assert town.queues() == {"decisions": [shop]}
        town.do(shop, propose("grant"))
        assert town.queues() == {"second_decisions": [shop]}
        (waiting,) = cases.queue(town.connection, "second_decisions")
        assert (waiting.number, waiting.measure, waiting.proposed_by) == (1, "grant", ANNE)
        assert (waiting.partner_name, waiting.recommended) == ("Shop 1", "grant")
        town.do(shop, reject())
        assert town.queues() == {"decisions": [shop]}
        town.do(shop, propose("grant", CHLOE), approve(number=2))
        assert town.queues() == {}

    def test_what_is_withdrawn_waits_no_longer(self, town: Town) -> None:
        shop = town.shop(1)
        town.do(shop, apply(), review(), propose("grant"), withdraw())
        assert town.queues() == {}

    def test_a_conflict_sends_it_back(self, town: Town) -> None:
        shop = town.shop(1)
        town.do(shop, apply(), review(), propose("grant"), conflict(ANNE))
        assert town.queues() == {"decisions": [shop]}
        town.do(shop, propose("grant", CHLOE), conflict(review().actor))
        assert town.queues() == {"reviews": [shop]}

    def test_a_conflict_in_one_case_leaves_other_cases_alone(self, town: Town) -> None:
        shop, other = town.shop(1), town.shop(2)
        for one in (shop, other):
            applied = apply(uuid4())
            case_id = applied.application_id
            town.do(one, applied, review(case_id=case_id), propose("grant", case_id=case_id))
        town.do(shop, conflict(ANNE))
        assert town.queues() == {"decisions": [shop], "second_decisions": [other]}

    def test_a_sanction_waits_for_its_second_signature_and_an_appeal_for_both(
        self, town: Town
    ) -> None:
        shop = town.shop(1)
        town.do(shop, *granted(), propose("suspend", case_id=SANCTION))
        assert town.queues() == {"second_decisions": [shop]}
        town.do(shop, approve(case_id=SANCTION), appeal(SANCTION))
        assert town.queues() == {"decisions": [shop], "appeals": [shop]}
        town.do(shop, *decision("dismiss_appeal", case_id=APPEAL, by=(CHLOE, account(105))))
        assert town.queues() == {}

    def test_a_renewal_is_due_from_ninety_days_before_until_it_is_asked_for(
        self, town: Town
    ) -> None:
        shop, other = town.shop(1), town.shop(2)
        town.do(shop, *granted())
        town.certified(other)
        assert town.queues(on(1095 - 91)) == {}
        assert set(town.queues(on(1095 - 90))["renewals"]) == {shop, other}
        (late, _) = cases.queue(town.connection, "renewals", on(1096))
        assert (late.due_on, late.overdue) == (on(1095), True)
        town.do(shop, apply(RENEWAL, day=1010))
        assert town.queues(on(1095))["renewals"] == [other]
        sanction(town.ledger, other, "revoke", "false_evidence", at=NOON)
        assert "renewals" not in town.queues(on(1095))

    def test_complaints_are_overdue_until_they_are_answered(self, town: Town) -> None:
        shop = town.shop(1)
        case_id = uuid4()
        opened = OpenComplaint(
            at=NOON,
            actor="public",
            complaint_id=case_id,
            partner_id=shop,
            subject_id=uuid4(),
            topic="staff",
        )
        town.ledger.handle(complaint, case_id, opened)

        def waiting(day: int) -> list[OpenCase]:
            town.follow()
            return cases.queue(town.connection, "complaints", on(day))

        assert [one.overdue for one in waiting(30)] == [False]
        assert [one.overdue for one in waiting(31)] == [True]
        assert [one.topic for one in cases.of_partner(town.connection, shop)] == ["staff"]
        judge: dict[str, Any] = {"actor": ANNE, "partner_people": (), "complaint_id": case_id}
        town.ledger.handle(complaint, case_id, AnswerComplaint(at=NOON, **judge))
        assert [one.overdue for one in waiting(31)] == [False]
        closing = CloseComplaint(at=NOON, outcome="not_upheld", **judge)
        town.ledger.handle(complaint, case_id, closing)
        assert waiting(31) == []


def test_who_speaks_for_a_partner_is_known_from_the_register(town: Town) -> None:
    shop = town.shop(1)
    name = NameContact(
        at=NOON,
        actor=ACTOR,
        partner_id=shop,
        subject_id=uuid4(),
        role="owner",
        account_id=UUID(SHOPKEEPER.removeprefix("account:")),
    )
    town.ledger.handle(partner, shop, name)
    assert people_of(town.ledger, shop) == PEOPLE


def test_a_rebuild_and_any_size_of_batch_give_the_same_rows(
    town: Town, conninfo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = random.Random(7)
    shops = [town.shop(number) for number in range(4)]
    lives: tuple[CertificationCommand, ...] = (
        *granted(),
        propose("suspend", case_id=SANCTION),
        approve(BRUNO, case_id=SANCTION),
        apply(RENEWAL, day=5),
        review(case_id=RENEWAL, day=5),
        conflict(CHLOE, day=6),
    )
    left = {shop: list(lives) for shop in shops}
    while any(left.values()):
        shop = dice.choice([one for one in shops if left[one]])
        command = left[shop].pop(0)
        unique = {
            field: UUID(int=value.int ^ shop.int)
            for field, value in command
            if field in {"application_id", "case_id"}
        }
        town.do(shop, command.model_copy(update=unique))
    monkeypatch.setattr("projections.follow.PAGE_EVENTS", 3)
    town.follow()
    live = rows(conninfo)
    assert all(live[table] for table in TABLES)
    assert APPLICATION not in {row[0] for row in live["open_case"]}
    rebuild(conninfo, READ_MODELS)
    assert rows(conninfo) == live
