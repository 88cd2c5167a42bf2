"""What the events say of money, in the rows that the read models of money should have."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from ledger.calendar import civil_day
from ledger.settlements.events import StatementClosed, WriteOffProposed
from projections.check_allocations import Allocations, Moved
from projections.check_cards import Cards
from projections.check_pledges import Pledges
from projections.check_set_offs import SetOffs
from projections.check_statements import Statements

# What is said of one thing, by what names it.
Key = tuple[Any, ...]
Row = tuple[Key, tuple[Any, ...]]
Rows = dict[Key, tuple[Any, ...]]
Gatherer = Callable[["Gathered"], Iterator[Row]]


@dataclass(frozen=True, slots=True)
class Gathered:
    """What one reading of all events holds of money so far."""

    statements: Statements
    allocations: Allocations
    cards: Cards
    pledges: Pledges
    set_offs: SetOffs

    def rows(self, query: str) -> Rows:
        """Give the rows that a query of a read model should give."""
        return dict(GATHERERS[query](self))

    def money_of(self, statement_id: UUID) -> list[Moved]:
        """Give all money of a statement, what was written off and set off, as the feed has it."""
        forgiven = (
            Moved(position, 0, "write_off", on, cents)
            for position, on, cents in self.statements.forgiven.get(statement_id, ())
        )
        came = self.allocations.money.get(statement_id, ())
        return sorted([*came, *forgiven, *self.set_offs.money.get(statement_id, ())])


def dues(known: Gathered) -> Iterator[Row]:
    for partner_id in known.statements.waiting:
        cents = [line.cents for line in known.statements.open_lines(partner_id)]
        if cents:
            yield (partner_id,), (len(cents), sum(cents))


def due_lines(known: Gathered) -> Iterator[Row]:
    for partner_id, sums in known.statements.lines.items():
        yield (partner_id,), tuple(sums)


def due_blocks(known: Gathered) -> Iterator[Row]:
    for key, one in known.statements.blocks.items():
        yield key, (one.lines, one.positions, one.cents, date.fromordinal(one.last_on))


def due_ends(known: Gathered) -> Iterator[Row]:
    closed: dict[UUID, list[int]] = {}
    for one in known.statements.closed.values():
        sums = closed.setdefault(one.partner_id, [0, 0])
        sums[:] = sums[0] + one.lines, sums[1] + one.owed_cents
    for partner_id, day in known.statements.first_on.items():
        last = known.statements.last.get(partner_id)
        ends = (None, None) if last is None else (last.last_on, last.through_position)
        sums = closed.get(partner_id, [0, 0])
        yield (partner_id,), (*sums, date.fromordinal(day), *ends)


def statements(known: Gathered) -> Iterator[Row]:
    whole = known.statements
    proposed = {one.statement_id: one for one in whole.proposed.values()}
    for statement_id, one in whole.closed.items():
        waiting = proposed.get(statement_id)
        yield (
            (statement_id,),
            (
                one.partner_id,
                one.number,
                one.owed_cents,
                known.allocations.got["statement", statement_id],
                whole.written_off[statement_id],
                known.set_offs.net[statement_id],
                whole.reminders[statement_id],
                statement_id in whole.overdue,
                *paid_since(one, known.money_of(statement_id)),
                whole.reminded_on.get(statement_id),
                one.first_on,
                one.last_on,
                one.through_position,
                one.lines,
                one.lines_sha256,
                [part.model_dump(mode="json") for part in one.parts],
                one.reference,
                one.due_on,
                one.closed_by,
                one.recorded_at,
                *proposal_told(waiting),
            ),
        )


def proposal_told(waiting: WriteOffProposed | None) -> Key:
    """Give what is kept of a write-off that waits, as texts."""
    if waiting is None:
        return False, None, None, None, None
    return True, str(waiting.write_off_id), str(waiting.cents), waiting.reason, waiting.actor


def paid_since(closed: StatementClosed, money: list[Moved]) -> tuple[date | None, date | None]:
    """Say since when a statement never lacked a cent, and since when one that was whole lacks some.

    That is by the days of its money; what its own credit paid elsewhere was never needed here.
    """
    settled_on = lacking_since = None
    running, whole = 0, False
    for moved in sorted(money, key=lambda one: (one.day, one.position, one.place)):
        own = moved.means != "credit"
        running += moved.cents if own else 0
        if running >= closed.owed_cents:
            whole, lacking_since = True, None
            settled_on = settled_on or (moved.day if own else None)
        else:
            settled_on = None
            lacking_since = lacking_since or (moved.day if whole else None)
    if closed.owed_cents > sum(moved.cents for moved in money):
        return None, lacking_since
    return settled_on or civil_day(closed.recorded_at), lacking_since


def statement_days(known: Gathered) -> Iterator[Row]:
    for one in known.statements.closed.values():
        for told in one.days:
            yield (one.statement_id, told.day), (told.cents,)


def statement_money(known: Gathered) -> Iterator[Row]:
    forgiven, set_off = known.statements.forgiven, known.set_offs.money
    for statement_id in known.allocations.money.keys() | forgiven.keys() | set_off.keys():
        for one in known.money_of(statement_id):
            told = one.means, one.day, one.cents, one.other_id
            yield (statement_id, one.position, one.place), told


def statement_cards(known: Gathered) -> Iterator[Row]:
    for payment_id, paid in known.cards.payments.items():
        if paid.purpose == "statement" and paid.purpose_id is not None:
            yield (payment_id,), (paid.purpose_id,)


def bank_files(known: Gathered) -> Iterator[Row]:
    for file_id, one in known.allocations.files.items():
        told = one.model_dump(exclude={"file_id", "recorded_at", "actor"})
        yield (file_id,), (*told.values(), one.recorded_at, one.actor)


def bank(known: Gathered) -> Iterator[Row]:
    for transaction_id, one in known.allocations.transactions.items():
        yield (transaction_id,), (one.cents, one.cents - one.used_cents, one.facts)


def bank_matches(known: Gathered) -> Iterator[Row]:
    for match_id, told in known.allocations.made.items():
        yield (match_id,), told


def bank_days(known: Gathered) -> Iterator[Row]:
    for key, cents in known.allocations.moved.items():
        yield key, (cents,)


def remittances(known: Gathered) -> Iterator[Row]:
    whole = known.allocations
    for name, (one, state) in whole.remittances.items():
        decided = whole.decided.get(name, (None, None))
        yield (
            (name,),
            (
                one.partner_id,
                one.cents,
                state,
                whole.got["remittance", name],
                one.means,
                one.received_on,
                one.actor,
                one.recorded_at,
                *decided,
                whole.returned_on.get(name),
            ),
        )


def pledges(known: Gathered) -> Iterator[Row]:
    for name, one in known.pledges.pledges.items():
        banked = known.allocations.got["pledge", name]
        facts = one.made.sponsor, one.made.pledged_on, one.made.round_id, one.made.cents
        yield (name,), (one.cents, one.called_cents, sum(one.used.values()), banked, *facts)


def pledge_calls(known: Gathered) -> Iterator[Row]:
    for name, one in known.pledges.pledges.items():
        for number, call in enumerate(one.calls, 1):
            called_on = civil_day(call.recorded_at)
            told = name, number, call.cents, call.reference, call.due_on, called_on
            yield (call.call_id,), told


def pledge_uses(known: Gathered) -> Iterator[Row]:
    for name, one in known.pledges.pledges.items():
        for round_id, cents in one.used.items():
            yield (name, round_id), (cents, one.used_on[round_id])


def matched_rounds(known: Gathered) -> Iterator[Row]:
    for name, one in known.pledges.rounds.items():
        told = one.title, one.sponsor, one.cap_cents, one.state, one.matched_cents
        yield (name,), told


def payments(known: Gathered) -> Iterator[Row]:
    whole = known.cards
    for name in whole.begun.keys() | whole.payments.keys():
        begun, paid = whole.begun.get(name), whole.payments.get(name)
        terms = begun or paid
        assert terms is not None  # noqa: S101 - its name comes from one of the two.
        # An amount that is about to be paid has its cover of the fee in it.
        about = 0 if begun is None else begun.cents + begun.fee_cover_cents
        came = (paid.charge_id, paid.method, paid.succeeded_at) if paid else (None, None, None)
        state = ("succeeded", None) if paid else whole.waits[name]
        cents = paid.cents if paid else about
        yield (
            (name,),
            (
                cents,
                whole.left[name] if paid else about,
                *state,
                terms.purpose,
                terms.purpose_id,
                terms.partner_id,
                terms.subscription_id,
                *came,
                terms.recorded_at,
                terms.livemode,
            ),
        )


def payment_refunds(known: Gathered) -> Iterator[Row]:
    for refund_id, (one, failed_on) in known.cards.refunded.items():
        yield (refund_id,), (one.payment_id, one.cents, one.refunded_on, failed_on)


def payment_disputes(known: Gathered) -> Iterator[Row]:
    for dispute_id, one in known.cards.contested.items():
        told = one.opened
        yield (
            (dispute_id,),
            (
                told.payment_id,
                told.cents,
                told.reason,
                told.recorded_at,
                told.evidence_due_at,
                one.withdrawn_on,
                one.reinstated_on,
                one.outcome,
            ),
        )


def subscriptions(known: Gathered) -> Iterator[Row]:
    for name, on in known.cards.ended.items():
        yield (name,), (on,)


def payouts(known: Gathered) -> Iterator[Row]:
    for name, one in known.cards.payouts.items():
        told = one.paid
        banked = known.allocations.got["payout", name]
        net = sum(line.net_cents for line in one.lines)
        facts = told.stripe_id, told.arrival_on, told.lines, bool(told.by_hand), told.livemode
        yield (name,), (told.cents, banked, one.failed_on, len(one.lines), net, *facts)


def payout_lines(known: Gathered) -> Iterator[Row]:
    for name, payout in known.cards.payouts.items():
        for number, one in enumerate(payout.lines):
            cents = one.gross_cents, one.fee_cents, one.net_cents
            yield (name, number), (one.kind, one.source_id, *cents)


GATHERERS: Mapping[str, Gatherer] = {
    gatherer.__name__: gatherer
    for gatherer in (
        *(dues, due_lines, due_blocks, due_ends),
        *(statements, statement_days, statement_money, statement_cards),
        *(bank_files, bank, bank_matches, bank_days),
        *(remittances, pledges, pledge_calls, pledge_uses, matched_rounds),
        *(payments, payment_refunds, payment_disputes, subscriptions),
        *(payouts, payout_lines),
    )
}
