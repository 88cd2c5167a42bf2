"""Letters to people: through the operator's SMTP server, or into a folder when there is none."""

import secrets
import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import unquote, urlsplit

from api.i18n import LANGUAGES, Language
from api.pages import environment
from ledger.settings import Settings

TIMEOUT_SECONDS: Final = 20


class MailFailed(Exception):
    """The letter was not taken by the mail server or the disk; what it said is the cause."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A document that goes with a letter; `kind` is its media type."""

    name: str
    kind: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter, to one person or to several of one shop; in every language, or in hers alone."""

    to: str
    subject: str
    text: str
    attachments: tuple[Attachment, ...] = ()


class Mail(Protocol):
    """Takes letters. Raises MailFailed."""

    def send(self, letter: Letter) -> None: ...


def mail_of(settings: Settings) -> Mail:
    """Give what the settings choose."""
    sender = settings.mail_from or f"don-positif@{urlsplit(settings.public_url).hostname}"
    if settings.smtp_url is None:
        return MailFolder(settings.home / "mail", sender)
    return MailServer(settings.smtp_url, sender)


def letter(
    to: str, template: str, *, languages: Sequence[Language] = LANGUAGES, **values: Any
) -> Letter:
    """Write a letter from a template whose blocks are `subject` and `text`.

    It is in every language of the pages, one after the other, unless the reader's is known.
    """
    subjects: list[str] = []
    texts: list[str] = []
    for language in languages:
        page = environment(language).get_template(f"account/mail/{template}")
        context = page.new_context(values)
        subjects.append("".join(page.blocks["subject"](context)).strip())
        texts.append("".join(page.blocks["text"](context)).strip())
    return Letter(to, " / ".join(subjects), "\n\n— — —\n\n".join(texts) + "\n")


def message_of(letter: Letter, sender: str) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = letter.to
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    for one in letter.attachments:
        main, _, sub = one.kind.partition("/")
        message.add_attachment(one.content, maintype=main, subtype=sub, filename=one.name)
    return message


@dataclass(frozen=True, slots=True)
class MailFolder:
    """Letters as `.eml` files that only their owner can read, for whoever has no mail server."""

    folder: Path
    sender: str

    def send(self, letter: Letter) -> None:
        try:
            self._keep(letter)
        except OSError as cause:
            raise MailFailed(type(cause).__name__) from cause

    def _keep(self, letter: Letter) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        draft = self.folder / f"{name}.draft"
        draft.touch(mode=0o600)
        draft.write_bytes(message_of(letter, self.sender).as_bytes())
        draft.rename(self.folder / f"{name}.eml")


@dataclass(frozen=True, slots=True)
class MailServer:
    """An SMTP server: `smtp://` upgrades to TLS where a password is sent, `smtps://` begins so."""

    url: str = field(repr=False)
    sender: str

    def send(self, letter: Letter) -> None:
        message = message_of(letter, self.sender)
        try:
            with self._connected() as server:
                server.send_message(message)
        except (OSError, UnicodeError, smtplib.SMTPException) as cause:
            # Its name alone: what it says may repeat what was sent, and is kept and shown.
            raise MailFailed(type(cause).__name__) from cause

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        tls = ssl.create_default_context()
        if parts.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                host, parts.port or 465, timeout=TIMEOUT_SECONDS, context=tls
            )
        else:
            server = smtplib.SMTP(host, parts.port or 587, timeout=TIMEOUT_SECONDS)
        with server:
            server.ehlo()
            if parts.scheme == "smtp" and (parts.username or server.has_extn("starttls")):
                # A password never goes in clear: without TLS on offer this raises.
                server.starttls(context=tls)
                server.ehlo()
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
            yield server
