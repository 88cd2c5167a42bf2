"""A few months of a village, day by day: what its shops and the foundation do, right and wrong."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from psycopg import Connection
from psycopg_pool import ConnectionPool

from api.demo_life import DECIDED_AFTER, recognise, sanction
from ledger.calendar import civil_day
from ledger.decider import Refused
from ledger.donations import DonationRecorded, RecordDonation, ReverseDonation, donation
from ledger.keyring import new_till_key, till_key_hash
from ledger.partners.agreements import agreement_id_of
from ledger.partners.certifications.events import Measure, Reason
from ledger.partners.register import RegisterPartner, SetPublicationConsent, partner
from ledger.store import Handled, Ledger
from ledger.tills import EnrolTill, RevokeTill, RotateTillKey, till
from projections.admission import Admission
from projections.feed import head
from tests.api.shops import siret
from tests.simulation.model import Outcome, Paper, Village

ACTOR = "simulation"
DAYS = 130


def outcome_of(handled: Handled[Any] | Refused) -> Outcome:
    if isinstance(handled, Refused):
        return type(handled).__name__
    return "done" if handled.fresh else "repeated"


class Months:
    """Sends each command to the ledger and to the model, and holds their answers together."""

    def __init__(
        self,
        seed: int,
        ledger: Ledger,
        pool: ConnectionPool[Any],
        connection: Connection[Any],
    ) -> None:
        self.dice = random.Random(seed)
        self.ledger = ledger
        self.pool = pool
        self.connection = connection
        self.cases = 0
        self.admission = Admission(pool)
        self.village = Village()
        self.at = datetime.now(UTC) - timedelta(days=DAYS)
        self.outcomes: Counter[str] = Counter()
        self.keys: list[str] = []
        self.gifts: list[dict[str, Any]] = []
        self.reversals: list[dict[str, Any]] = []

    def some_id(self) -> UUID:
        return UUID(int=self.dice.getrandbits(128))

    def agree(self, what: str, told: Outcome, expected: Outcome) -> None:
        assert told == expected, (what, self.at)
        self.outcomes[f"{what} {told}"] += 1

    def run(self, commands: int) -> Iterator[int]:
        """Let the months pass; yield now and then, for whoever compares."""
        step = timedelta(days=DAYS) / commands
        self.open_shop()
        acts: list[Callable[[], None]] = [self.open_shop, self.change_shop, self.change_till]
        acts += [self.give, self.give_many, self.give_again, self.give_back, self.give_back_again]
        acts += [self.change_consent]
        weights = [3, 4, 2, 50, 6, 12, 14, 8, 4]
        for number in range(commands):
            self.at += step * self.dice.uniform(0.5, 1.4)
            self.dice.choices(acts, weights)[0]()
            if number % 250 == 249:
                yield number
        yield commands

    def handle(self, what: str, decider: Any, subject: UUID, command: Any, said: Outcome) -> None:
        handled = self.ledger.handle_all(decider, [(subject, command)])[0]
        self.agree(what, outcome_of(handled), said)

    def open_shop(self) -> None:
        number = self.dice.randint(1, 12)
        partner_id, name = UUID(int=number), f"Shop {number if self.dice.random() < 0.9 else 0}"
        register = RegisterPartner(
            at=self.at,
            actor=ACTOR,
            partner_id=partner_id,
            name=name,
            siret=siret(number),
        )
        said = self.village.register(partner_id, name, siret(number), self.at)
        self.handle("register", partner, partner_id, register, said)
        if said != "done":
            return
        key, till_id = new_till_key(), self.some_id()
        self.keys.append(key)
        enrol = EnrolTill(
            at=self.at,
            actor=ACTOR,
            till_id=till_id,
            partner_id=partner_id,
            name="Caisse",
            key_sha256=till_key_hash(key),
        )
        said = self.village.enrol(till_id, partner_id, key)
        self.handle("enrol", till, till_id, enrol, said)
        self.recognise(partner_id)

    def recognise(self, partner_id: UUID) -> None:
        """Make a partner of a shop on the day it was registered."""
        today = civil_day(self.at)
        first = today + timedelta(days=self.dice.choice([0, 0, 0, -200, 9]))
        last = self.dice.choice([None, max(first, today) + timedelta(self.dice.randint(0, 60))])
        number = f"SIM-{partner_id.int}"
        paper = Paper(
            number=number,
            agreement_id=agreement_id_of(number),
            case_id=uuid5(partner_id, "application"),
            applied_on=civil_day(self.at - DECIDED_AFTER),
            decided_on=today,
        )
        for _ in range(2):
            before = head(self.connection)
            recognise(
                self.ledger,
                partner_id,
                number,
                applied_at=self.at - DECIDED_AFTER,
                valid_from=first,
                valid_until=last,
            )
            told = "done" if head(self.connection) > before else "repeated"
            said = self.village.recognise(partner_id, paper, first, last)
            self.agree("recognise", told, said)

    def change_shop(self) -> None:
        partner_id = UUID(int=self.dice.randint(1, 12))
        self.cases += 1
        name, today = f"case {self.cases}", civil_day(self.at)
        case_id = uuid5(partner_id, name)
        if self.dice.random() < 0.5:
            what, said = "suspend", self.village.suspend(partner_id, case_id, today)
        else:
            what, said = "reinstate", self.village.reinstate(partner_id, case_id, today)
        measure: Measure = "suspend" if what == "suspend" else "reinstate"
        reason: Reason | None = "gifts_withheld" if what == "suspend" else None
        try:
            sanction(self.ledger, partner_id, measure, reason, at=self.at, name=name)
            told = "done"
        except Refused as refused:
            told = type(refused).__name__
        self.agree(what, told, said)

    def change_consent(self) -> None:
        partner_id, given = UUID(int=self.dice.randint(1, 12)), self.dice.random() < 0.5
        command = SetPublicationConsent(
            at=self.at, actor=ACTOR, partner_id=partner_id, consented=given
        )
        said = self.village.consent(partner_id, given=given)
        self.handle("consent", partner, partner_id, command, said)

    def change_till(self) -> None:
        till_id = self.dice.choice(list(self.village.tills))
        if self.dice.random() < 0.25:
            revoke = RevokeTill(at=self.at, actor=ACTOR, till_id=till_id, reason="broken")
            said = self.village.revoke(till_id)
            self.handle("revoke", till, till_id, revoke, said)
            return
        key = new_till_key()
        self.keys.append(key)
        rotate = RotateTillKey(
            at=self.at, actor=ACTOR, till_id=till_id, key_sha256=till_key_hash(key)
        )
        said = self.village.rotate(till_id, key)
        self.handle("rotate", till, till_id, rotate, said)

    def a_gift(self) -> dict[str, Any]:
        dice = self.dice
        till_id = dice.choice(list(self.village.tills))
        minutes = dice.choice([0, 1, 60, 600, 40_000, 43_000, 44_000, 100_000, -9, -9, -11, -600])
        return {
            "donation_id": self.some_id(),
            "till_id": till_id,
            "partner_id": self.village.tills[till_id]["partner_id"],
            "source": dice.choice(["customer", "customer", "shop", "match"]),
            "amount_cents": dice.choice([dice.randint(1, 99), 100, 50_000, 50_001, 99_999_999]),
            "occurred_at": self.at - timedelta(minutes=minutes),
            "purchase_cents": dice.choice([None, dice.randint(1, 9_000)]),
        }

    def record(self, sent: dict[str, Any]) -> RecordDonation:
        """Make the command as the intake does, with the partner's standing from memory."""
        self.admission.refresh()
        occurred_on = civil_day(sent["occurred_at"])
        standing = self.admission.standing(sent["partner_id"], occurred_on)
        assert standing == self.village.status(sent["partner_id"], occurred_on)
        return RecordDonation(
            **sent, at=self.at, actor=ACTOR, occurred_on=occurred_on, partner_standing=standing
        )

    def send(self, gifts: list[dict[str, Any]]) -> None:
        commands = [(sent["donation_id"], self.record(sent)) for sent in gifts]
        results = self.ledger.handle_all(donation, commands, presume_new=self.dice.random() < 0.7)
        for sent, result in zip(gifts, results, strict=True):
            said = self.village.give(sent, self.at)
            # A future date is refused before the ledger looks whether the gift is known.
            self.agree("give", outcome_of(result), said)
            if said == "done" and isinstance(result, Handled):
                self.gifts.append(sent)
                event = result.history[0].event
                assert isinstance(event, DonationRecorded)
                flags = self.village.gifts[sent["donation_id"]]["flags"]
                assert (list(event.flags), event.occurred_on) == (
                    flags,
                    self.village.gifts[sent["donation_id"]]["on"],
                )

    def give(self) -> None:
        self.send([self.a_gift()])

    def give_many(self) -> None:
        """Send a batch, as a till does that was offline; some of it was sent before."""
        gifts = [self.a_gift() for _ in range(self.dice.randint(2, 30))]
        again = self.dice.sample(self.gifts, min(3, len(self.gifts)))
        batch = gifts + again + gifts[:2]
        self.dice.shuffle(batch)
        self.send(batch)

    def give_again(self) -> None:
        if not self.gifts:
            return
        sent = dict(self.dice.choice(self.gifts))
        change = self.dice.choice(["", "", "amount_cents", "source", "purchase_cents"])
        if change == "amount_cents":
            sent["amount_cents"] += 1
        elif change == "source":
            sent["source"] = "match"
        elif change == "purchase_cents":
            sent["purchase_cents"] = 12_345
        self.send([sent])

    def till_of(self, partner_id: UUID) -> UUID:
        tills = self.village.tills.items()
        return next((one for one, till in tills if till["partner_id"] == partner_id), UUID(int=0))

    def take_back(self, sent: dict[str, Any]) -> None:
        command = ReverseDonation(
            **sent,
            at=self.at,
            actor=ACTOR,
            till_id=self.till_of(sent["partner_id"]),
            reversed_on=civil_day(self.at),
        )
        said = self.village.give_back(sent, self.at)
        self.handle("give back", donation, sent["donation_id"], command, said)
        if said == "done":
            self.reversals.append(sent)

    def give_back(self) -> None:
        if not self.gifts:
            return
        gift = self.dice.choice(self.gifts)
        partner_id = gift["partner_id"] if self.dice.random() < 0.9 else self.some_id()
        whole = gift["amount_cents"]
        self.take_back(
            {
                "donation_id": gift["donation_id"] if self.dice.random() < 0.9 else self.some_id(),
                "reversal_id": self.some_id(),
                "partner_id": partner_id,
                "amount_cents": self.dice.choice([whole, self.dice.randint(1, whole), whole + 1]),
                "reason": self.dice.choice(["sale_returned", "mistake", "duplicate"]),
            }
        )

    def give_back_again(self) -> None:
        if not self.reversals:
            return
        sent = dict(self.dice.choice(self.reversals))
        sent["amount_cents"] += self.dice.choice([0, 0, 1])
        self.take_back(sent)
