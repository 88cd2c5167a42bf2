"""Letters through a mail server that really answers: taken, refused, never in clear."""

import logging
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from api import letters, people
from api.mail import Letter, MailFailed, MailServer, mail_of
from ledger.settings import Settings
from tests.api.people import Browser, browser_of, person
from tests.api.served import Served, free_port, service, serving, settings_in
from tests.api.smtp import Post, Tls, certificate_for, post_office

USER = "don-positif@exemple.fr"
# As it may be: with letters that an address must escape.
PASSWORD = "p@ss/w%rd:9"
SENDER = "don-positif@exemple.fr"
LETTER = Letter("anne@exemple.fr", "Un lien / A link", "Bonjour Anne,\n.\n..été\n")


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate for this machine that the machine trusts."""
    context, file = certificate_for("localhost", tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    return context


@pytest.fixture
def post(trusted: ssl.SSLContext) -> Post:
    return Post("starttls", trusted, USER, PASSWORD)


def url_of(port: int, scheme: str = "smtp", password: str = PASSWORD) -> str:
    return f"{scheme}://{quote(USER, safe='')}:{quote(password, safe='')}@localhost:{port}"


def send(url: str) -> None:
    MailServer(url, SENDER).send(LETTER)


def assert_taken(post: Post) -> None:
    (taken,) = post.letters
    assert (taken["From"], taken["To"], taken["Subject"]) == (SENDER, LETTER.to, LETTER.subject)
    assert taken.get_content().replace("\r\n", "\n") == LETTER.text
    assert post.recipients == [LETTER.to]


def assert_kept_secret(post: Post) -> None:
    said = b"".join(post.in_clear)
    assert b"AUTH" not in said
    assert LETTER.to.encode() not in said


class TestTaken:
    @pytest.mark.parametrize(("scheme", "tls"), [("smtp", "starttls"), ("smtps", "at once")])
    def test_a_letter_arrives_as_it_was_written(self, post: Post, scheme: str, tls: Tls) -> None:
        post.tls = tls
        with post_office(post) as port:
            send(url_of(port, scheme))
        assert_taken(post)
        assert_kept_secret(post)

    def test_a_server_of_this_machine_needs_neither_password_nor_tls(self) -> None:
        post = Post("none", None)
        with post_office(post) as port:
            send(f"smtp://localhost:{port}")
        assert_taken(post)

    def test_tls_on_offer_is_used_without_a_password_too(self, post: Post) -> None:
        post.user = ""
        with post_office(post) as port:
            send(f"smtp://localhost:{port}")
        assert_taken(post)
        assert_kept_secret(post)


class TestRefused:
    @pytest.mark.parametrize(("scheme", "tls"), [("smtp", "starttls"), ("smtps", "at once")])
    @pytest.mark.parametrize("name", ["localhost", "mail.exemple.fr"])
    def test_a_bad_certificate_gets_neither_password_nor_letter(  # noqa: PLR0917 - its cases.
        self,
        post: Post,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        scheme: str,
        tls: Tls,
        name: str,
    ) -> None:
        """For this machine but unknown to it, or known to it but for another machine."""
        post.certificate, file = certificate_for(name, tmp_path)
        post.tls = tls
        trusted = name != "localhost"
        monkeypatch.setenv("SSL_CERT_FILE", str(file if trusted else tmp_path / "none.pem"))
        with post_office(post) as port, pytest.raises(MailFailed, match="CertVerification"):
            send(url_of(port, scheme))
        assert post.letters == []
        assert_kept_secret(post)

    def test_without_tls_no_password_is_told(self) -> None:
        post = Post("none", None, USER, PASSWORD)
        with post_office(post) as port, pytest.raises(MailFailed, match="NotSupported"):
            send(url_of(port))
        assert post.letters == []
        assert_kept_secret(post)

    def test_a_wrong_password_is_not_repeated_in_the_refusal(self, post: Post) -> None:
        with post_office(post) as port, pytest.raises(MailFailed) as failed:
            send(url_of(port, password="wrong/word"))
        assert str(failed.value) == "SMTPAuthenticationError"
        assert post.letters == []

    @pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
    def test_a_letter_the_server_does_not_want_is_told(self, post: Post, verb: str) -> None:
        post.refuses = verb
        with post_office(post) as port, pytest.raises(MailFailed):
            send(url_of(port))
        assert post.letters == []

    def test_a_server_that_is_down_is_told(self) -> None:
        with pytest.raises(MailFailed, match="ConnectionRefused"):
            send(url_of(free_port()))


class TestServed:
    @pytest.fixture
    def port(self) -> int:
        return free_port()

    @pytest.fixture
    def sending(self, tmp_path: Path, conninfo: str, port: int) -> Iterator[Served]:
        """A service whose mail server is down."""
        settings = replace(settings_in(tmp_path / "home"), smtp_url=url_of(port), mail_from=SENDER)
        with serving(settings, conninfo) as served:
            yield served

    def test_a_letter_is_kept_and_said_while_the_server_is_down_and_sent_later(
        self, sending: Served, post: Post, port: int
    ) -> None:
        admin = browser_of(sending, "administrator")
        asked = {"email": LETTER.to, "name": "Anne", "role": "officer"}
        answer = admin.post("/office/accounts", asked)
        assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        assert "the letter could not be sent" in answer.text
        (kept,) = letters.unsent(sending.context)
        assert (kept.kind, kept.failure) == ("enrolment", "ConnectionRefusedError")
        with post_office(post, port):
            people.send_noted_link(sending.context, "enrolment", kept.about_id)
        (taken,) = post.letters
        assert taken["To"] == LETTER.to
        assert "/account/link/" in taken.get_content()
        assert letters.unsent(sending.context) == []

    def test_no_answer_and_no_log_line_has_the_password(
        self, sending: Served, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        one = person(sending, "officer")
        answers = [Browser(sending).post("/account/forgotten", {"email": one.email}).text]
        answers += [browser_of(sending, "administrator").get("/office/accounts").text]
        answers += [repr(sending.context.mail), repr(sending.context), caplog.text]
        answers += [letter.failure or "" for letter in letters.unsent(sending.context)]
        for text in answers:
            assert PASSWORD not in text
            assert quote(PASSWORD, safe="") not in text


def test_the_service_says_that_it_cannot_send_and_never_its_password(
    tmp_path: Path, conninfo: str
) -> None:
    home = tmp_path / "home"
    with serving(settings_in(home), conninfo) as served:
        one = person(served, "officer")
    url = url_of(free_port())
    with service(home, DATABASE_URL=conninfo, SMTP_URL=url, PUBLIC_URL="") as running:
        answer = httpx.post(
            f"{running.url}/account/forgotten",
            data={"email": one.email},
            headers={"Sec-Fetch-Site": "same-origin"},
            timeout=60,
        )
        assert answer.status_code < httpx.codes.BAD_REQUEST
        running.stop()
        assert "ConnectionRefusedError" in running.said
        for secret in (PASSWORD, quote(PASSWORD, safe=""), url, one.email):
            assert secret not in running.said


def test_the_settings_choose_the_server(tmp_path: Path) -> None:
    chosen = {"DONPOSITIF_HOME": str(tmp_path), "SMTP_URL": "smtps://mail.exemple.fr"}
    mail = mail_of(Settings.from_environment(chosen | {"PUBLIC_URL": "https://dons.exemple.fr"}))
    assert mail == MailServer("smtps://mail.exemple.fr", "don-positif@dons.exemple.fr")
