"""What the bank's money can do to a target: never leave it less than nothing, nor overfill it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from psycopg import Connection

from ledger.allocations import Allocation, Target
from ledger.bank.transactions import TargetFull, TargetLacks
from projections import payouts, pledges, remittances, statements

Named = tuple[Target, UUID]
NOTHING: Final[Counter[Named]] = Counter()


@dataclass(frozen=True, slots=True)
class Held:
    """What a target got, and between what it may stay; `most_cents` is None where more is credit.

    A payout of a day on which more went back than came in is less than nothing.
    """

    cents: int
    least_cents: int = 0
    most_cents: int | None = None


def least_of(statement: statements.Statement) -> int:
    """Give the least that a statement may have got: what it owes its partner is sent to it."""
    return min(0, statement.owed_cents)


def held(connection: Connection[Any], target: Target, target_id: UUID) -> Held | None:
    """Say how much a target got, None where it is not there or nothing bounds it."""
    found: Held | None = None
    match target:
        case "statement":
            statement = statements.one(connection, target_id)
            found = None if statement is None else Held(statement.banked_cents, least_of(statement))
        case "pledge":
            pledge = pledges.one(connection, target_id)
            found = None if pledge is None else Held(pledge.banked_cents)
        case "remittance":
            remittance = remittances.one(connection, target_id)
            if remittance is not None:
                found = Held(remittance.deposited_cents, most_cents=remittance.cents)
        case "payout":
            payout = payouts.one(connection, target_id)
            if payout is not None:
                ends = min(0, payout.cents), max(0, payout.cents)
                found = Held(payout.banked_cents, *ends)
        case _:
            pass
    return found


def taking_back(allocations: Iterable[Allocation]) -> list[Allocation]:
    """Give what undoes some allocations."""
    return [one.model_copy(update={"cents": -one.cents}) for one in allocations]


def keep_within(
    connection: Connection[Any],
    allocations: Iterable[Allocation],
    moved: Counter[Named] = NOTHING,
) -> Counter[Named]:
    """Refuse what would leave a target less than nothing, or with more than it can hold.

    `moved` is what the read models do not tell yet; what is allocated is given in the same form.
    Raises TargetLacks, TargetFull.
    """
    asked: Counter[Named] = Counter()
    for one in allocations:
        if one.target_id is not None:
            asked[one.target, one.target_id] += one.cents
    for (target, target_id), cents in asked.items():
        found = held(connection, target, target_id)
        if found is None:
            continue
        before = found.cents + moved[target, target_id]
        if cents < 0 and before + cents < found.least_cents:
            raise TargetLacks(target=target, held_cents=before, asked_cents=cents)
        if cents > 0 and found.most_cents is not None and before + cents > found.most_cents:
            raise TargetFull(target=target, left_cents=found.most_cents - before, asked_cents=cents)
    return asked
