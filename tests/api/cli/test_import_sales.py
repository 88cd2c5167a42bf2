"""The import of a shop's sales from the command line."""

import random
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import psycopg
import pytest

from tests.api.cli.outcomes import Outcome, Run, add_partner, assert_refused, enrol_till
from tests.api.served import PROGRAM, environment
from tests.api.stored import gifts
from tests.ledger.processes import eventually

SEED = 20_261_123
NOBODY = str(uuid4())


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
