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
WEBHOOK_SECRETS_MAX = 2
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
    stripe_secret_key: str | None = field(default=None, repr=False)
    # Two while one of them is being replaced.
    stripe_webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    stripe_api_base: str | None = None

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
            stripe_secret_key=_stripe_secret_key(given),
            stripe_webhook_secrets=_stripe_webhook_secrets(given),
            stripe_api_base=_stripe_api_base(given),
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


def _stripe_secret_key(given: Mapping[str, str]) -> str | None:
    key = given.get("STRIPE_SECRET_KEY")
    if key is not None and not re.fullmatch(r"[sr]k_(test|live)_[A-Za-z0-9_]+", key):
        # What it holds is never repeated.
        raise SettingRefused(
            "STRIPE_SECRET_KEY", "…", "sk_test_…, sk_live_…, rk_test_… or rk_live_…"
        )
    return key


def _stripe_webhook_secrets(given: Mapping[str, str]) -> tuple[str, ...]:
    """An empty secret would verify whatever anybody signs: none is taken."""
    secrets = tuple(given.get("STRIPE_WEBHOOK_SECRETS", "").replace(",", " ").split())
    known = all(re.fullmatch(r"whsec_[A-Za-z0-9+/=_-]+", one) for one in secrets)
    if len(secrets) > WEBHOOK_SECRETS_MAX or not known:
        expected = "one whsec_…, or two with a comma between while one is being replaced"
        raise SettingRefused("STRIPE_WEBHOOK_SECRETS", "…", expected)
    return secrets


def _stripe_api_base(given: Mapping[str, str]) -> str | None:
    """Another address than Stripe's is for tests: a key that moves real money never goes there."""
    base = given.get("STRIPE_API_BASE")
    if base is None:
        return None
    live = "_live_" in given.get("STRIPE_SECRET_KEY", "")
    if live or not re.fullmatch(r"https?://[^\s/?#]+", base):
        raise SettingRefused("STRIPE_API_BASE", base, "http://host:port, and only with a test key")
    return base
