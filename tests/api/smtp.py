"""A mail server as small as one can be: enough SMTP to take a letter, or to refuse one.

It listens, speaks TLS and asks for a password as real ones do, and keeps all that it was told.
"""

import base64
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any, Literal, cast

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

Tls = Literal["none", "starttls", "at once"]


@dataclass(slots=True)
class Post:
    """What the server offers, and what it was told: every line in clear, and each letter."""

    tls: Tls
    certificate: ssl.SSLContext | None
    user: str = ""
    password: str = ""
    refuses: str = ""
    in_clear: list[bytes] = field(default_factory=list)
    letters: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)


class Office(ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    post: Post

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that finds the certificate bad breaks off, as it should."""


class Counter(StreamRequestHandler):
    """Serves one client."""

    def setup(self) -> None:
        self.post = cast(Office, self.server).post
        self.secret = False
        self.welcome = True
        if self.post.tls == "at once":
            self.encrypt()
        super().setup()

    def encrypt(self) -> None:
        assert self.post.certificate is not None
        self.request = self.post.certificate.wrap_socket(self.request, server_side=True)
        self.secret = True

    def finish(self) -> None:
        super().finish()
        self.request.close()

    def say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

    def line(self) -> str:
        text = self.rfile.readline()
        if not self.secret:
            self.post.in_clear.append(text)
        return text.decode().strip()

    def handle(self) -> None:
        self.say("220 here")
        while (line := self.line()) and not line.upper().startswith("QUIT"):
            self.answer(line)
        self.say("221 bye")

    def answer(self, line: str) -> None:
        verb, _, rest = line.partition(" ")
        if self.post.refuses and line.upper().startswith(self.post.refuses):
            self.say("550 no")
            return
        match verb.upper():
            case "EHLO" if self.post.tls == "starttls" and not self.secret:
                self.say("250-here", "250 STARTTLS")
            case "EHLO" if self.post.user:
                self.say("250-here", "250 AUTH PLAIN")
            case "STARTTLS":
                self.say("220 go on")
                self.rfile.close()
                self.wfile.close()
                self.encrypt()
                super().setup()
            case "AUTH":
                known = base64.b64decode(rest.split()[1]).decode().split("\0")[1:]
                right = known == [self.post.user, self.post.password]
                self.say("235 welcome" if right else "535 wrong")
            case "RCPT":
                self.post.recipients.append(rest.partition(":")[2].strip("<>"))
                self.say("250 fine")
            case "DATA":
                self.say("354 go on")
                self.take_letter()
                self.say("250 taken")
            case _:
                self.say("250 fine")

    def take_letter(self) -> None:
        lines: list[bytes] = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        self.post.letters.append(message_from_bytes(b"".join(lines), policy=SMTP))


@contextmanager
def post_office(post: Post, port: int = 0) -> Iterator[int]:
    """Serve until the end of the block, and give the port."""
    with Office(("127.0.0.1", port), Counter) as office:
        office.post = post
        thread = threading.Thread(target=office.serve_forever, args=(0.05,), name="post office")
        thread.start()
        try:
            yield office.server_address[1]
        finally:
            office.shutdown()
            thread.join()


def certificate_for(name: str, folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Make a certificate that vouches for itself; who is to trust it is given its file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    usage = dict.fromkeys(
        (
            *("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
            *("crl_sign", "encipher_only", "decipher_only"),
        ),
        False,
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=True, key_cert_sign=True, **usage), critical=True
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )
    public, private = folder / f"{name}.pem", folder / f"{name}.key"
    public.write_bytes(made.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return context, public
