"""What the operator may choose, read once from the environment."""

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT_HOME = Path("/var/lib/donpositif")
WORKERS_MAX = 64
PORT_MAX = 65_535
SWITCH = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


class SettingRefused(Exception):
    """An environment variable holds what the service cannot use."""

    def __init__(self, name: str, value: str, expected: str) -> None:
        super().__init__(name, value, expected)
        self.name = name
        self.value = value
        self.expected = expected

    def __str__(self) -> str:
        return f"{self.name}={self.value}: expected {self.expected}"


@dataclass(frozen=True, slots=True)
class Settings:
    home: Path
    database_url: str | None = field(repr=False)  # It may hold a password.
    host: str
    port: int
    workers: int
    demo: bool
    public_url: str
    smtp_url: str | None = field(default=None, repr=False)  # It may hold a password.
    mail_from: str | None = None
    trusted_proxies: tuple[str, ...] = ()

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Settings":
        """An empty variable counts as absent: compose files cannot leave one out."""
        given = {name: value.strip() for name, value in environ.items() if value.strip()}
        host = given.get("HOST", "127.0.0.1")
        port = _number(given, "PORT", 8000, PORT_MAX)
        return cls(
            home=_home(given),
            database_url=given.get("DATABASE_URL"),
            host=host,
            port=port,
            workers=_number(given, "WORKERS", 1, WORKERS_MAX),
            demo=_switch(given, "DEMO"),
            public_url=_public_url(given, host, port),
            smtp_url=_smtp_url(given),
            mail_from=_mail_from(given),
            trusted_proxies=_trusted_proxies(given),
        )


def _home(given: Mapping[str, str]) -> Path:
    chosen = given.get("DONPOSITIF_HOME")
    if chosen is not None:
        return Path(chosen).expanduser().absolute()
    if os.geteuid() == 0:
        return ROOT_HOME
    data_home = Path(given.get("XDG_DATA_HOME", ""))
    if not data_home.is_absolute():  # The XDG specification says to ignore a relative one.
        data_home = (Path(given["HOME"]) if "HOME" in given else Path.home()) / ".local/share"
    return data_home / "donpositif"


def _number(given: Mapping[str, str], name: str, default: int, maximum: int) -> int:
    text = given.get(name, str(default))
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= maximum):
        raise SettingRefused(name, text, f"a whole number from 1 to {maximum}")
    return int(text)


def _switch(given: Mapping[str, str], name: str) -> bool:
    text = given.get(name, "1")
    if text.lower() not in SWITCH:
        raise SettingRefused(name, text, "1 or 0")
    return SWITCH[text.lower()]


def _public_url(given: Mapping[str, str], host: str, port: int) -> str:
    address = f"[{host}]" if ":" in host else host
    text = given.get("PUBLIC_URL", f"http://{address}:{port}")
    expected = "an address that starts with http:// or https://, without query or fragment"
    try:
        parts = urlsplit(text)
    except ValueError as failure:
        raise SettingRefused("PUBLIC_URL", text, expected) from failure
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise SettingRefused("PUBLIC_URL", text, expected)
    return text.rstrip("/")


def _smtp_url(given: Mapping[str, str]) -> str | None:
    text = given.get("SMTP_URL")
    if text is None:
        return None
    # What it holds is never repeated: it may be a password.
    refused = SettingRefused("SMTP_URL", "…", "smtp://user:password@host:587 or smtps://…")
    try:
        parts = urlsplit(text)
        known = parts.scheme in {"smtp", "smtps"} and parts.hostname and parts.port != 0
    except ValueError:
        raise refused from None
    # Python's SMTP writes no other letters in a name or a password.
    plain = unquote((parts.username or "") + (parts.password or "")).isascii()
    if not (known and plain):
        raise refused
    return text


def _mail_from(given: Mapping[str, str]) -> str | None:
    text = given.get("MAIL_FROM")
    if text is not None and not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", text):
        raise SettingRefused("MAIL_FROM", text, "an e-mail address")
    return text


def _trusted_proxies(given: Mapping[str, str]) -> tuple[str, ...]:
    text = given.get("TRUSTED_PROXIES", "")
    refused = SettingRefused(
        "TRUSTED_PROXIES", text, "addresses or networks with commas between, and never all of them"
    )
    try:
        networks = [ipaddress.ip_network(one) for one in text.replace(",", " ").split()]
    except ValueError:
        raise refused from None
    if any(network.prefixlen == 0 for network in networks):
        raise refused
    return tuple(map(str, networks))
