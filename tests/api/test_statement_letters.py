"""What a shop is written: its statement with its papers, reminders, and nothing twice."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from uuid import uuid4

import psycopg
import pytest

from api import dunning, letters, settling, statement_documents, statement_letters
from api.deps import Context
from api.settling import Closer, Period
from ledger.events import encode
from ledger.references import in_groups
from ledger.settlements.commands import NothingOwed, RemindedToday, StatementOutOfOrder
from ledger.settlements.events import StatementClosed
from projections import statements
from tests.api.people import person
from tests.api.served import Served
from tests.api.settlements import (
    ANNE,
    IBAN,
    catch_up,
    found_foundation,
    give_on,
    last_month,
    remit,
    today,
)
from tests.api.shops import Shop
from tests.api.stored import stored
from tests.ledger.processes import eventually
from tests.projections.village import following, insert_raw


@pytest.fixture
def founded(served: Served, shop: Shop, conninfo: str) -> Iterator[Served]:
    """A foundation, and a shop that owes 12.34 euros for the month that is over."""
    found_foundation(served.context.ledger)
    give_on(served.context.ledger, shop, last_month(), 1_234)
    with following(conninfo):
        catch_up(conninfo)
        yield served


def close(served: Served) -> StatementClosed:
    (closed,) = settling.close_due(served.context)
    return closed


def received(served: Served, count: int = 1) -> list[EmailMessage]:
    """Wait for so many letters about statements, and give them, the oldest first."""
    folder = served.context.settings.home / "mail"

    def found() -> list[EmailMessage]:
        messages = [
            message_from_bytes(one.read_bytes(), policy=default)
            for one in sorted(folder.glob("*.eml"))
        ]
        return [one for one in messages if list(one.iter_attachments())]

    eventually(lambda: len(found()) >= count and not letters.unsent(served.context))
    assert len(found()) == count
    return found()


def text_of(message: EmailMessage) -> str:
    body = message.get_body()
    assert body is not None
    return " ".join(str(body.get_content()).replace("\xa0", " ").split())


def test_a_closed_statement_is_sent_with_its_pdf(founded: Served, shop: Shop) -> None:
    manager = person(founded, "partner_manager", partner_ids=(shop.partner_id,))
    closed = close(founded)
    (message,) = received(founded)
    assert message["To"] == manager.email
    said = text_of(message)
    for words in (
        "12,34 €",
        "€12.34",
        in_groups(closed.reference),
        in_groups(IBAN),
        f"/my/shops/{shop.partner_id}/statements/1",
    ):
        assert words in said
    (attached,) = message.iter_attachments()
    assert attached.get_content_type() == "application/pdf"
    assert attached.get_filename() == f"bordereau-0001-{last_month()}.pdf"
    assert attached.get_content().startswith(b"%PDF-")


def test_a_reminder_says_what_is_left(founded: Served, shop: Shop, conninfo: str) -> None:
    person(founded, "partner_manager", partner_ids=(shop.partner_id,))
    closed = close(founded)
    received(founded)
    remit(founded.context.ledger, shop, closed.statement_id, 1_000)
    catch_up(conninfo)
    later = datetime.now(UTC) + timedelta(days=40)
    assert dunning.remind_due(founded.context, later) == 1
    (reminder,) = [one for one in received(founded, 2) if one["Subject"].startswith("Rappel")]
    assert "€2.34" in text_of(reminder)
    assert dunning.remind_due(founded.context, later) == 0


class TestOneLetterADay:
    """Three statements of a shop, closed one after the other, and a day on which all are late."""

    LATER = timedelta(days=60)

    @pytest.fixture
    def three(self, founded: Served, shop: Shop, conninfo: str) -> list[StatementClosed]:
        person(founded, "partner_manager", partner_ids=(shop.partner_id,))
        found = [close(founded)]
        for cents in (500, 700):
            give_on(founded.context.ledger, shop, today(), cents)
            catch_up(conninfo)
            found.append(settling.close_now(founded.context, ANNE, shop.partner_id))
        received(founded, 3)
        return found

    def reminders(self, served: Served, letters_sent: int) -> list[EmailMessage]:
        found = received(served, 3 + letters_sent)
        return [one for one in found if one["Subject"].startswith("Rappel")]

    def told(self, conninfo: str, three: list[StatementClosed]) -> list[int]:
        catch_up(conninfo)
        with psycopg.connect(conninfo) as connection:
            found = [statements.one(connection, one.statement_id) for one in three]
        return [one.reminders for one in found if one is not None]

    def test_it_lists_all_that_is_overdue_with_one_total(
        self, founded: Served, conninfo: str, three: list[StatementClosed]
    ) -> None:
        later = datetime.now(UTC) + self.LATER
        assert [dunning.remind_due(founded.context, later) for _ in range(2)] == [1, 0]
        (letter,) = self.reminders(founded, 1)
        said = text_of(letter)
        assert "€24.34" in said
        assert "€24.34" in letter["Subject"]
        for one, left in zip(three, ("€12.34", "€5.00", "€7.00"), strict=True):
            assert in_groups(one.reference) in said
            assert left in said
        assert len(list(letter.iter_attachments())) == 3
        # The record is of each statement, at its own level.
        assert self.told(conninfo, three) == [1, 1, 1]
        assert len(stored(conninfo, "StatementReminded")) == 3

    def test_what_is_closed_since_waits_for_the_next_day(
        self, founded: Served, shop: Shop, conninfo: str, three: list[StatementClosed]
    ) -> None:
        later = datetime.now(UTC) + self.LATER
        dunning.remind_due(founded.context, later)
        self.told(conninfo, three)
        give_on(founded.context.ledger, shop, today(), 99)
        catch_up(conninfo)
        fourth = settling.close_now(founded.context, ANNE, shop.partner_id)
        assert dunning.remind_due(founded.context, later) == 0
        assert self.told(conninfo, [*three, fourth]) == [1, 1, 1, 0]
        assert dunning.remind_due(founded.context, later + timedelta(days=1)) == 1
        assert self.told(conninfo, [*three, fourth]) == [2, 2, 2, 1]

    def test_what_is_overdue_and_not_due_for_a_reminder_is_listed_and_not_counted(
        self,
        founded: Served,
        conninfo: str,
        three: list[StatementClosed],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        # Two days late on that day: its first reminder is due after seven.
        late = {
            "statement_id": uuid4(),
            "number": 4,
            "owed_cents": 99,
            "due_on": today() + self.LATER - timedelta(days=2),
        }
        insert_raw(conninfo, *encode(three[2].model_copy(update=late)), stream=uuid4())
        catch_up(conninfo)
        monkeypatch.setattr(statement_documents, "pdf_of", lambda *_: b"%PDF-")
        dunning.remind_due(founded.context, datetime.now(UTC) + self.LATER)
        (letter,) = self.reminders(founded, 1)
        assert "€25.33" in text_of(letter)
        told = [one.state["statement_id"] for one in stored(conninfo, "StatementReminded")]
        assert set(told) == {str(one.statement_id) for one in three}

    def test_two_processes_send_one(
        self, founded: Served, conninfo: str, three: list[StatementClosed]
    ) -> None:
        later = datetime.now(UTC) + self.LATER
        # No two look at the very same microsecond.
        ats = [later + timedelta(microseconds=number) for number in range(3)]
        with ThreadPoolExecutor(3) as pool:
            sent = list(pool.map(lambda at: dunning.remind_due(founded.context, at), ats))
        assert sum(sent) == 1
        assert len(self.reminders(founded, 1)) == 1
        assert self.told(conninfo, three) == [1, 1, 1]

    def test_one_that_waited_in_the_office_lists_what_is_left(
        self, founded: Served, shop: Shop, conninfo: str, three: list[StatementClosed]
    ) -> None:
        later = datetime.now(UTC) + self.LATER
        letters.note(founded.context, "reminder", three[0].statement_id)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(letters, "send_later", lambda *_: None)
            dunning.remind_due(founded.context, later)
        remit(founded.context.ledger, shop, three[1].statement_id, 500)
        catch_up(conninfo)
        statement_letters.send(founded.context, "reminder", three[0].statement_id)
        (letter,) = self.reminders(founded, 1)
        said = text_of(letter)
        assert "€19.34" in said
        assert in_groups(three[1].reference) not in said

    def test_an_officer_who_presses_twice_is_told(
        self, founded: Served, conninfo: str, three: list[StatementClosed]
    ) -> None:
        later = datetime.now(UTC) + self.LATER
        dunning.remind_due(founded.context, later)
        self.told(conninfo, three)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(dunning, "civil_day", lambda _: later.date())
            with pytest.raises(RemindedToday):
                dunning.remind_now(founded.context, ANNE, three[2].statement_id)


def test_what_was_paid_before_its_turn_is_not_reminded_of(
    founded: Served, shop: Shop, conninfo: str
) -> None:
    person(founded, "partner_manager", partner_ids=(shop.partner_id,))
    closed = close(founded)
    received(founded)
    letters.note(founded.context, "reminder", closed.statement_id)
    remit(founded.context.ledger, shop, closed.statement_id, 1_234)
    catch_up(conninfo)
    statement_letters.send(founded.context, "reminder", closed.statement_id)
    received(founded, 1)


def test_nobody_is_written_to_about_what_was_refused(founded: Served) -> None:
    closed = close(founded)
    with (
        pytest.raises(NothingOwed),
        statement_letters.sent(founded.context, "reminder", closed.statement_id),
    ):
        raise NothingOwed(owed_cents=0)
    eventually(lambda: waiting(founded) == 0)


def test_a_second_closer_that_is_refused_leaves_the_letter_of_the_first(
    founded: Served, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    person(founded, "partner_manager", partner_ids=(shop.partner_id,))
    record = settling.record
    refused: list[int] = []

    def both(context: Context, closer: Closer, number: int, period: Period) -> StatementClosed:
        made = record(context, closer, number, period)
        if not refused:
            refused.append(number)
            with pytest.raises(StatementOutOfOrder):
                settling.close(context, replace(closer, closed_by="officer"), number, period)
            # Whoever was refused has done with letters before the first asks for its own.
            context.sender.submit(lambda: None).result()
        return made

    monkeypatch.setattr(settling, "record", both)
    close(founded)
    received(founded, 1)


def test_a_letter_that_was_refused_first_is_sent_once_it_is_true(founded: Served) -> None:
    written: list[str] = []
    closed = close(founded)
    eventually(lambda: waiting(founded) == 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statement_letters, "written", lambda *told: written.append(told[1]))
        # Another process noted it, and forgets it while this one records.
        letters.note(founded.context, "statement", closed.statement_id)
        with statement_letters.sent(founded.context, "statement", closed.statement_id):
            letters.send(founded.context, "statement", closed.statement_id, lambda: None)
        eventually(lambda: waiting(founded) == 0)
    assert written == ["statement"]


def test_a_letter_whose_papers_cannot_be_printed_waits_in_the_office(
    founded: Served, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    person(founded, "partner_manager", partner_ids=(shop.partner_id,))

    def jammed(*_: object) -> bytes:
        raise RuntimeError("no such font")

    monkeypatch.setattr(statement_documents, "pdf_of", jammed)
    closed = close(founded)
    eventually(lambda: bool(letters.unsent(founded.context)))
    (left,) = letters.unsent(founded.context)
    assert (left.kind, left.about_id) == ("statement", closed.statement_id)
    assert left.failure == "RuntimeError"
    with pytest.raises(letters.NotWritten):
        statement_letters.send(founded.context, "statement", closed.statement_id)
    monkeypatch.undo()
    statement_letters.send(founded.context, "statement", closed.statement_id)
    received(founded, 1)


def waiting(served: Served) -> int:
    with served.context.pool.connection() as connection:
        row = connection.execute("SELECT count(*) FROM letter_due").fetchone()
    return -1 if row is None else int(row[0])


def test_a_shop_that_nobody_speaks_for_is_closed_all_the_same(founded: Served, shop: Shop) -> None:
    assert close(founded).owed_cents == 1_234
    eventually(lambda: waiting(founded) == 0)
    assert not (founded.context.settings.home / "mail").exists()


def test_each_who_speaks_for_it_is_written_to_once(founded: Served, shop: Shop) -> None:
    first = person(founded, "partner_manager", partner_ids=(shop.partner_id,))
    second = person(founded, "partner_manager", partner_ids=(shop.partner_id,))
    close(founded)
    (message,) = received(founded)
    assert set(message["To"].split(", ")) == {first.email, second.email}
