"""A year of a foundation's money: what shops, donors, banks and a tired treasurer do with it."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar, Self
from uuid import UUID, uuid5

from api import settling
from api.deps import Context
from ledger.calendar import VILLAGE
from ledger.donations import RecordDonation, ReverseDonation, donation
from ledger.giving import SOURCES
from projections.every import READ_MODELS
from projections.follow import catch_up
from tests.api.shops import Shop
from tests.simulation.money_model import Books, Key

DAY = timedelta(days=1)
YEAR_DAYS = 365
# After the year the last tills come back and debts are paid: so long at least, and at most.
TAIL_DAYS, END_DAYS = 120, 420
OFFICER, OTHER_OFFICER = (
    f"account:{uuid5(UUID(int=0), name)}" for name in ("officer", "other officer")
)
GIFTS_MAX = 3
# The others follow at the end: that costs less than to follow every day.
MONEY = {
    name: READ_MODELS[name]
    for name in (
        *("dues", "standings", "statements", "bank", "remittances", "pledges"),
        *("payments", "payouts", "partners"),
    )
}


class Moment(datetime):
    """The time of the simulation, for whoever asks what time it is."""

    at: ClassVar[datetime] = datetime(2000, 1, 1, tzinfo=UTC)

    @classmethod
    def now(cls, tz: Any = None) -> Self:
        return cls.at.astimezone(tz)  # type: ignore[return-value]


class Year:
    """Tells the ledger and the model the same, day by day; what is due later is in `diary`."""

    def __init__(self, seed: int, context: Context, conninfo: str) -> None:
        self.dice = random.Random(seed)
        self.context = context
        self.conninfo = conninfo
        self.shops: list[Shop] = []
        self.books = Books()
        self.diary: dict[date, list[Callable[[], object]]] = defaultdict(list)
        self.gifts: dict[UUID, tuple[Shop, int]] = {}
        self.late: list[tuple[date, RecordDonation]] = []
        self.cheques: dict[UUID, UUID] = {}
        self.first_on = datetime.now(UTC).date() - timedelta(days=YEAR_DAYS + END_DAYS)
        self.today = self.first_on
        self.dawn()

    @property
    def at(self) -> datetime:
        return datetime.combine(self.today, time(14), tzinfo=VILLAGE)

    @property
    def is_on(self) -> bool:
        """Tell whether the year itself still goes on."""
        return self.today < self.first_on + YEAR_DAYS * DAY

    def some_id(self) -> UUID:
        return UUID(int=self.dice.getrandbits(128))

    def after(self, days: int, act: Callable[[], object]) -> None:
        """Note what is done so many days later."""
        self.diary[self.today + timedelta(days=days)].append(act)

    def number_of(self, partner_id: UUID) -> int:
        """Give the place of a shop among the others."""
        return next(n for n, shop in enumerate(self.shops) if shop.partner_id == partner_id)

    def dawn(self) -> None:
        """Let everybody know what day it is."""
        Moment.at = self.at

    def days(self) -> Iterator[date]:
        """Let the days pass until nothing is left to do: gifts in the year alone."""
        while self.today < self.first_on + (YEAR_DAYS + TAIL_DAYS) * DAY or self.diary:
            self.dawn()
            if self.is_on:
                self.give()
            self.come_back()
            for act in self.diary.pop(self.today, []):
                act()
            yield self.today
            self.today += DAY
            self.dawn()
            assert self.today < datetime.now(UTC).date(), "the debts have no end"

    def catch_up(self, *names: str) -> None:
        """Bring the read models of money to the head, or only some of them."""
        catch_up(self.conninfo, {name: MONEY[name] for name in names or MONEY})

    def give(self) -> None:
        """Let some shops collect; a till in five is without a network, for weeks at times."""
        now: list[RecordDonation] = []
        for shop in self.shops:
            if self.dice.random() > 0.07:
                continue
            gifts = [self.a_gift(shop) for _ in range(self.dice.randint(1, GIFTS_MAX))]
            if self.dice.random() < 0.2:
                back_on = self.today + timedelta(days=self.dice.choice([1, 3, 12, 40, 75]))
                self.late += [(back_on, one) for one in gifts]
            else:
                now += gifts
        self.record(now)
        if self.gifts and self.dice.random() < 0.15:
            self.give_back(self.dice.choice(list(self.gifts)))

    def a_gift(self, shop: Shop) -> RecordDonation:
        occurred_at = self.at - timedelta(minutes=self.dice.randint(1, 300))
        return RecordDonation(
            at=self.at,
            actor="simulation",
            donation_id=self.some_id(),
            partner_id=shop.partner_id,
            till_id=shop.till_id,
            source=self.dice.choice(SOURCES),
            amount_cents=self.dice.choice([self.dice.randint(1, 99), self.dice.randint(1, 2_000)]),
            occurred_at=occurred_at,
            occurred_on=occurred_at.date(),
            partner_standing="active",
        )

    def come_back(self) -> None:
        """Let tills that were away send what they collected, with its true day."""
        due = [one for back_on, one in self.late if back_on <= self.today]
        self.late = [one for one in self.late if one[0] > self.today]
        self.record([one.model_copy(update={"at": self.at}) for one in due])

    def record(self, gifts: list[RecordDonation]) -> None:
        for one in self.context.ledger.handle_all(
            donation, [(gift.donation_id, gift) for gift in gifts], presume_new=True
        ):
            assert not isinstance(one, Exception)
        by_till = {shop.till_id: shop for shop in self.shops}
        for gift in gifts:
            self.books.give(gift.partner_id, gift.occurred_on, gift.amount_cents)
            self.gifts[gift.donation_id] = by_till[gift.till_id], gift.amount_cents

    def give_back(self, donation_id: UUID) -> None:
        """Give a gift back in part or whole: it may be on a statement that is long paid."""
        shop, left = self.gifts[donation_id]
        cents = self.dice.choice([left, self.dice.randint(1, left)])
        command = ReverseDonation(
            at=self.at,
            actor="simulation",
            donation_id=donation_id,
            reversal_id=self.some_id(),
            partner_id=shop.partner_id,
            till_id=shop.till_id,
            amount_cents=cents,
            reason="sale_returned",
            reversed_on=self.today,
        )
        self.context.ledger.handle(donation, donation_id, command)
        self.books.give_back(shop.partner_id, self.today, cents)
        if cents == left:
            del self.gifts[donation_id]
        else:
            self.gifts[donation_id] = shop, left - cents

    def close_due(self) -> list[Key]:
        """Let the clock close what is due; both must have closed the same."""
        self.catch_up("dues", "standings")
        closed = settling.close_due(self.context)
        self.catch_up("dues", "statements")
        keys = self.books.close_due(self.today)
        self.books.set_off()
        told = {(one.partner_id, one.number): one.owed_cents for one in closed}
        assert told == {key: self.books.claims[key].owed for key in keys}, self.today
        return keys

    def close_the_rest(self) -> list[Key]:
        """Close by hand what the schedule leaves open: cents, and what gifts do not outweigh."""
        keys: list[Key] = []
        for partner_id, lines in list(self.books.waiting.items()):
            if lines:
                self.catch_up("dues", "standings")
                closed = settling.close_now(self.context, OFFICER, partner_id)
                key = self.books.close(partner_id, self.today, self.today)
                self.books.set_off()
                assert (closed.number, closed.owed_cents) == (key[1], self.books.claims[key].owed)
                keys.append(key)
        self.catch_up()
        return keys
