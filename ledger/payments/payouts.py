"""A payout: what Stripe sends to the bank, with every line that it is made of."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, assert_never

from ledger.calendar import civil_day
from ledger.decider import Decider
from ledger.payments.commands import ObservePayout, PayoutDiffers
from ledger.payments.events import PayoutEvent, PayoutFailed, PayoutListed, PayoutPaid

# So many lines stay well below what one event may weigh.
LINES_AN_EVENT: Final = 1_000


@dataclass(frozen=True, slots=True)
class Unpaid:
    pass


@dataclass(frozen=True, slots=True)
class Paid:
    cents: int
    failed: bool = False


Payout = Unpaid | Paid


def evolve(payout: Payout, event: PayoutEvent) -> Payout:
    match event:
        case PayoutPaid(cents=cents):
            return Paid(cents)
        case PayoutListed():
            return payout
        case PayoutFailed():
            assert isinstance(payout, Paid)  # noqa: S101 - what was stored says so.
            return replace(payout, failed=True)
        case _:
            assert_never(event)


def decide(command: ObservePayout, payout: Payout) -> list[PayoutEvent]:
    """Note a payout once it is paid, and that it failed. Its lines stay what they were."""
    seen = command.seen
    if seen.status == "on_its_way":
        return []
    found: list[PayoutEvent] = []
    match payout:
        case Unpaid():
            found += paid(command)
        case Paid(cents=cents) if cents != seen.cents:
            raise PayoutDiffers(stripe_id=seen.stripe_id, cents=cents, told_cents=seen.cents)
        case Paid(failed=True):
            return []
        case Paid():
            pass
        case _:
            assert_never(payout)
    if seen.status == "failed":
        found.append(PayoutFailed(failed_on=civil_day(command.at), **basis(command)))
    return found


def basis(command: ObservePayout) -> dict[str, Any]:
    return {
        "recorded_at": command.at,
        "actor": command.actor,
        "payout_id": command.seen.payout_id,
    }


def paid(command: ObservePayout) -> Iterator[PayoutEvent]:
    seen = command.seen
    yield PayoutPaid(
        stripe_id=seen.stripe_id,
        cents=seen.cents,
        arrival_on=seen.arrival_on,
        lines=len(seen.lines),
        by_hand=True if seen.by_hand else None,
        livemode=seen.livemode,
        **basis(command),
    )
    for first in range(0, len(seen.lines), LINES_AN_EVENT):
        lines = seen.lines[first : first + LINES_AN_EVENT]
        yield PayoutListed(first_line=first, lines=lines, **basis(command))


payout: Decider[ObservePayout, Payout, PayoutEvent] = Decider(
    category="payout", initial=Unpaid(), decide=decide, evolve=evolve
)
