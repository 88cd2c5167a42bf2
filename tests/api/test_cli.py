"""The command line: one JSON object on stdout, all else on stderr, and exit codes that hold."""

import json
import os
import random
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import psycopg
import pytest

from api.cli import main
from ledger.keyring import till_key_hash
from projections.every import READ_MODELS
from tests.api.served import PROGRAM, environment, service, serving, settings_in
from tests.api.shops import Shop, gift, siret
from tests.api.stored import every_byte, gifts, stored
from tests.ledger.processes import eventually
from tests.projections.village import insert_raw

SEED = 20_261_123
NOBODY = str(uuid4())


class Outcome(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def facts(self) -> dict[str, Any]:
        """What it told a program: all of stdout is one JSON object."""
        found: dict[str, Any] = json.loads(self.out)
        assert isinstance(found, dict)
        return found


Run = Callable[..., Outcome]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def run(
    conninfo: str,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Run a command here, on the test's database."""
    for name, value in environment(home, {"DATABASE_URL": conninfo}).items():
        monkeypatch.setenv(name, value)

    def run_here(*arguments: str) -> Outcome:
        capsys.readouterr()
        try:
            code = main(arguments)
        except SystemExit as ended:
            code = int(ended.code or 0)
        out, err = capsys.readouterr()
        return Outcome(code, out, err)

    return run_here


def outside(home: Path, *arguments: str, **changes: str) -> Outcome:
    """Run a command as an operator does, in a process of its own."""
    ended = subprocess.run(
        [PROGRAM, *arguments],
        env=environment(home, changes),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Outcome(ended.returncode, ended.stdout, ended.stderr)


def add_partner(run: Run, number: int = 1) -> str:
    added = run("partner", "add", "--name", f"Shop {number}", "--siret", siret(number), "--json")
    assert added.code == 0, added.err
    partner_id: str = added.facts["partner_id"]
    return partner_id


def enrol_till(run: Run, partner_id: str) -> dict[str, str]:
    enrolled = run("till", "enrol", "--partner", partner_id, "--json")
    assert enrolled.code == 0, enrolled.err
    return enrolled.facts


def assert_refused(outcome: Outcome, name: str, code: int = 1) -> None:
    assert outcome.code == code, outcome.err
    assert outcome.out == ""
    assert name in outcome.err
    assert "Traceback" not in outcome.err


COMMANDS = (
    *(["serve"], ["migrate"], ["demo"], ["partner"], ["partner", "add"], ["partner", "list"]),
    *(["partner", "suspend"], ["partner", "reinstate"], ["till"], ["till", "enrol"]),
    *(["till", "rotate"], ["till", "revoke"], ["import"], ["import", "sales"], ["rebuild"]),
    ["check"],
)


def test_every_command_has_help(run: Run) -> None:
    for command in ([], *COMMANDS):
        helped = run(*command, "--help")
        assert helped.code == 0
        assert "usage: donpositif" in helped.out


def test_wrong_usage_is_told_apart(run: Run) -> None:
    wrong: tuple[list[str], ...] = (
        *([], ["fly"], ["partner"], ["partner", "add"], ["partner", "add", "--name", "x"]),
        *(["till", "enrol", "--partner", "nobody"], ["import", "sales"], ["check", "now"]),
        ["import", "sales", "x", "--partner", NOBODY, "--till", NOBODY, "--ask", "tip"],
    )
    for arguments in wrong:
        assert_refused(run(*arguments), "usage: donpositif", code=2)


def test_a_partner_is_added_once(run: Run, conninfo: str) -> None:
    partner_id = add_partner(run)
    assert add_partner(run) == partner_id
    spaced = siret(1)[:9] + " " + siret(1)[9:]
    assert run("partner", "add", "--name", "Shop 1", "--siret", spaced, "--json").code == 0
    assert_refused(run("partner", "add", "--name", "Other", "--siret", siret(1)), "partner_differs")
    topics = [event.topic for event in stored(conninfo)]
    assert topics == ["PartnerRegistered", "PartnerActivated"]


@pytest.mark.parametrize("number", ["", "123", "73282932000075", "732829320000741", "x" * 14])
def test_a_partner_needs_a_siret(run: Run, conninfo: str, number: str) -> None:
    assert_refused(run("partner", "add", "--name", "Shop", "--siret", number), "SIRET")
    assert stored(conninfo) == []


def test_a_key_is_printed_once_and_stored_nowhere(run: Run, conninfo: str, home: Path) -> None:
    partner_id = add_partner(run)
    facts = enrol_till(run, partner_id)
    assert set(facts) == {"till_id", "key"}
    (event,) = stored(conninfo, "TillEnrolled")
    assert event.state["till_id"] == facts["till_id"]
    assert event.state["key_sha256"] == till_key_hash(facts["key"])
    run("partner", "list", "--json")
    kept = every_byte(conninfo)
    kept += b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert facts["key"].encode() not in kept
    assert facts["key"].removeprefix("dpt_").encode() not in kept
    in_words = run("till", "enrol", "--partner", partner_id)
    assert in_words.out.count("dpt_") == 1
    assert "dpt_" not in in_words.err


def test_a_till_is_rotated_and_revoked(run: Run, conninfo: str) -> None:
    facts = enrol_till(run, add_partner(run))
    rotated = run("till", "rotate", "--till", facts["till_id"], "--json").facts
    assert rotated["till_id"] == facts["till_id"]
    assert rotated["key"] != facts["key"]
    revoke = ("till", "revoke", "--till", facts["till_id"], "--reason", "stolen", "--json")
    assert run(*revoke).facts == {"till_id": facts["till_id"]}
    assert run(*revoke).code == 0
    assert_refused(run("till", "rotate", "--till", facts["till_id"]), "till_is_revoked")
    topics = [event.topic for event in stored(conninfo)][2:]
    assert topics == ["TillEnrolled", "TillKeyRotated", "TillRevoked"]


def test_what_does_not_exist_is_named(run: Run) -> None:
    assert_refused(run("till", "enrol", "--partner", NOBODY), "partner_not_registered")
    suspend = ("partner", "suspend", "--partner", NOBODY, "--reason", "x")
    assert_refused(run(*suspend), "partner_not_registered")
    assert_refused(run("partner", "reinstate", "--partner", NOBODY), "partner_not_registered")
    assert_refused(run("till", "rotate", "--till", NOBODY), "till_not_enrolled")
    revoke = ("till", "revoke", "--till", NOBODY, "--reason", "x")
    assert_refused(run(*revoke), "till_not_enrolled")
    assert_refused(run("rebuild", "everything"), "read_model_unknown")


def test_a_partner_is_suspended_and_reinstated(run: Run) -> None:
    partner_id = add_partner(run)
    suspend = ("partner", "suspend", "--partner", partner_id, "--reason", "overdue", "--json")
    assert run(*suspend).facts == {"partner_id": partner_id}
    (listed,) = run("partner", "list", "--json").facts["partners"]
    assert (listed["partner_id"], listed["status"]) == (partner_id, "suspended")
    assert run("partner", "reinstate", "--partner", partner_id).code == 0
    (listed,) = run("partner", "list", "--json").facts["partners"]
    assert listed["status"] == "active"


def test_migrations_are_applied_once(
    run: Run, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", empty_database)
    first = run("migrate", "--json").facts["applied"]
    assert first[0] == "0001_events"
    assert run("migrate", "--json").facts == {"applied": []}


def test_the_demonstration_village_is_loaded_once(run: Run, conninfo: str) -> None:
    facts = run("demo", "--json").facts
    loaded = stored(conninfo)
    assert facts["gifts"] == len(gifts(conninfo)) > 1_000
    assert run("demo", "--json").facts["gifts"] >= facts["gifts"]
    news = [event for event in stored(conninfo) if event not in loaded]
    assert {event.topic for event in news} <= {"DonationRecorded"}
    assert run("check", "--json").facts["ok"] is True


def test_a_rebuild_tells_what_it_rebuilt(run: Run, conninfo: str) -> None:
    add_partner(run)
    assert run("rebuild", "--json").facts == {"rebuilt": list(READ_MODELS), "events": 2}
    assert run("rebuild", "balances", "--json").facts == {"rebuilt": ["balances"], "events": 2}


def test_a_check_exits_with_what_it_found(run: Run, conninfo: str) -> None:
    partner_id = add_partner(run)
    well = run("check", "--json")
    assert (well.code, well.facts) == (0, {"ok": True, "events": 2, "differences": []})
    with psycopg.connect(conninfo) as connection:
        connection.execute("DELETE FROM partner")
    ill = run("check", "--json")
    assert (ill.code, ill.facts["ok"]) == (1, False)
    assert partner_id in ill.facts["differences"][0]
    in_words = run("check")
    assert in_words.code == 1
    assert partner_id in in_words.out


@pytest.mark.parametrize("topic", ["DonationRecorded", "PartnerRegistered", "DonationForgotten"])
def test_a_check_of_a_ledger_with_an_undecodable_event_says_so(
    run: Run, conninfo: str, topic: str
) -> None:
    add_partner(run)
    position = insert_raw(conninfo, topic, b"{}")
    ill = run("check", "--json")
    assert (ill.code, ill.facts["ok"]) == (1, False)
    assert any(f"event {position} cannot" in difference for difference in ill.facts["differences"])


@pytest.mark.parametrize("command", [["rebuild"], ["partner", "list"]], ids=str)
def test_a_command_that_meets_an_undecodable_event_fails_in_words(
    run: Run, conninfo: str, command: list[str]
) -> None:
    add_partner(run)
    insert_raw(conninfo, "PartnerRegistered", b"{}")
    assert_refused(run(*command), "PartnerRegistered")


def test_wrong_settings_and_an_absent_database_are_told_apart(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORT", "many")
    assert_refused(run("check"), "PORT=many", code=2)
    monkeypatch.delenv("PORT")
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:hush@127.0.0.1:1/x?connect_timeout=2")
    absent = run("check", "--json")
    assert_refused(absent, "no database", code=3)
    assert "hush" not in absent.err


# The import of a shop's sales.


class Sales(NamedTuple):
    """A made-up file, and what it must give."""

    path: Path
    gifts: int
    amount_cents: int


@pytest.fixture
def sales(tmp_path: Path) -> Sales:
    print(f"seed {SEED}")
    dice = random.Random(SEED)
    cents = [dice.choice([1_200, dice.randint(50, 9_000)]) for _ in range(4_500)]
    days = [f"2020-{dice.randint(1, 9):02d}-{dice.randint(1, 28):02d}" for _ in cents]
    lines = [f"c{place},{day},{one}" for place, (day, one) in enumerate(zip(days, cents))]  # noqa: B905
    path = tmp_path / "sales.csv"
    path.write_text("customer,date,amount_cents\n" + "\n".join(lines) + "\n")
    return Sales(path, sum(one % 100 > 0 for one in cents), sum(-one % 100 for one in cents))


@pytest.fixture
def importing(run: Run, sales: Sales) -> list[str]:
    """The arguments of an import by a till of its own."""
    partner_id = add_partner(run)
    till_id = enrol_till(run, partner_id)["till_id"]
    where = ["--partner", partner_id, "--till", till_id, "--ask", "round-up", "--json"]
    return ["import", "sales", str(sales.path), *where]


def test_sales_imported_twice_end_with_the_same_totals(
    run: Run, importing: list[str], sales: Sales, conninfo: str
) -> None:
    totals = {"gifts": sales.gifts, "amount_cents": sales.amount_cents, "sales": 4_500}
    assert run(*importing).facts == totals | {"repeated": 0}
    assert run(*importing).facts == totals | {"repeated": sales.gifts}
    assert len(gifts(conninfo)) == sales.gifts
    assert run("check", "--json").facts["ok"] is True


def test_an_import_killed_in_the_middle_and_run_again_ends_with_the_same_totals(
    run: Run, importing: list[str], sales: Sales, conninfo: str, home: Path
) -> None:
    def waiting() -> int:
        with psycopg.connect(conninfo) as connection:
            row = connection.execute(
                "SELECT count(*) FROM pg_locks"
                " WHERE relation = 'ledger_events'::regclass AND NOT granted"
            ).fetchone()
        return int(row[0]) if row else 0

    lock = "LOCK TABLE ledger_events IN EXCLUSIVE MODE"
    with (
        psycopg.connect(conninfo) as before,
        psycopg.connect(conninfo) as after,
        ThreadPoolExecutor(1) as elsewhere,
    ):
        before.execute(lock)
        process = subprocess.Popen(
            [PROGRAM, *importing],
            env=environment(home, {"DATABASE_URL": conninfo}),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        # The second lock stands in line behind the first batch, and before the next one.
        eventually(lambda: waiting() == 1)
        locked = elsewhere.submit(after.execute, lock)
        eventually(lambda: waiting() == 2)
        before.commit()
        locked.result()
        eventually(lambda: waiting() == 1)
        process.kill()
        process.wait()
        after.commit()
    eventually(lambda: not waiting())
    recorded = len(gifts(conninfo))
    assert 0 < recorded < sales.gifts
    facts = run(*importing).facts
    assert (facts["gifts"], facts["amount_cents"]) == (sales.gifts, sales.amount_cents)
    assert facts["repeated"] == recorded
    assert sum(one.state["amount_cents"] for one in gifts(conninfo)) == sales.amount_cents


def test_an_import_that_cannot_be_is_refused(
    run: Run, importing: list[str], conninfo: str, tmp_path: Path
) -> None:
    file, partner, till = 2, 4, 6

    def changed(place: int, value: str) -> Outcome:
        return run(*importing[:place], value, *importing[place + 1 :])

    assert_refused(changed(till, NOBODY), "till_not_enrolled")
    assert_refused(changed(partner, NOBODY), "partner_not_registered")
    assert_refused(changed(partner, add_partner(run, 2)), "till_of_another_partner")
    (tmp_path / "bad.csv").write_text("a;b\n1;2\n")
    assert_refused(changed(file, str(tmp_path / "bad.csv")), "sales_malformed")
    assert_refused(changed(file, str(tmp_path / "none.csv")), "none.csv", code=2)
    assert_refused(changed(file, str(tmp_path)), str(tmp_path), code=2)
    shifted = run(*importing, "--shift-days", "3650")
    assert_refused(shifted, "occurred_in_future")
    assert_refused(run(*importing, "--shift-days", "9999999"), "shift")
    assert gifts(conninfo) == []


# Beside a running service, on the same embedded database.


@pytest.fixture
def till_beside(home: Path) -> Iterator[tuple[Shop, str]]:
    """A service on its embedded database, and a till enrolled by commands beside it."""
    with service(home) as running:
        added = outside(home, "partner", "add", "--name", "A", "--siret", siret(1), "--json")
        partner_id = added.facts["partner_id"]
        enrolled = outside(home, "till", "enrol", "--partner", partner_id, "--json").facts
        yield Shop(partner_id, enrolled["till_id"], enrolled["key"]), running.url


def test_commands_work_beside_a_running_service(
    home: Path, till_beside: tuple[Shop, str], tmp_path: Path
) -> None:
    shop, url = till_beside
    with httpx.Client(base_url=url, timeout=60) as client:
        answer = client.post("/api/v1/donations", json=gift(), headers=shop.bearer)
        assert answer.status_code == 201
        path = tmp_path / "sales.csv"
        path.write_text("customer,date,amount_cents\nann,2020-11-02,1177\n")
        where = ("--partner", str(shop.partner_id), "--till", str(shop.till_id))
        imported = outside(home, "import", "sales", str(path), *where, "--ask", "round-up")
        assert imported.code == 0, imported.err
        assert outside(home, "rebuild", "--json").facts["rebuilt"] == list(READ_MODELS)
        checked = outside(home, "check", "--json")
        assert (checked.code, checked.facts["events"]) == (0, 5)
        assert "events" in checked.err
        eventually(lambda: client.get("/api/v1/figures").json()["given_cents"] == 63)
        outside(home, "till", "revoke", "--till", str(shop.till_id), "--reason", "stolen")

        def refused() -> bool:
            again = client.post("/api/v1/donations", json=gift(), headers=shop.bearer)
            return again.status_code == 401

        eventually(refused)
        assert client.get("/healthz").json()["ok"] is True


def test_a_second_service_on_the_same_address_says_so(conninfo: str, home: Path) -> None:
    with serving(settings_in(home), conninfo) as running:
        port = str(httpx.URL(running.url).port)
        taken = outside(home, "serve", DATABASE_URL=conninfo, PORT=port)
    assert_refused(taken, f"cannot listen on 127.0.0.1:{port}", code=2)


def test_an_account_without_a_name_can_run_commands(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container may run as a number that no account has."""
    monkeypatch.setattr(os, "getuid", lambda: 54_321)
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    assert run("migrate", "--json").facts == {"applied": []}
