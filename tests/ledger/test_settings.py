import os
from pathlib import Path

import pytest

from ledger.db import DatabaseUrlRefused, database
from ledger.settings import SettingRefused, Settings


def test_nothing_set_serves_this_machine_alone() -> None:
    settings = Settings.from_environment({})
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 8000, 1)
    assert settings.public_url == "http://127.0.0.1:8000"
    assert settings.database_url is None
    assert settings.demo


def test_everything_may_be_set(tmp_path: Path) -> None:
    settings = Settings.from_environment(
        {
            "DONPOSITIF_HOME": str(tmp_path),
            "DATABASE_URL": "postgresql://db/gifts",
            "HOST": "0.0.0.0",  # noqa: S104 — what a container is given.
            "PORT": "8080",
            "WORKERS": "2",
            "DEMO": "0",
            "PUBLIC_URL": "https://dons.example/",
            "TRUSTED_PROXIES": "192.0.2.7, 2001:db8::/48",
        }
    )
    assert settings == Settings(
        home=tmp_path,
        database_url="postgresql://db/gifts",
        host="0.0.0.0",  # noqa: S104 — what a container is given.
        port=8080,
        workers=2,
        demo=False,
        public_url="https://dons.example",
        trusted_proxies=("192.0.2.7/32", "2001:db8::/48"),
    )


def test_an_empty_variable_counts_as_absent() -> None:
    names = ["DONPOSITIF_HOME", "DATABASE_URL", "HOST", "PORT", "WORKERS", "DEMO", "PUBLIC_URL"]
    empty = dict.fromkeys(names, " ")
    assert Settings.from_environment(empty) == Settings.from_environment({})


@pytest.mark.parametrize(
    ("uid", "environ", "home"),
    [
        (0, {"HOME": "/somewhere"}, "/var/lib/donpositif"),
        (1000, {"HOME": "/somewhere"}, "/somewhere/.local/share/donpositif"),
        (1000, {"HOME": "/somewhere", "XDG_DATA_HOME": "/data"}, "/data/donpositif"),
        (
            1000,
            {"HOME": "/somewhere", "XDG_DATA_HOME": "data"},
            "/somewhere/.local/share/donpositif",
        ),
    ],
)
def test_the_home_of_root_and_of_an_ordinary_user(
    uid: int, environ: dict[str, str], home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    assert Settings.from_environment(environ).home == Path(home)


def test_a_relative_home_becomes_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert Settings.from_environment({"DONPOSITIF_HOME": "state"}).home == tmp_path / "state"


def test_the_public_address_of_an_ipv6_host_is_bracketed() -> None:
    assert Settings.from_environment({"HOST": "::1"}).public_url == "http://[::1]:8000"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "http"),
        ("PORT", "-1"),
        ("PORT", "٣"),
        ("WORKERS", "0"),
        ("WORKERS", "1.5"),
        ("WORKERS", "65"),
        ("DEMO", "maybe"),
        ("PUBLIC_URL", "dons.example"),
        ("PUBLIC_URL", "ftp://dons.example"),
        ("PUBLIC_URL", "https://"),
        ("PUBLIC_URL", "https://["),
        ("PUBLIC_URL", "https://dons.example/?a=b"),
        ("TRUSTED_PROXIES", "*"),
        ("TRUSTED_PROXIES", "0.0.0.0/0"),
        ("TRUSTED_PROXIES", "192.0.2.7, ::/0"),
        ("TRUSTED_PROXIES", "192.0.2.7/24"),
        ("TRUSTED_PROXIES", "proxy.example"),
    ],
)
def test_a_bad_value_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingRefused) as refusal:
        Settings.from_environment({name: value})
    assert (refusal.value.name, refusal.value.value) == (name, value)
    assert str(refusal.value).startswith(f"{name}={value}: expected ")


def test_the_given_database_is_used_as_it_is() -> None:
    settings = Settings.from_environment({"DATABASE_URL": "postgresql://db/gifts"})
    with database(settings) as conninfo:
        assert conninfo == "postgresql://db/gifts"


@pytest.mark.parametrize("url", ["postgresql://u:secret@[db/gifts", "secret", "password=secret x"])
def test_an_unreadable_database_url_is_refused_without_repeating_it(url: str) -> None:
    settings = Settings.from_environment({"DATABASE_URL": url})
    with pytest.raises(DatabaseUrlRefused) as refusal, database(settings):
        pass
    assert "secret" not in str(refusal.value)
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__


def test_settings_do_not_print_the_database_password() -> None:
    settings = Settings.from_environment({"DATABASE_URL": "postgresql://u:secret@db/gifts"})
    assert "secret" not in repr(settings)


@pytest.mark.parametrize("url", ["smtp://u:w%C3%B6rd@mail", "smtp://u:wörd@mail", "smtp://ü@mail"])
def test_a_mail_password_that_smtp_cannot_carry_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(SettingRefused) as refusal:
        Settings.from_environment({"SMTP_URL": url})
    assert url not in str(refusal.value)
    assert "rd" not in str(refusal.value.value)
