"""Thirty-two writers at once, who send each command until they are sure of it."""

import asyncio
import random
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from eventsourcing.persistence import PersistenceError

from ledger.committer import QueueFull
from ledger.decider import Refused
from ledger.donations import DonationDiffers, DonationEvent, RecordDonation, donation
from ledger.store import Handled, Ledger, LedgerUnavailable
from tests.api.stored import gifts

WRITERS = 32
DUPLICATES = 0.02
TRIES_MAX = 2_000
PARTNER, TILL = UUID(int=1), UUID(int=2)
UNSURE = (LedgerUnavailable, QueueFull, PersistenceError)


def record(donation_id: UUID, amount_cents: int = 40) -> RecordDonation:
    at = datetime.now(UTC)
    return RecordDonation(
        at=at,
        actor="test",
        donation_id=donation_id,
        partner_id=PARTNER,
        till_id=TILL,
        source="customer",
        amount_cents=amount_cents,
        occurred_at=datetime(2020, 11, 23, 10, tzinfo=UTC),
        occurred_on=datetime(2020, 11, 23, tzinfo=UTC).date(),
        partner_standing="active",
    )


@dataclass(slots=True)
class Storm:
    """What the writers send, and what they were told."""

    seed: int
    gifts_each: int
    acknowledged: dict[UUID, tuple[int, int]] = field(default_factory=dict)
    repeats: int = 0
    contradictions: int = 0
    unsure: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def commands(self, writer: int) -> list[RecordDonation]:
        """Draw the gifts of one writer; two in a hundred carry the id of another gift."""
        dice = random.Random(f"{self.seed} {writer}")
        commands = []
        for number in range(self.gifts_each):
            owner, place, amount_cents = writer, number, 40
            if dice.random() < DUPLICATES:
                owner, place = dice.randrange(WRITERS), dice.randrange(self.gifts_each)
                # Half of them say the same, half of them contradict.
                amount_cents += dice.randrange(2)
            commands.append(record(UUID(int=owner << 64 | place), amount_cents))
        return commands

    def heard(self, command: RecordDonation, result: Handled[DonationEvent] | Refused) -> None:
        with self._lock:
            if isinstance(result, Refused):
                assert isinstance(result, DonationDiffers), result
                self.contradictions += 1
                return
            told = (command.amount_cents, result.history[0].position)
            assert self.acknowledged.setdefault(command.donation_id, told) == told
            self.repeats += not result.fresh

    def rage(self, ledger: Ledger) -> list[threading.Thread]:
        """Start the writers, each in a thread."""
        threads = [
            threading.Thread(target=self._write, args=(ledger, writer)) for writer in range(WRITERS)
        ]
        for thread in threads:
            thread.start()
        return threads

    def _write(self, ledger: Ledger, writer: int) -> None:
        for command in self.commands(writer):
            for _ in range(TRIES_MAX):
                try:
                    results = ledger.handle_all(
                        donation, [(command.donation_id, command)], presume_new=True
                    )
                except UNSURE:
                    self.unsure += 1
                    continue
                self.heard(command, results[0])
                break

    async def rage_in_one_loop(self, ledger: Ledger) -> None:
        """Let every writer be a task, as requests are."""
        await asyncio.gather(*(self._submit(ledger, writer) for writer in range(WRITERS)))

    async def _submit(self, ledger: Ledger, writer: int) -> None:
        for command in self.commands(writer):
            for _ in range(TRIES_MAX):
                try:
                    results = await ledger.submit_all(
                        donation, [(command.donation_id, command)], presume_new=True
                    )
                except UNSURE:
                    self.unsure += 1
                    continue
                self.heard(command, results[0])
                break

    def assert_stored_exactly(self, conninfo: str) -> None:
        """What was acknowledged is in the store, where and as it was told, and nothing else is."""
        found = [
            (UUID(one.state["donation_id"]), (one.state["amount_cents"], one.position))
            for one in gifts(conninfo)
        ]
        assert len(found) == len(self.acknowledged)
        assert dict(found) == self.acknowledged
        sent = {one.donation_id for writer in range(WRITERS) for one in self.commands(writer)}
        assert set(self.acknowledged) == sent
