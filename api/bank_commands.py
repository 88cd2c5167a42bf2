"""What the commands on the bank do: import a file, and say what is open and what differs."""

import gc
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from psycopg import Connection
from tqdm import tqdm

from api import bank_import, bank_matching
from api.commands import opened, tell
from api.deps import Context
from ledger.calendar import civil_day
from ledger.settings import Settings
from projections import bank, bank_chain
from projections.bank_chain import Link

OPEN_LINES_MAX = 1_000
YOUNG_OBJECTS_MAX = 50_000


@contextmanager
def resting_collector() -> Iterator[None]:
    """Let the garbage collector look seldom: a file becomes many objects, and no circles."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS_MAX, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def euros(cents: int) -> str:
    sign, cents = "-" if cents < 0 else "", abs(cents)
    return f"{sign}{cents // 100}.{cents % 100:02d} €"


def import_bank_file(settings: Settings, asked: Namespace) -> int:
    with resting_collector(), opened(settings) as context, asked.file.open("rb") as file:
        with bar("checked", None) as checking:
            found = bank_import.survey(context, file, checking.update)
        with bar("booked", found.entries) as booking:
            made = bank_import.import_file(context, asked.actor, file, found, booking.update)
        matched = match(context)
        with context.pool.connection() as connection:
            differing = differences(connection)
            sums = bank.open_sums(connection)
    facts = asdict(made) | {
        "matched": matched,
        "open": asdict(sums) | {"oldest_on": sums.oldest_on and sums.oldest_on.isoformat()},
        "differences": [told(link) for link in differing],
    }
    words = [
        f"{made.entries} entries, {made.new_entries} of them new, in {made.statements} statements",
        f"{made.transactions} transactions booked, {matched} matched",
    ]
    if made.passed:
        words.append(f"{made.passed} entries passed over: the bank has not booked them")
    words += [f"open: {sums.transactions} transactions, {opened_words(sums)}"]
    words += [line for link in differing for line in lines_of(link)]
    tell(asked, facts, "\n".join(words))
    return 1 if differing else 0


def reconcile(settings: Settings, asked: Namespace) -> int:
    with opened(settings) as context:
        matched = match(context)
        with context.pool.connection() as connection:
            found = bank.open_transactions(connection, limit=OPEN_LINES_MAX)
            sums = bank.open_sums(connection)
            differing = differences(connection)
            offered = bank_matching.proposed(context, connection, found)
    today = civil_day(datetime.now(UTC))
    lines = [
        f"{one.booked_on}  {(today - one.booked_on).days:>4} days  {euros(one.open_cents):>14}"
        f"  {one.kind:12}  {one.transaction_id}"
        f"  {' '.join(match.rule for match in offered[one.transaction_id])}".rstrip()
        for one in found
    ]
    facts: dict[str, Any] = {
        "matched": matched,
        "open": [
            {
                "transaction_id": str(one.transaction_id),
                "booked_on": one.booked_on.isoformat(),
                "age_days": (today - one.booked_on).days,
                "cents": one.cents,
                "open_cents": one.open_cents,
                "kind": one.kind,
                "proposed": [match.rule for match in offered[one.transaction_id]],
            }
            for one in found
        ],
        "open_transactions": sums.transactions,
        "differences": [told(link) for link in differing],
    }
    words = [f"open: {sums.transactions} transactions, {opened_words(sums)}", *lines]
    words += [line for link in differing for line in lines_of(link)]
    tell(asked, facts, "\n".join(words))
    return 1 if differing else 0


def match(context: Context) -> int:
    with bar("looked at", None) as looking:
        return bank_matching.match_certain(context, looking.update)


def bar(doing: str, total: int | None) -> "tqdm[Any]":
    return tqdm(total=total, desc=doing, unit=" entries", file=sys.stderr)


def opened_words(sums: bank.OpenSums) -> str:
    since = "" if sums.oldest_on is None else f", the oldest of {sums.oldest_on}"
    return f"{euros(sums.credit_cents)} in and {euros(sums.debit_cents)} out{since}"


def differences(connection: Connection[Any]) -> list[Link]:
    return bank_chain.differing(bank_chain.chain(connection))


def told(link: Link) -> dict[str, Any]:
    """Give what differs at a statement, for programs."""
    gap = link.gap
    return {
        "account_id": str(link.file.account_id),
        "file_id": str(link.file.file_id),
        "closing_on": link.file.closing_on.isoformat(),
        "closing_cents": link.file.closing_cents,
        "ledger_cents": link.file.ledger_cents,
        "difference_cents": link.difference_cents,
        "gap": None
        if gap is None
        else {
            "after_on": gap.after_on.isoformat(),
            "before_on": gap.before_on.isoformat(),
            "cents": gap.cents,
            "days": [day.isoformat() for day in gap.days],
        },
    }


def lines_of(link: Link) -> list[str]:
    """Say what differs at a statement, for people."""
    said: list[str] = []
    if link.gap is not None:
        days = ", ".join(map(str, link.gap.days))
        missing = f": no file tells of {days}" if days else ""
        between = f"between {link.gap.after_on} and {link.gap.before_on}"
        said.append(f"missing {between}{missing} ({euros(link.gap.cents)})")
    if link.difference_cents:
        file = link.file
        said.append(
            f"differs on {file.closing_on}: {euros(file.closing_cents)} by the bank, "
            f"{euros(file.ledger_cents)} by the ledger, {euros(link.difference_cents)} apart"
        )
    return said
