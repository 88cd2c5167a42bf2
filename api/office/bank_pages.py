"""What the office's pages of the bank show, gathered from the read models and the vault."""

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Any, Final, get_args
from uuid import UUID, uuid4

from psycopg import Connection

from api import bank_import, bank_matching
from api.deps import Context
from api.foundation import foundation_of
from api.office.desk import named, today_here
from api.office.remittances import shop_names
from ledger.allocations import Allocation
from ledger.bank.events import UnmatchReason
from ledger.calendar import FIRST_DAY, LAST_DAY, day_before, days_after
from projections import bank, bank_chain, payouts, pledges, remittances, statements
from projections.bank import Day
from projections.bank_chain import Link
from projections.payouts import Payout
from projections.remittances import RemittanceRow

OPEN_ON_A_PAGE: Final = 50
FILES_ON_A_PAGE: Final = 200
PAYOUTS_MAX: Final = 400
REASONS: Final[tuple[UnmatchReason, ...]] = get_args(UnmatchReason)


def targets_of(
    connection: Connection[Any], allocations: Iterable[Allocation]
) -> dict[UUID | None, Any]:
    """Give the statements, pledges, cheques and payouts that money is for."""
    found: dict[UUID | None, Any] = {}
    for one in {(one.target, one.target_id) for one in allocations}:
        match one:
            case ("statement", UUID() as target_id):
                found[target_id] = statements.one(connection, target_id)
            case ("pledge", UUID() as target_id):
                found[target_id] = pledges.one(connection, target_id)
            case ("remittance", UUID() as target_id):
                found[target_id] = remittances.one(connection, target_id)
            case ("payout", UUID() as target_id):
                found[target_id] = payouts.one(connection, target_id)
            case _:
                pass
    return found


def overview(context: Context, after: tuple[date, UUID]) -> dict[str, Any]:
    """Gather what is open with what is proposed for it, and where the bank says otherwise."""
    with context.pool.connection() as connection:
        found = bank.open_transactions(connection, after, OPEN_ON_A_PAGE)
        offered = bank_matching.proposed(context, connection, found)
        proposed = [match for matches in offered.values() for match in matches]
        targets = targets_of(connection, [one for match in proposed for one in match.allocations])
        links = bank_chain.chain(connection)
        sums, shops = bank.open_sums(connection), shop_names(connection)
    return {
        "found": found,
        "offered": offered,
        "targets": targets,
        "shops": shops,
        "sums": sums,
        "payers": bank_import.payers_of(context, [one.transaction_id for one in found]),
        "differing": bank_chain.differing(links),
        "last": max((link.file for link in links), key=lambda file: file.closing_on, default=None),
        "account": foundation_of(context).account,
        "key_of": bank_matching.key_of,
        "more": len(found) == OPEN_ON_A_PAGE,
    }


def transaction(context: Context, transaction_id: UUID) -> dict[str, Any]:
    """Gather a transaction, what it was matched with, and what it could be. Raises when unknown."""
    with context.pool.connection() as connection:
        bank_matching.catch_up(connection)
        one = bank_matching.one_of(connection, transaction_id)
        matches = bank.matches_of(connection, transaction_id)
        offered = bank_matching.proposed(context, connection, [one])[transaction_id]
        every = [match.allocations for match in matches] + [match.allocations for match in offered]
        targets = targets_of(connection, chain.from_iterable(every))
        choices = {
            "statements": statements.outstanding(connection),
            "pledges": [one for one in pledges.every(connection) if one.unpaid_cents],
            "payouts": payouts_for(connection, one),
            "remittances": cheques_for(connection, one),
        }
        shops = shop_names(connection)
    actors = [actor for match in matches for actor in (match.matched_by, match.undone_by)]
    return {
        "one": one,
        "matches": matches,
        "offered": offered,
        "targets": targets,
        "choices": choices,
        "shops": shops,
        "payer": bank_import.payers_of(context, [transaction_id]).get(transaction_id),
        "names": named(context, actors),
        "reasons": REASONS,
        "key_of": bank_matching.key_of,
        # A form of its own for each time it is shown: sent twice, it counts once.
        "key": uuid4().hex[:16],
    }


def cheques_for(
    connection: Connection[Any], one: bank.Transaction
) -> list[tuple[RemittanceRow, int]]:
    """Give the cheques and cash that a movement may be for, each with how much of it.

    What came in may be what was not seen yet; what goes out takes back what was.
    """
    if one.cents > 0:
        return [(row, row.undeposited_cents) for row in remittances.undeposited(connection)]
    return [(row, row.deposited_cents) for row in remittances.deposited(connection)]


def payouts_for(connection: Connection[Any], one: bank.Transaction) -> list[tuple[Payout, int]]:
    """Give the payouts that a movement may be for, each with how much of it is not there yet."""
    found = [(row, row.outstanding_cents) for row in payouts.unbanked(connection)]
    found += [(row, -row.banked_cents) for row in payouts.banked_though_failed(connection)]
    return [(row, cents) for row, cents in found if cents * one.cents > 0]


def files(context: Context) -> dict[str, Any]:
    """Gather the newest statements in their chain."""
    with context.pool.connection() as connection:
        links = bank_chain.chain(connection)
    newest = sorted(links, key=lambda link: (link.file.closing_on, link.file.opening_on))
    newest = newest[::-1][:FILES_ON_A_PAGE]
    return {
        "links": newest,
        "count": len(links),
        "names": named(context, {link.file.actor for link in newest}),
        "accounts": {one.account_id: one.iban for one in foundation_of(context).accounts},
    }


@dataclass(frozen=True, slots=True)
class Reconciled:
    """A day as the ledger, the bank and the card processor tell it.

    `bank_cents` and `ledger_cents` are balances, None where no file ends on the day.
    """

    day: date
    moved: Day | None
    bank_cents: int | None
    ledger_cents: int | None
    payouts: tuple[Payout, ...]

    @property
    def difference_cents(self) -> int:
        return (self.bank_cents or 0) - (self.ledger_cents or 0)

    @property
    def paid_out_cents(self) -> int:
        return sum(one.cents for one in self.payouts if one.failed_on is None)

    @property
    def banked_cents(self) -> int:
        return sum(one.banked_cents for one in self.payouts)


def month_of(text: str) -> date:
    """Read a month, `2026-11`; this one where it is none."""
    try:
        month = date.fromisoformat(f"{text}-01")
    except ValueError:
        month = FIRST_DAY
    return month if FIRST_DAY < month <= LAST_DAY else today_here().replace(day=1)


def closing_of(links: Iterable[Link], first: date, last: date) -> dict[date, tuple[int, int]]:
    """Add up the accounts' balances at the end of each day, by the bank and by the ledger."""
    ends: dict[tuple[date, UUID], tuple[int, int]] = {}
    for link in links:
        file = link.file
        if link.difference_cents is not None and first <= file.closing_on <= last:
            ends[file.closing_on, file.account_id] = file.closing_cents, file.ledger_cents
    summed: dict[date, tuple[int, int]] = {}
    for (day, _), (bank_cents, ledger_cents) in ends.items():
        before = summed.get(day, (0, 0))
        summed[day] = before[0] + bank_cents, before[1] + ledger_cents
    return summed


def days(context: Context, month: date) -> dict[str, Any]:
    """Gather the days of a month on which the ledger, the bank or the cards have something."""
    last = month.replace(day=monthrange(month.year, month.month)[1])
    with context.pool.connection() as connection:
        moved = {one.day: one for one in bank.days(connection, month, last)}
        closing = closing_of(bank_chain.chain(connection), month, last)
        paid_out = payouts.every(connection, PAYOUTS_MAX)
    arriving = {one.arrival_on for one in paid_out if month <= one.arrival_on <= last}
    rows = [
        Reconciled(
            day=day,
            moved=moved.get(day),
            bank_cents=closing[day][0] if day in closing else None,
            ledger_cents=closing[day][1] if day in closing else None,
            payouts=tuple(one for one in paid_out if one.arrival_on == day),
        )
        for day in sorted({*moved, *closing, *arriving}, reverse=True)
    ]
    before, after = day_before(month).replace(day=1), days_after(last)
    cards = any(row.payouts for row in rows)
    return {"rows": rows, "cards": cards, "month": month, "before": before, "after": after}
