"""A partner's credit set off: what one of its statements has too much pays another.

Same partner, same foundation, same currency: nothing is guessed, and nobody is asked. What was set
off follows the money that it came from: where that is taken back, or the debt is paid otherwise,
the set-off is taken back, cent by cent.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from ledger.settlements.commands import SetOffCredit, StatementNotFound
from ledger.settlements.events import CreditSetOff, SetOffEvent, SetOffTakenBack
from ledger.settlements.state import Pair, Settlement


@dataclass(slots=True)
class Balance:
    """The statements, the one due first at the top, and the cents that move between them.

    `needs` is what a statement lacks without any set-off: a credit where it is negative.
    """

    order: tuple[UUID, ...]
    needs: dict[UUID, int]
    held: Counter[Pair] = field(default_factory=Counter)

    def given_cents(self, statement_id: UUID) -> int:
        return sum(cents for (giver, _), cents in self.held.items() if giver == statement_id)

    def got_cents(self, statement_id: UUID) -> int:
        return sum(cents for (_, taker), cents in self.held.items() if taker == statement_id)

    def credit_cents(self, statement_id: UUID) -> int:
        """What a statement may still give; below zero, what it gave and does not have."""
        return max(0, -self.needs[statement_id]) - self.given_cents(statement_id)

    def lacking_cents(self, statement_id: UUID) -> int:
        """What a statement still lacks; below zero, what it got and does not need."""
        return max(0, self.needs[statement_id]) - self.got_cents(statement_id)

    def take_back(self) -> Iterator[tuple[Pair, int]]:
        """Take back what is not there any more, or not needed: first of what is due last."""
        place = {statement_id: number for number, statement_id in enumerate(self.order)}
        pairs = [pair for pair in self.held if all(one in place for one in pair)]
        for giver, taker in sorted(pairs, key=lambda one: (place[one[1]], place[one[0]]))[::-1]:
            too_much = max(-self.lacking_cents(taker), -self.credit_cents(giver))
            cents = min(self.held[giver, taker], too_much)
            if cents > 0:
                self.held[giver, taker] -= cents
                yield (giver, taker), cents

    def set_off(self) -> Iterator[tuple[Pair, int]]:
        """Pay what is due first with the oldest credit."""
        givers = [one for one in self.order if self.credit_cents(one) > 0]
        for taker in (one for one in self.order if self.lacking_cents(one) > 0):
            for giver in givers:
                cents = min(self.lacking_cents(taker), self.credit_cents(giver))
                if cents > 0:
                    self.held[giver, taker] += cents
                    yield (giver, taker), cents


def set_off(command: SetOffCredit, settlement: Settlement) -> list[SetOffEvent]:
    """Take back first, then set off: afterwards no credit waits beside a debt."""
    balance = balance_of(command, settlement)
    days = {one.statement_id: one.as_of for one in command.got}
    return [
        *(
            SetOffTakenBack(taken_back_on=day_of(pair, days), **told(command, pair, cents))
            for pair, cents in balance.take_back()
        ),
        *(
            CreditSetOff(set_off_on=day_of(pair, days), **told(command, pair, cents))
            for pair, cents in balance.set_off()
        ),
    ]


def balance_of(command: SetOffCredit, settlement: Settlement) -> Balance:
    """Put together what the partner's statements need and hold. Raises StatementNotFound."""
    banked = {one.statement_id: one.banked_cents for one in command.got}
    if unknown := banked.keys() - settlement.statements.keys():
        raise StatementNotFound(statement_id=min(unknown))
    known = [settlement.statements[statement_id] for statement_id in banked]
    known.sort(key=lambda one: (one.due_on, one.closed.number))
    needs = {
        one.closed.statement_id: one.unforgiven_cents - banked[one.closed.statement_id]
        for one in known
    }
    return Balance(tuple(needs), needs, Counter(settlement.set_offs))


def day_of(pair: Pair, days: dict[UUID, date]) -> date:
    giver, taker = pair
    return max(days[giver], days[taker])


def told(command: SetOffCredit, pair: Pair, cents: int) -> dict[str, Any]:
    giver, taker = pair
    return {
        "recorded_at": command.at,
        "actor": command.actor,
        "partner_id": command.partner_id,
        "statement_id": taker,
        "from_statement_id": giver,
        "cents": cents,
    }
