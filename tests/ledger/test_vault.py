import secrets
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from ledger import keyring
from ledger.keyring import KeyDiffers, KeyMalformed, KeyMissing
from ledger.vault import (
    FieldTaken,
    Rotated,
    SubjectErased,
    Vault,
    VaultTampered,
    keys,
    rotate,
    rotation,
)
from tests.api.stored import every_byte

ANNE, LUC = UUID(int=1), UUID(int=2)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def pool(conninfo: str) -> Iterator[ConnectionPool[Any]]:
    with ConnectionPool(conninfo, min_size=1, max_size=4, kwargs={"autocommit": True}) as opened:
        yield opened


@pytest.fixture
def vault(pool: ConnectionPool[Any], home: Path) -> Vault:
    return Vault(pool, home)


def turn(pool: ConnectionPool[Any], home: Path) -> Rotated:
    with pool.connection() as connection:
        return rotate(connection, home, lambda _: None)


def key_file(home: Path) -> Path:
    return home / "keys" / "vault.key"


def keys_in(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "keys").iterdir())


class TestKept:
    def test_fields_of_a_person_are_read_again(self, vault: Vault) -> None:
        vault.put(ANNE, "name", "Anne Fabre")
        vault.put(ANNE, "phone", "04 90 00 00 00")
        vault.put(ANNE, "name", "Anne Fabre-Roux")
        assert vault.get(ANNE, "name") == "Anne Fabre-Roux"
        assert vault.fields(ANNE) == {"name": "Anne Fabre-Roux", "phone": "04 90 00 00 00"}

    def test_what_is_not_known_is_none(self, vault: Vault) -> None:
        assert vault.get(ANNE, "name") is None
        assert vault.fields(ANNE) == {}

    def test_another_start_reads_the_same(
        self, vault: Vault, pool: ConnectionPool[Any], home: Path
    ) -> None:
        vault.put(ANNE, "name", "Anne Fabre")
        assert Vault(pool, home).get(ANNE, "name") == "Anne Fabre"

    def test_nothing_of_it_is_readable_in_the_database(self, vault: Vault, conninfo: str) -> None:
        vault.put(ANNE, "email", "anne.fabre@exemple.fr", sought=True)
        stored = every_byte(conninfo)
        assert b"anne.fabre" not in stored
        assert b"exemple.fr" not in stored

    @pytest.mark.usefixtures("vault")
    def test_the_key_file_is_its_owner_s_alone(self, home: Path) -> None:
        assert key_file(home).stat().st_mode & 0o777 == 0o600
        assert key_file(home).parent.stat().st_mode & 0o777 == 0o700

    def test_threads_share_a_vault(self, vault: Vault) -> None:
        subjects = [uuid4() for _ in range(20)]

        def keep(field: str) -> None:
            for subject in subjects:
                vault.put(subject, field, f"{field} of {subject}")

        writers = [threading.Thread(target=keep, args=(field,)) for field in "abcd"]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        for subject in subjects:
            assert vault.fields(subject) == {f: f"{f} of {subject}" for f in "abcd"}


class TestSought:
    def test_a_person_is_found_by_a_sought_field_alone(self, vault: Vault) -> None:
        vault.put(ANNE, "email", "anne@exemple.fr", sought=True)
        vault.put(ANNE, "name", "Anne")
        assert vault.find("email", "anne@exemple.fr") == ANNE
        assert vault.find("email", "luc@exemple.fr") is None
        assert vault.find("name", "Anne") is None

    def test_two_people_are_never_found_by_the_same(self, vault: Vault) -> None:
        vault.put(ANNE, "email", "anne@exemple.fr", sought=True)
        vault.put(LUC, "email", "luc@exemple.fr", sought=True)
        for subject in (LUC, uuid4()):
            with pytest.raises(FieldTaken):
                vault.put(subject, "email", "anne@exemple.fr", sought=True)
            assert vault.get(subject, "email") in {None, "luc@exemple.fr"}

    def test_the_old_text_no_longer_finds(self, vault: Vault) -> None:
        vault.put(ANNE, "email", "anne@exemple.fr", sought=True)
        vault.put(ANNE, "email", "roux@exemple.fr", sought=True)
        assert vault.find("email", "anne@exemple.fr") is None
        assert vault.find("email", "roux@exemple.fr") == ANNE


class TestErased:
    def test_everything_of_a_person_goes_and_others_stay(self, vault: Vault) -> None:
        vault.put(ANNE, "email", "anne@exemple.fr", sought=True)
        vault.put(LUC, "name", "Luc")
        vault.erase(ANNE)
        assert vault.fields(ANNE) == {}
        assert vault.find("email", "anne@exemple.fr") is None
        assert vault.get(LUC, "name") == "Luc"

    def test_nothing_is_kept_of_her_again(self, vault: Vault) -> None:
        vault.erase(ANNE)
        with pytest.raises(SubjectErased):
            vault.put(ANNE, "name", "Anne")

    def test_it_is_complete_only_after_a_rotation(
        self, vault: Vault, pool: ConnectionPool[Any], home: Path
    ) -> None:
        vault.put(ANNE, "name", "Anne")
        vault.erase(ANNE)
        vault.erase(ANNE)
        assert vault.erasures_pending() == 1
        assert turn(pool, home).erasures == 1
        assert vault.erasures_pending() == 0
        assert turn(pool, home).erasures == 0

    def test_an_old_copy_of_the_tables_no_longer_opens(
        self, vault: Vault, pool: ConnectionPool[Any], home: Path
    ) -> None:
        vault.put(ANNE, "name", "Anne")
        with pool.connection() as connection:
            wrapped = connection.execute("SELECT wrapped FROM vault_key").fetchone()
        assert wrapped is not None
        vault.erase(ANNE)
        turn(pool, home)
        held = keys.Kek.of(keyring.read(key_file(home)), 1)
        with pytest.raises(VaultTampered):
            held.unwrap(ANNE, bytes(wrapped[0]))


class TestRotated:
    def test_survivors_read_and_are_found_as_before(
        self, vault: Vault, pool: ConnectionPool[Any], home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rotation, "BATCH", 3)
        subjects = [uuid4() for _ in range(8)]
        for number, subject in enumerate(subjects):
            vault.put(subject, "email", f"{number}@exemple.fr", sought=True)
        before = key_file(home).read_bytes()
        assert turn(pool, home) == Rotated(version=2, survivors=8, erasures=0)
        assert key_file(home).read_bytes() != before
        assert keys_in(home) == ["vault.key"]
        for reader in (vault, Vault(pool, home)):
            for number, subject in enumerate(subjects):
                assert reader.find("email", f"{number}@exemple.fr") == subject
                assert reader.get(subject, "email") == f"{number}@exemple.fr"

    def test_a_vault_that_was_open_elsewhere_goes_on_writing(
        self, vault: Vault, pool: ConnectionPool[Any], home: Path
    ) -> None:
        vault.put(ANNE, "name", "Anne")
        turn(pool, home)
        vault.put(ANNE, "phone", "04")
        vault.put(LUC, "name", "Luc")
        assert Vault(pool, home).fields(ANNE) == {"name": "Anne", "phone": "04"}
        assert Vault(pool, home).get(LUC, "name") == "Luc"

    @pytest.mark.usefixtures("vault")
    def test_the_old_key_is_overwritten_before_its_name_goes(
        self, pool: ConnectionPool[Any], home: Path
    ) -> None:
        with key_file(home).open("rb") as held:
            before = held.read()
            turn(pool, home)
            held.seek(0)
            assert held.read() != before

    def test_writers_go_on_while_it_runs(
        self, vault: Vault, pool: ConnectionPool[Any], home: Path
    ) -> None:
        stop = threading.Event()
        kept: list[UUID] = []

        def keep() -> None:
            while not stop.is_set():
                subject = uuid4()
                vault.put(subject, "name", str(subject))
                assert vault.get(subject, "name") == str(subject)
                kept.append(subject)

        writer = threading.Thread(target=keep)
        writer.start()
        try:
            for _ in range(5):
                turn(pool, home)
        finally:
            stop.set()
            writer.join()
        assert kept
        assert all(vault.get(subject, "name") == str(subject) for subject in kept)


class Killed(BaseException):
    """What a kill -9 is to the code it meets: nothing after it runs."""


def kill(*_: Any) -> None:
    raise Killed


def after(work: Callable[..., Any]) -> Callable[..., None]:
    def run(*arguments: Any) -> None:
        work(*arguments)
        raise Killed

    return run


@pytest.mark.parametrize("persisted", [False, True])
@pytest.mark.parametrize(
    ("step", "name"),
    [
        (rotation, "create"),
        (rotation, "wrap_anew"),
        (keys, "overwrite"),
        (keys, "sync_folder"),
        (Path, "rename"),
    ],
)
def test_a_rotation_killed_at_a_step_leaves_a_vault_that_opens(  # noqa: PLR0917 - fixtures.
    step: Any,
    name: str,
    persisted: bool,
    vault: Vault,
    pool: ConnectionPool[Any],
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    vault.put(ANNE, "email", "anne@exemple.fr", sought=True)
    vault.erase(LUC)
    with monkeypatch.context() as during:
        during.setattr(step, name, after(getattr(step, name)) if persisted else kill)
        with pytest.raises(Killed):
            turn(pool, home)
    for reader in (vault, Vault(pool, home)):
        assert reader.get(ANNE, "email") == "anne@exemple.fr"
        assert reader.find("email", "anne@exemple.fr") == ANNE
    assert turn(pool, home).survivors == 1
    assert vault.get(ANNE, "email") == "anne@exemple.fr"
    assert vault.erasures_pending() == 0
    assert keys_in(home) == ["vault.key"]


def test_a_rotation_killed_after_its_commit_is_finished_by_the_next_start(
    vault: Vault, pool: ConnectionPool[Any], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault.erase(LUC)
    before = key_file(home).read_bytes()
    with monkeypatch.context() as during:
        during.setattr(keys, "overwrite", kill)
        with pytest.raises(Killed):
            turn(pool, home)
    assert key_file(home).read_bytes() == before
    assert vault.erasures_pending() == 1
    Vault(pool, home)
    assert key_file(home).read_bytes() != before
    assert keys_in(home) == ["vault.key"]
    assert vault.erasures_pending() == 0


class TestRefused:
    @pytest.fixture(autouse=True)
    def people(self, vault: Vault) -> None:
        for subject, name in ((ANNE, "Anne"), (LUC, "Luc")):
            vault.put(subject, "name", name)
            vault.put(subject, "city", "L’Isle")

    def altered(self, conninfo: str, statement: str) -> None:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute(statement.encode())

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE vault_field SET sealed = set_byte(sealed, 14, get_byte(sealed, 14) # 1)",
            "UPDATE vault_field SET sealed = substr(sealed, 1, 5)",
            """
            UPDATE vault_field AS f SET sealed = o.sealed FROM vault_field AS o
            WHERE o.subject_id <> f.subject_id AND o.field = f.field
            """,
            """
            UPDATE vault_field AS f SET sealed = o.sealed FROM vault_field AS o
            WHERE o.subject_id = f.subject_id AND o.field <> f.field
            """,
            """
            UPDATE vault_key AS k SET wrapped = o.wrapped FROM vault_key AS o
            WHERE o.subject_id <> k.subject_id
            """,
            "UPDATE vault_key SET wrapped = set_byte(wrapped, 3, get_byte(wrapped, 3) # 1)",
        ],
    )
    def test_what_was_altered_or_moved_is_named(
        self, statement: str, vault: Vault, conninfo: str
    ) -> None:
        self.altered(conninfo, statement)
        with pytest.raises(VaultTampered, match=str(ANNE)):
            vault.get(ANNE, "name")

    def test_whole_people_cannot_be_swapped(self, vault: Vault, conninfo: str) -> None:
        self.altered(
            conninfo,
            "CREATE TABLE swapped AS SELECT * FROM vault_key;"
            """
            UPDATE vault_key AS k SET wrapped = o.wrapped FROM swapped AS o
            WHERE o.subject_id <> k.subject_id;
            """,
        )
        with pytest.raises(VaultTampered):
            vault.fields(LUC)

    def test_another_key_is_refused(self, pool: ConnectionPool[Any], home: Path) -> None:
        key_file(home).write_text(secrets.token_hex(32))
        with pytest.raises(KeyDiffers):
            Vault(pool, home)

    def test_a_lost_key_is_refused(self, pool: ConnectionPool[Any], home: Path) -> None:
        key_file(home).unlink()
        with pytest.raises(KeyMissing):
            Vault(pool, home)
        assert not key_file(home).exists()

    def test_a_broken_key_is_refused(self, pool: ConnectionPool[Any], home: Path) -> None:
        key_file(home).write_text("broken")
        with pytest.raises(KeyMalformed):
            Vault(pool, home)

    def test_an_old_copy_of_the_key_is_refused_after_a_rotation(
        self, pool: ConnectionPool[Any], home: Path
    ) -> None:
        copy = home / "copy"
        shutil.copy(key_file(home), copy)
        turn(pool, home)
        copy.replace(key_file(home))
        with pytest.raises(KeyDiffers):
            Vault(pool, home)
