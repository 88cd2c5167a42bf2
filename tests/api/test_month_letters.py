"""Whoever gives each month is written to about each later month, once, and nobody else is told."""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest

from api import card_reconciling, cards, letters, month_letters
from api.mail import mail_of
from ledger.calendar import civil_day
from projections.every import READ_MODELS
from projections.rebuild import rebuild
from tests.api.cards import FORM, Cards, payment_id_of, taking_cards, text_of
from tests.api.people import Browser, browser_of
from tests.api.served import PUBLIC_URL
from tests.api.smtp import Post, post_office
from tests.api.stored import every_byte, stored
from tests.stripe import checkout, money, subscriptions
from tests.stripe.account import Object

OK, SEE_OTHER, NOT_FOUND, REFUSED = 200, 303, 404, 422
GIVER = "don@example.org"
OFFICE = "/office/letters"


@dataclass(frozen=True)
class Giving:
    """Somebody who gives each month, and a mail server that keeps what it takes."""

    cards: Cards
    post: Post

    def begin(self, language: str = "en", **changes: str) -> Object:
        """Begin a monthly gift in a language, and pay its first month."""
        fields = FORM | {"interval": "monthly", "form_id": str(uuid4())} | changes
        browser = Browser(self.cards.served)
        answer = browser.post("/give", fields, **{"Accept-Language": language})
        assert answer.status_code == SEE_OTHER
        session_id = urlsplit(answer.headers["location"]).path.rpartition("/")[2]
        account = self.cards.double.account
        checkout.pay(account, session_id)
        self.cards.work()
        return account.objects[session_id]

    def renew(self, session: Object) -> UUID:
        """Let another month be paid, and act upon it; give its payment."""
        before = self.months()
        subscriptions.renew(self.cards.double.account, session["subscription"])
        self.cards.work()
        (fresh,) = self.months() - before
        return fresh

    def months(self) -> set[UUID]:
        """Give the payments of all months that came."""
        recorded = stored(self.cards.conninfo, "PaymentSucceeded")
        return {UUID(one.state["payment_id"]) for one in recorded}

    def sent(self) -> list[EmailMessage]:
        """Wait until no letter waits for its turn, and give what the mail server took."""
        self.cards.served.context.sender.submit(lambda: None).result()
        return self.post.letters

    def unsent(self) -> list[letters.Unsent]:
        self.sent()
        return letters.unsent(self.cards.served.context)

    def ticket_of(self, payment_id: UUID) -> str:
        return f"/g/{self.cards.served.context.tickets.code(payment_id)}"


def words_of(letter: EmailMessage) -> str:
    return str(letter.get_content()).replace("\xa0", " ").replace("\u202f", " ")


@pytest.fixture
def post() -> Post:
    return Post("none", None)


@pytest.fixture
def giving(tmp_path: Path, conninfo: str, post: Post) -> Iterator[Giving]:
    with post_office(post) as port:
        url = f"smtp://localhost:{port}"
        with taking_cards(tmp_path / "home", conninfo, SMTP_URL=url) as taking:
            yield Giving(taking, post)


class TestLetter:
    def test_each_later_month_is_told_with_its_ticket_and_how_to_end_it(
        self, giving: Giving
    ) -> None:
        session = giving.begin()
        assert giving.sent() == []
        later = giving.renew(session)
        (letter,) = giving.sent()
        assert giving.post.recipients == [GIVER]
        assert letter["To"] == GIVER
        month = f"{civil_day(datetime.now(UTC)):%B %Y}"
        assert letter["Subject"] == f"Your monthly gift, {month}: €10.00"
        said = words_of(letter)
        assert "Bonjour" not in said
        assert f"€10.00 for {month}" in said
        addresses = [line for line in said.splitlines() if line.startswith(PUBLIC_URL)]
        ticket, page = (one.removeprefix(PUBLIC_URL) for one in addresses)
        assert ticket == giving.ticket_of(later)
        browser = Browser(giving.cards.served)
        assert browser.get(ticket).status_code == OK
        shown = browser.get(page).text
        for one in (payment_id_of(session), later):
            assert giving.ticket_of(one) in shown
        assert browser.post(f"{page}/end").status_code == SEE_OTHER
        subscription = giving.cards.double.account.objects[session["subscription"]]
        assert subscription["status"] == "canceled"

    def test_it_is_in_the_language_that_she_began_in(self, giving: Giving) -> None:
        giving.renew(giving.begin("fr"))
        (letter,) = giving.sent()
        assert letter["Subject"].startswith("Votre don mensuel, ")
        assert "10,00 €" in words_of(letter)
        assert "Hello" not in words_of(letter)

    def test_who_began_before_languages_were_noted_reads_both(self, giving: Giving) -> None:
        session = giving.begin("fr")
        del giving.cards.double.account.objects[session["subscription"]]["metadata"]["language"]
        giving.renew(session)
        (letter,) = giving.sent()
        assert "Hello" in words_of(letter)
        assert "Bonjour" in words_of(letter)

    def test_it_goes_to_the_address_of_this_moment_which_is_kept_nowhere(
        self, giving: Giving, conninfo: str
    ) -> None:
        session = giving.begin()
        giving.cards.double.account.objects[session["customer"]]["email"] = "new@example.org"
        giving.renew(session)
        (letter,) = giving.sent()
        assert letter["To"] == "new@example.org"
        kept = every_byte(conninfo)
        assert b"new@example.org" not in kept
        assert GIVER.encode() not in kept
        assert not (giving.cards.served.context.settings.home / "mail").exists()

    def test_every_month_has_a_letter_of_its_own(self, giving: Giving) -> None:
        session = giving.begin()
        months = [giving.renew(session) for _ in range(3)]
        said = [words_of(one) for one in giving.sent()]
        assert len(said) == len(months)
        for one, letter in zip(months, said, strict=True):
            assert giving.ticket_of(one) in letter

    def test_a_month_that_did_not_come_is_not_told(self, giving: Giving) -> None:
        session = giving.begin()
        subscriptions.fail_renewal(giving.cards.double.account, session["subscription"])
        giving.cards.work()
        assert (giving.sent(), giving.unsent()) == ([], [])

    def test_what_was_given_once_is_not_told(self, giving: Giving) -> None:
        giving.cards.paid()
        giving.cards.work()
        assert (giving.sent(), giving.unsent()) == ([], [])


class TestOnce:
    def test_what_is_announced_and_listed_again_is_not_told_again(
        self, giving: Giving, conninfo: str
    ) -> None:
        session = giving.begin()
        later = giving.renew(session)
        context = giving.cards.served.context
        with context.pool.connection() as connection:
            connection.execute("UPDATE inbox SET handled_at = NULL, outcome = NULL")
        giving.cards.work_off()
        card_reconciling.reconcile(context)
        giving.cards.work_off()
        rebuild(conninfo, READ_MODELS)
        money.refund(giving.cards.double.account, charge_of_month(giving, later), 100)
        giving.cards.work()
        assert len(giving.sent()) == 1
        assert giving.unsent() == []

    def test_several_who_hear_of_a_month_at_once_tell_it_once(self, giving: Giving) -> None:
        session = giving.begin()
        account, context = giving.cards.double.account, giving.cards.served.context
        subscriptions.renew(account, session["subscription"])
        invoice_id = account.objects[session["subscription"]]["latest_invoice"]
        with ThreadPoolExecutor(4) as hearing:
            told = [hearing.submit(cards.apply, context, "invoice", invoice_id) for _ in range(8)]
        assert {one.result() for one in told} == {"applied"}
        assert len(giving.sent()) == 1
        # Whoever looked before it was recorded may note it after it was sent.
        (later,) = giving.months() - {payment_id_of(session)}
        assert not letters.note(context, "month", later)
        cards.apply(context, "invoice", invoice_id)
        assert len(giving.sent()) == 1
        assert giving.unsent() == []

    def test_a_month_of_before_letters_is_not_told(
        self, giving: Giving, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        session = giving.begin()
        with monkeypatch.context() as patch:
            patch.setattr(month_letters, "note", lambda *_: None)
            later = giving.renew(session)
        money.refund(giving.cards.double.account, charge_of_month(giving, later), 100)
        giving.cards.work()
        assert (giving.sent(), giving.unsent()) == ([], [])

    def test_a_letter_that_was_cut_short_waits_in_the_office_and_is_sent_once(
        self, giving: Giving, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        session = giving.begin()
        context = giving.cards.served.context
        with monkeypatch.context() as patch:
            patch.setattr(month_letters, "send_noted", lambda *_: None)
            later = giving.renew(session)
        noted = letters.noted(context, "month", later)
        assert noted is not None
        assert noted.sent_at is None
        long_ago = {"then": datetime.now(UTC) - timedelta(hours=1)}
        with context.pool.connection() as connection:
            connection.execute("UPDATE letter_due SET due_at = %(then)s", long_ago)
        (left,) = giving.unsent()
        assert (left.kind, left.about_id, left.failure) == ("month", later, None)
        officer = browser_of(giving.cards.served, "officer")
        page = officer.get(OFFICE)
        assert "ticket of a month, to its giver" in page.text
        assert f"/office/cards/payments/{later}" in page.text
        assert giving.ticket_of(later) not in page.text
        again = {"kind": "month", "about_id": str(later)}
        for _ in range(2):
            assert officer.post(OFFICE, again).status_code == SEE_OTHER
        assert len(giving.sent()) == 1
        assert giving.unsent() == []

    def test_what_failed_goes_with_the_next_that_is_heard_of_the_month(
        self, giving: Giving
    ) -> None:
        session = giving.begin()
        giving.post.refuses = "MAIL"
        later = giving.renew(session)
        (left,) = giving.unsent()
        assert left.failure is not None
        shown = browser_of(giving.cards.served, "officer").get(f"/office/cards/payments/{later}")
        assert "not sent" in text_of(shown)
        giving.post.refuses = ""
        money.refund(giving.cards.double.account, charge_of_month(giving, later), 100)
        giving.cards.work()
        assert len(giving.sent()) == 1
        assert giving.unsent() == []
        shown = browser_of(giving.cards.served, "officer").get(f"/office/cards/payments/{later}")
        assert "Letter to the giver" in text_of(shown)
        assert "not sent" not in text_of(shown)

    def test_what_was_given_back_before_its_turn_is_not_told(self, giving: Giving) -> None:
        session = giving.begin()
        giving.post.refuses = "MAIL"
        later = giving.renew(session)
        assert len(giving.unsent()) == 1
        giving.post.refuses = ""
        money.refund(giving.cards.double.account, charge_of_month(giving, later))
        giving.cards.work()
        assert (giving.sent(), giving.unsent()) == ([], [])


class TestNobody:
    @pytest.mark.parametrize("email", [None, "don@example.org, else@example.org"])
    def test_without_an_address_nothing_is_sent_and_the_office_is_told(
        self, giving: Giving, caplog: pytest.LogCaptureFixture, email: str | None
    ) -> None:
        session = giving.begin()
        giving.cards.double.account.objects[session["customer"]]["email"] = email
        giving.renew(session)
        (left,) = giving.unsent()
        assert (left.kind, left.failure) == ("month", "NoAddress")
        assert giving.sent() == []
        assert "NoAddress" in caplog.text
        page = browser_of(giving.cards.served, "officer").get(OFFICE)
        assert "Stripe has no e-mail address of the giver" in text_of(page)

    def test_without_a_mail_server_nothing_is_asked_or_sent_and_it_is_said(
        self, tmp_path: Path, conninfo: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.WARNING, "donpositif.letters")
        with taking_cards(tmp_path / "home", conninfo) as taking:
            giving = Giving(taking, Post("none", None))
            session = giving.begin()
            later = giving.renew(session)
            assert giving.unsent() == []
            assert letters.noted(taking.served.context, "month", later) is None
            assert not (tmp_path / "home" / "mail").exists()
            assert not [
                one
                for one in taking.double.asked
                if "expand" in one.query and "customer" in one.query
            ]
            assert f"the month {later}: no mail server is set" in caplog.text
            office = text_of(browser_of(taking.served, "officer").get("/office/cards"))
            assert "no mail server is set (SMTP_URL)" in office
            page = text_of(taking.returned(session))
            assert "No letter is sent about the tickets of the months to come" in page
            ticket = Browser(taking.served).get(giving.ticket_of(later))
            assert "/months" not in ticket.text
            answer = Browser(taking.served).post(f"{giving.ticket_of(later)}/months")
            assert answer.status_code == NOT_FOUND

    def test_a_letter_noted_while_there_was_a_mail_server_is_left_in_no_file(
        self, giving: Giving
    ) -> None:
        session = giving.begin()
        giving.post.refuses = "MAIL"
        later = giving.renew(session)
        assert len(giving.unsent()) == 1
        context = giving.cards.served.context
        context.settings = replace(context.settings, smtp_url=None)
        context.mail = mail_of(context.settings)
        again = {"kind": "month", "about_id": str(later)}
        answer = browser_of(giving.cards.served, "officer").post(OFFICE, again)
        assert answer.status_code == REFUSED
        (left,) = giving.unsent()
        assert left.failure == "NoMailServer"
        assert not (context.settings.home / "mail").exists()


class TestFromATicket:
    def test_its_holder_lets_the_giver_be_written_to_and_learns_nothing(
        self, giving: Giving
    ) -> None:
        session = giving.begin()
        later = giving.renew(session)
        first = payment_id_of(session)
        giving.sent().clear()
        holder = Browser(giving.cards.served)
        answer = holder.post(f"{giving.ticket_of(first)}/months")
        assert answer.status_code == SEE_OTHER
        shown = holder.get(answer.headers["location"])
        assert "A letter with the address goes to whoever gives" in text_of(shown)
        for page in (answer, shown, holder.get(giving.ticket_of(first))):
            assert GIVER not in page.text
            assert giving.ticket_of(later) not in page.text
            assert "/give/" not in page.text.replace('href="/give"', "")
        (letter,) = giving.sent()
        assert letter["To"] == GIVER
        (page_address,) = [
            line for line in words_of(letter).splitlines() if line.startswith(PUBLIC_URL)
        ]
        shown = holder.get(page_address.removeprefix(PUBLIC_URL))
        for one in (first, later):
            assert giving.ticket_of(one) in shown.text
        assert "End my monthly gift" in shown.text

    def test_she_is_written_to_once_a_day_whoever_asks(self, giving: Giving) -> None:
        session = giving.begin()
        later = giving.renew(session)
        giving.sent().clear()
        holder = Browser(giving.cards.served)
        for one in (payment_id_of(session), later, later):
            assert holder.post(f"{giving.ticket_of(one)}/months").status_code == SEE_OTHER
            assert len(giving.sent()) == 1
        yesterday = {"then": datetime.now(UTC) - month_letters.MONTHS_EVERY}
        with giving.cards.served.context.pool.connection() as connection:
            connection.execute("UPDATE letter_due SET sent_at = %(then)s", yesterday)
        holder.post(f"{giving.ticket_of(later)}/months")
        assert len(giving.sent()) == 2

    def test_a_letter_that_failed_is_not_tried_each_time_that_somebody_asks(
        self, giving: Giving
    ) -> None:
        session = giving.begin()
        giving.post.refuses = "MAIL"
        holder, path = Browser(giving.cards.served), giving.ticket_of(payment_id_of(session))
        holder.post(f"{path}/months")
        (first,) = giving.unsent()
        giving.post.refuses = ""
        holder.post(f"{path}/months")
        assert giving.unsent() == [first]
        long_ago = {"then": datetime.now(UTC) - month_letters.FAILED_AGAIN_AFTER}
        with giving.cards.served.context.pool.connection() as connection:
            connection.execute("UPDATE letter_due SET tried_at = %(then)s", long_ago)
        holder.post(f"{path}/months")
        assert len(giving.sent()) == 1
        assert giving.unsent() == []

    def test_a_gift_of_once_offers_nothing(self, giving: Giving) -> None:
        session = giving.cards.paid()
        giving.cards.work()
        ticket = giving.ticket_of(payment_id_of(session))
        holder = Browser(giving.cards.served)
        assert "/months" not in holder.get(ticket).text
        assert holder.post(f"{ticket}/months").status_code == NOT_FOUND
        assert holder.post("/g/2222-2222-2222/months").status_code == NOT_FOUND
        assert giving.unsent() == []


def charge_of_month(giving: Giving, payment_id: UUID) -> str:
    (charge_id,) = {
        one.state["charge_id"]
        for one in stored(giving.cards.conninfo, "PaymentSucceeded")
        if one.state["payment_id"] == str(payment_id)
    }
    return str(charge_id)
