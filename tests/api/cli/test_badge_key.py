"""The key of badges is rotated: what it signed still verifies, unless it leaked."""

import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ledger import keyring
from ledger.keyring import badge_keys, open_badge_key, read, rotate_badge_key
from projections.every import READ_MODELS
from projections.follow import catch_up
from tests.api.cli.outcomes import Run, assert_refused
from tests.api.served import PUBLIC_URL, Served, serving, settings_in
from tests.api.shops import shop_in


class Killed(BaseException):
    """What ends a process in the middle."""


@pytest.fixture(autouse=True)
def public_address(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLIC_URL", PUBLIC_URL)


def keys_told(served: Served) -> list[str]:
    document = served.client.get("/.well-known/did.json").json()
    assert [one["id"] for one in document["verificationMethod"]] == document["assertionMethod"]
    return [one["publicKeyMultibase"] for one in document["verificationMethod"]]


def verdict(served: Served, badge: dict[str, Any]) -> str:
    """Ask our page about a badge, as a browser without scripts does."""
    form = {"badge": json.dumps(badge)}
    headers = {"Sec-Fetch-Site": "same-origin", "Accept-Language": "en"}
    page = served.client.post("/verify", data=form, headers=headers).text
    answer = page.split('id="answer"')[1].split("<form")[0]
    return "genuine" if "answer-yes" in answer else "not genuine"


@pytest.mark.parametrize("leaked", [False, True])
def test_a_running_service_signs_by_the_new_key_at_once(
    run: Run, home: Path, conninfo: str, *, leaked: bool
) -> None:
    shop = shop_in(conninfo)
    catch_up(conninfo, READ_MODELS)
    with serving(settings_in(home), conninfo) as served:
        path = f"/badges/{shop.partner_id}.json"
        before, (old,) = served.client.get(path).json(), keys_told(served)
        assert verdict(served, before) == "genuine"
        flags = ["--leaked"] if leaked else []
        facts = run("badge", "rotate", *flags, "--json").facts
        assert facts == {"key": facts["key"], "former_keys": 0 if leaked else 1}
        after = served.client.get(path).json()
        assert after["proof"][0]["verificationMethod"].endswith(facts["key"])
        assert keys_told(served) == [facts["key"], *([] if leaked else [old])]
        assert verdict(served, after) == "genuine"
        assert verdict(served, before) == ("not genuine" if leaked else "genuine")
        (status,) = {
            served.client.get(f"/badges/status/{purpose}").json()["proof"][0]["verificationMethod"]
            for purpose in ("revocation", "suspension")
        }
        assert status.endswith(facts["key"])


def test_keys_of_several_rotations_are_kept_the_newest_first(
    run: Run, home: Path, conninfo: str
) -> None:
    with psycopg.connect(conninfo) as connection:
        keys = [open_badge_key(home, connection).multikey]
    keys += [run("badge", "rotate", "--json").facts["key"] for _ in range(3)]
    with psycopg.connect(conninfo) as connection:
        assert badge_keys(connection) == tuple(reversed(keys))
        assert open_badge_key(home, connection).multikey == keys[-1]
    assert [path.name for path in (home / "keys").glob("badge*")] == ["badge.key"]


def test_without_the_key_nothing_is_rotated(run: Run, home: Path, conninfo: str) -> None:
    run("badge", "rotate")
    key = home / "keys" / "badge.key"
    key.rename(home / "elsewhere")
    assert_refused(run("badge", "rotate"), "KeyMissing")
    assert not key.exists()


@pytest.mark.parametrize("step", ["create", "settle_badge_key"])
def test_a_rotation_that_is_killed_leaves_one_key_that_opens(
    home: Path, conninfo: str, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        old = open_badge_key(home, connection).multikey
    real, calls = getattr(keyring, step), []

    def killed(*asked: Any) -> None:
        calls.append(asked)
        # The first settling is that of the opening before; the second comes after the commit.
        if step == "create" or len(calls) == 2:
            raise Killed
        real(*asked)

    monkeypatch.setattr(keyring, step, killed)
    with (
        pytest.raises(Killed),
        psycopg.connect(conninfo, autocommit=True) as connection,
    ):
        rotate_badge_key(home, connection, leaked=False)
    monkeypatch.undo()
    with psycopg.connect(conninfo, autocommit=True) as connection:
        new = open_badge_key(home, connection).multikey
        assert badge_keys(connection) == ((old,) if step == "create" else (new, old))
        assert (new == old) == (step == "create")
        assert len(read(home / "keys" / "badge.key")) == 32
