"""The bank on the command line: files imported with progress, what is open, what differs."""

from datetime import timedelta
from pathlib import Path

import pytest

from ledger.store import open_ledger
from tests.api.banking import approve_account
from tests.api.cli.outcomes import Run, assert_refused
from tests.ledger.bank.camt_files import DAY, Line, Sheet, Tx, camt

SHEET = Sheet(
    [Line(5_000, ref="A", txs=(Tx(5_000, "E1"),)), Line(-150, family="MCOP", subfamily="CHRG")]
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "releve.xml"
    path.write_bytes(camt(SHEET))
    return path


@pytest.fixture
def account(run: Run, conninfo: str) -> None:
    assert run("migrate").code == 0
    with open_ledger(conninfo) as ledger:
        approve_account(ledger)


def test_a_file_is_imported_once(run: Run, account: None, file: Path) -> None:
    made = run("bank", "import", str(file), "--json")
    assert made.code == 0, made.err
    assert (made.facts["new_entries"], made.facts["matched"]) == (2, 1)
    assert made.facts["open"]["transactions"] == 1
    assert made.facts["differences"] == []
    assert "booked: 100%" in made.err
    again = run("bank", "import", str(file))
    assert again.code == 0
    assert "2 entries, 0 of them new, in 1 statements" in again.out


def test_what_is_open_and_what_differs_is_printed(
    run: Run, account: None, file: Path, tmp_path: Path
) -> None:
    assert run("bank", "import", str(file)).code == 0
    told = run("bank", "reconcile")
    assert told.code == 0
    assert "50.00 €" in told.out
    thursday = DAY + timedelta(days=3)
    later = tmp_path / "later.xml"
    later.write_bytes(
        camt(Sheet([Line(1, thursday)], opening=99_999, first=thursday, last=thursday))
    )
    assert run("bank", "import", str(later)).code == 1
    told = run("bank", "reconcile", "--json")
    assert told.code == 1
    (differing,) = told.facts["differences"]
    assert differing["gap"]["days"] == ["2026-11-24", "2026-11-25"]
    assert differing["difference_cents"] == 99_999 - SHEET.closing_cents
    assert [one["open_cents"] for one in told.facts["open"]] == [5_000, 1]
    assert "no file tells of 2026-11-24, 2026-11-25" in run("bank", "reconcile").out


def test_what_is_wrong_is_refused_by_name(run: Run, account: None, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.xml"
    wrong.write_bytes(b"<!DOCTYPE a><Document/>")
    assert_refused(run("bank", "import", str(wrong)), "bank_file_unsafe")
    wrong.write_bytes(camt(Sheet([Line(1)], currency="USD")))
    assert_refused(run("bank", "import", str(wrong)), "foreign_currency")
    assert_refused(run("bank", "import", str(tmp_path / "none.xml")), "No such file", code=2)


def test_without_an_account_nothing_is_imported(run: Run, file: Path) -> None:
    assert_refused(run("bank", "import", str(file)), "account_not_ours")
