"""The import of a bank file is killed where it hurts, and then asked for again, as people do.

What comes of it must be what comes of an import that nobody killed: each entry once, the same
matches, the same balances. Both start from copies of one database, with the keys of one home.
"""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, LiteralString, NamedTuple
from uuid import UUID

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row
from psycopg.sql import SQL

from api.bank_import import payers_of
from api.deps import open_context
from tests.api.banking import banking
from tests.api.cli.outcomes import outside
from tests.api.served import PROGRAM, environment, settings_in
from tests.api.stored import Stored, stored
from tests.conftest import created
from tests.faults.stalls import stalling
from tests.ledger.bank.camt_files import DAY, PAYER, Line, Sheet, Tx, camt
from tests.ledger.processes import eventually

# More than one batch is booked, and more than one page matched.
ENTRIES = 1_300
BOOKED, MATCHED, READ = "BankTransactionBooked", "TransactionMatched", "BankFileRead"
# In the second batch, and, being of a later day than all others, in the second page that is
# matched. Nobody else pays as much.
MARK, MARK_CENTS = 1_290, 777
MARKED: LiteralString = "convert_from(NEW.state, 'UTF8') LIKE '%\"cents\":777%'"
# What stands in the read models, but when it was noted.
TABLES: tuple[LiteralString, ...] = (
    "bank_transaction ORDER BY transaction_id",
    "bank_day ORDER BY account_id, day",
    "bank_match ORDER BY match_id",
    "statement ORDER BY statement_id",
)
LAST = DAY + timedelta(days=3)
UNLIKE = {"matched_at", "recorded_at"}


class Outcome(NamedTuple):
    """What an import left behind: events, rows of read models, and what the vault keeps."""

    events: list[tuple[str, dict[str, Any]]]
    rows: list[dict[str, Any]]
    payers: dict[UUID, Any]
    open: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ground:
    """A database where two shops owe, to be copied; a bank file that pays them; a home."""

    maintenance: psycopg.Connection
    template: str
    home: Path
    file: Path

    @contextmanager
    def copy(self) -> Iterator[str]:
        with created(self.maintenance, template=self.template) as name:
            info = self.maintenance.info
            yield make_conninfo(info.dsn, dbname=name)

    def imports(self, conninfo: str) -> dict[str, Any]:
        """Import the file in a process of its own; give what it told."""
        made = outside(self.home, "bank", "import", str(self.file), "--json", DATABASE_URL=conninfo)
        assert made.code == 0, made.err
        assert made.facts["differences"] == []
        return made.facts

    @contextmanager
    def importing(self, conninfo: str) -> Iterator["subprocess.Popen[bytes]"]:
        """Import the file in a process that is killed at the end of the block."""
        with subprocess.Popen(
            [PROGRAM, "bank", "import", str(self.file)],
            env=environment(self.home, {"DATABASE_URL": conninfo}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def outcome(self, conninfo: str, facts: dict[str, Any]) -> Outcome:
        # Returns are matched after what they return: which came first may differ, and says nothing.
        events = sorted(((one.topic, told(one)) for one in of_bank(conninfo)), key=repr)
        ids = [UUID(state["transaction_id"]) for topic, state in events if topic == BOOKED]
        with open_context(settings_in(self.home), conninfo) as context:
            payers = payers_of(context, ids)
        return Outcome(events, rows(conninfo), dict(payers), facts["open"])


def of_bank(conninfo: str) -> list[Stored]:
    return stored(conninfo, BOOKED, MATCHED, READ)


def told(event: Stored) -> dict[str, Any]:
    return {key: value for key, value in event.state.items() if key not in UNLIKE}


def rows(conninfo: str) -> list[dict[str, Any]]:
    with psycopg.connect(conninfo, row_factory=dict_row) as connection:
        return [
            {key: value for key, value in row.items() if key not in UNLIKE}
            for table in TABLES
            for row in connection.execute(SQL("SELECT * FROM {}").format(SQL(table))).fetchall()
        ]


def lines(first: str, second: str) -> list[Line]:
    """Give entries of busy days: parts of two debts, twins, fees; returns of the first's money.

    The second gets more than it asks: which entry is the one too many must not change either.
    """

    def line(number: int) -> Line:
        day = DAY + timedelta(days=number * 3 // ENTRIES)
        match number % 10:
            case 0 | 1 | 2:
                return paid(number, 40, day, first)
            case 3 | 4:
                return paid(number, 60, day, second)
            case 5:
                return Line(-15, day, ref=f"F{number}", family="MCOP", subfamily="CHRG")
            case 6:
                return Line(500, day, txs=(Tx(500),))  # Nothing tells it from its twins.
            case 7:
                back = Tx(-40, f"ID-{number - 7}", return_reason="AC04")
                return Line(
                    -40, day, ref=f"B{number}", family="ICDT", subfamily="RRTN", txs=(back,)
                )
            case 8:
                parts = Tx(100, f"X{number}"), Tx(200, f"Y{number}", first)
                return Line(300, day, ref=f"D{number}", txs=parts)
            case _:
                return paid(number, 1_000 + number, day, None)

    some = [line(number) for number in range(ENTRIES)]
    some[MARK] = paid(MARK, MARK_CENTS, LAST, first)
    return some


def paid(number: int, cents: int, day: Any, reference: str | None) -> Line:
    tx = Tx(cents, f"ID-{number}", reference, iban=PAYER)
    return Line(cents, day, ref=f"A{number}", txs=(tx,))


@pytest.fixture(scope="module")
def ground(
    server: str,
    maintenance: psycopg.Connection,
    migrated_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Ground]:
    home = tmp_path_factory.mktemp("bank") / "home"
    with created(maintenance, template=migrated_template) as name:
        conninfo = make_conninfo(server, dbname=name)
        with open_context(settings_in(home), conninfo) as context:
            here = banking(context, conninfo)
            _, first = here.shop_that_owes(90_000, DAY - timedelta(days=40))
            _, second = here.shop_that_owes(12_000, DAY - timedelta(days=40))
            here.caught_up()
        file = home / "month.xml"
        file.write_bytes(camt(Sheet(lines(first.reference, second.reference), last=LAST)))
        yield Ground(maintenance, name, home, file)


@pytest.fixture(scope="module")
def unkilled(ground: Ground) -> Iterator[Outcome]:
    """What comes of the import when nobody kills it."""
    with ground.copy() as conninfo:
        facts = ground.imports(conninfo)
        assert facts["new_entries"] == ENTRIES
        yield ground.outcome(conninfo, facts)


@pytest.mark.parametrize(
    ("table", "condition", "known"),
    [
        pytest.param("vault_field", "true", set(), id="after names, before entries"),
        pytest.param(
            "ledger_events",
            f"NEW.topic = '{BOOKED}' AND {MARKED}",
            {BOOKED},
            id="in a batch of entries",
        ),
        pytest.param(
            "ledger_events",
            f"NEW.topic = '{READ}'",
            {BOOKED},
            id="after entries, before the file is read",
        ),
        pytest.param(
            "ledger_events",
            f"NEW.topic = '{MATCHED}' AND {MARKED}",
            {BOOKED, READ, MATCHED},
            id="in a page of matches",
        ),
        pytest.param(
            "bank_transaction",
            "NEW.open_cents = 0",
            {BOOKED, READ, MATCHED},
            id="after matches, before what is left is known",
        ),
    ],
)
def test_a_killed_import_goes_on_as_if_nobody_had_killed_it(
    ground: Ground,
    unkilled: Outcome,
    table: LiteralString,
    condition: LiteralString,
    known: set[str],
) -> None:
    with ground.copy() as conninfo:
        with stalling(conninfo, table, condition) as waits:
            with ground.importing(conninfo) as process:
                eventually(lambda: waits() or process.poll() is not None)
            assert process.returncode == -signal.SIGKILL
        before = of_bank(conninfo)
        assert {one.topic for one in before} == known
        facts = ground.imports(conninfo)
        entries = {one.state["entry_id"] for one in before if one.topic == BOOKED}
        assert facts["new_entries"] == ENTRIES - len(entries)
        assert of_bank(conninfo)[: len(before)] == before
        assert ground.outcome(conninfo, facts) == unkilled
        checked = outside(ground.home, "check", DATABASE_URL=conninfo)
        assert checked.code == 0, checked.out + checked.err


def test_what_an_import_leaves_is_what_the_file_says(ground: Ground, unkilled: Outcome) -> None:
    booked = [state for topic, state in unkilled.events if topic == BOOKED]
    assert len({state["transaction_id"] for state in booked}) == len(booked)
    assert len({state["entry_id"] for state in booked}) == ENTRIES
    assert [topic for topic, _ in unkilled.events].count(READ) == 1
    rules = {state["rule"] for topic, state in unkilled.events if topic == MATCHED}
    assert rules == {"reference", "charge", "return"}
    assert unkilled.open["transactions"] > 0
