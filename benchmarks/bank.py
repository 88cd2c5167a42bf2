"""A bank file of 100,000 entries: judged, booked and matched; beside reading its XML alone.

`python -m benchmarks.bank CONNINFO HOME FILE` imports it and prints the seconds and kilobytes.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from lxml import etree

from api import bank_import, bank_matching
from api.bank_commands import resting_collector
from api.demo_bank import Entry, file_of, iban_of
from api.deps import open_context
from benchmarks.ground import Ground, siret
from benchmarks.load import REPOSITORY
from benchmarks.measure import Baseline, Figure, at_most, compared
from benchmarks.rebuild import MEGABYTE_KILOBYTES, PROCESS_SECONDS, peak_kilobytes
from benchmarks.statements import IBAN, name_account
from ledger.decider import Refused
from ledger.settings import Settings
from ledger.settlements.commands import CloseStatement
from ledger.settlements.decider import settlement
from ledger.settlements.events import DaySum, Part, StatementClosed
from ledger.store import open_ledger
from projections.every import READ_MODELS
from projections.follow import catch_up

ENTRIES, STATEMENTS, PARTS = 100_000, 5_000, 10
PAID_CENTS = 1_234
SECONDS_MAX, MEGABYTES_MAX = 60, 300
ROUNDS = 3
FIRST_ON, LAST_ON = date(2026, 10, 1), date(2026, 10, 28)


class Taken(NamedTuple):
    """What one import took, in a process that does nothing else."""

    seconds: float
    megabytes: float


def measure(ground: Ground) -> Iterator[Figure]:
    """Take the import of a large file; half of its entries pay a part of a statement."""
    path = ground.settings.home / "bank.xml"
    taken: list[Taken] = []
    read: list[float] = []
    for number in range(1 if ground.pace.quick else ROUNDS):
        conninfo = ground.database(f"bank_{number}")
        write_file(path, owing(conninfo))
        read.append(read_alone(path))
        taken.append(imported(conninfo, ground.settings.home, path))
    yield compared(
        f"a bank file of {ENTRIES:,} entries, booked and matched",
        "s",
        [one.seconds for one in taken],
        Baseline("its XML read by lxml alone", read),
        at_most(SECONDS_MAX),
    )
    yield compared(
        "the same, peak memory",
        "MB",
        [one.megabytes for one in taken],
        Baseline("the file", [path.stat().st_size / 2**20] * len(taken)),
        at_most(MEGABYTES_MAX),
    )


def owing(conninfo: str) -> list[str]:
    """Name the foundation's account and close statements; give their references."""
    with open_ledger(conninfo) as ledger:
        name_account(ledger)
        commands = [
            (one.partner_id, one) for one in (statement(number) for number in range(STATEMENTS))
        ]
        closed = ledger.handle_all(settlement, commands, presume_new=True)
    catch_up(conninfo, READ_MODELS)
    references: list[str] = []
    for one in closed:
        assert not isinstance(one, Refused)
        event = one.history[-1].event
        assert isinstance(event, StatementClosed)
        references.append(event.reference)
    return references


def statement(number: int) -> CloseStatement:
    cents = PARTS * PAID_CENTS
    return CloseStatement(
        at=datetime.now(UTC),
        actor="bench",
        partner_id=uuid4(),
        siret=siret(number),
        number=1,
        first_on=FIRST_ON,
        last_on=LAST_ON,
        through_position=1,
        lines=1,
        lines_sha256="a" * 64,
        parts=(Part(source="customer", gifts=1, given_cents=cents, reversals=0, reversed_cents=0),),
        days=(DaySum(day=FIRST_ON, cents=cents),),
        due_on=LAST_ON,
        closed_by="officer",
    )


def write_file(path: Path, references: list[str]) -> None:
    words = [reference for reference in references for _ in range(PARTS)]
    words += [f"don du mois numero {number}" for number in range(ENTRIES - len(words))]
    entries = (
        Entry(
            FIRST_ON + timedelta(days=number % 28),
            PAID_CENTS,
            f"Commerce {number % 997}",
            iban_of(number % 997),
            text,
        )
        for number, text in enumerate(words)
    )
    path.write_bytes(file_of(IBAN, FIRST_ON, LAST_ON, entries))


def read_alone(path: Path) -> float:
    started_at = time.perf_counter()
    for _, element in etree.iterparse(str(path), tag="{*}Ntry"):
        element.clear()
    return time.perf_counter() - started_at


def imported(conninfo: str, home: Path, path: Path) -> Taken:
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks.bank", conninfo, str(home), str(path)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=REPOSITORY,
        timeout=PROCESS_SECONDS,
    )
    seconds, kilobytes = finished.stdout.split()
    return Taken(float(seconds), int(kilobytes) / MEGABYTE_KILOBYTES)


def take(conninfo: str, home: Path, path: Path) -> None:
    settings = Settings.from_environment({"DONPOSITIF_HOME": str(home)})
    started_at = time.perf_counter()
    with (
        resting_collector(),
        open_context(settings, conninfo) as context,
        path.open("rb") as file,
    ):
        found = bank_import.survey(context, file)
        made = bank_import.import_file(context, "bench", file, found)
        matched = bank_matching.match_certain(context)
    assert (made.transactions, matched) == (ENTRIES, STATEMENTS * PARTS)
    print(time.perf_counter() - started_at, peak_kilobytes())


if __name__ == "__main__":
    take(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
