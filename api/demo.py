"""The demonstration village: made-up shops and two months of gifts, the same on every machine."""

import logging
import random
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID, uuid5

import psycopg
from stdnum import luhn
from tqdm import tqdm

from api.admin import SIRET_NAMESPACE, add_partner, suspend_partner
from api.deps import DEMO_ACTOR as ACTOR
from ledger.calendar import VILLAGE, civil_day
from ledger.donations import RecordDonation, ReverseDonation, Source, donation
from ledger.keyring import new_till_key, till_key_hash
from ledger.partners import partner
from ledger.sales import round_up
from ledger.store import Ledger, open_ledger
from ledger.tills import EnrolTill, till
from projections import feed
from projections.every import READ_MODELS
from projections.follow import catch_up

LOG = logging.getLogger("donpositif.demo")
NAMESPACE = UUID("0f4a3a52-4f0e-5b7c-9f43-6f2f5c1c7d11")
DAYS = 61
SEED = 84800
BATCH = 1_000
# One gift in a hundred is given back: the sale was returned, or the key slipped.
REVERSED_ONE_IN = 100


class Shop(NamedTuple):
    """A made-up shop: its usual sale in cents, and how many of its customers a day give."""

    name: str
    usual_cents: int
    gifts_a_day: int


SHOPS = (
    Shop("Boulangerie du Bassin", 640, 34),
    Shop("Épicerie des Névons", 2_150, 18),
    Shop("Librairie de la Sorgue", 2_480, 9),
    Shop("Café de la Roue à aubes", 780, 26),
    Shop("Fromagerie du Partage des eaux", 1_860, 12),
    Shop("Pharmacie des Quais", 1_590, 14),
    Shop("Fleurs de Velorgues", 2_900, 6),
    Shop("Quincaillerie Saint-Véran", 3_350, 5),
    Shop("Antiquités de la Gare", 18_400, 2),
    Shop("Moulin à huile des Jardins", 2_240, 7),
)
SUSPENDED = "Antiquités de la Gare"
LAPSED = "Quincaillerie Saint-Véran"


class DemoTill(NamedTuple):
    shop: Shop
    partner_id: UUID
    till_id: UUID


def load_demo_into_empty_ledger(conninfo: str) -> None:
    """Load the village unless the ledger holds anything, and bring the read models up to it."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        if feed.head(connection):
            return
    LOG.info("the ledger is empty: loading the demonstration village (DEMO=0 leaves it empty)")
    with open_ledger(conninfo) as ledger:
        load_demo(ledger)
    catch_up(conninfo, READ_MODELS)


def load_demo(ledger: Ledger) -> int:
    """Record the village; loading it again records only what is missing. Gives its gifts."""
    today = civil_day(datetime.now(UTC))
    tills = [open_shop(ledger, number, today) for number in range(len(SHOPS))]
    dice = random.Random(SEED)  # noqa: S311 - made-up sales need no secret.
    commands = [command for one in tills for command in gifts_of(one, today, dice)]
    with tqdm(total=len(commands), unit=" gifts", file=sys.stderr) as bar:
        for start in range(0, len(commands), BATCH):
            batch = commands[start : start + BATCH]
            ledger.handle_all(donation, [(c.donation_id, c) for c in batch], presume_new=True)
            bar.update(len(batch))
    give_some_back(ledger, commands)
    suspended = next(one.partner_id for one in tills if one.shop.name == SUSPENDED)
    suspend_partner(ledger, ACTOR, suspended, "bordereaux en retard")
    return len(commands)


def open_shop(ledger: Ledger, number: int, today: date) -> DemoTill:
    """Register a shop with a SIRET of the right form, and its till; nobody holds the key."""
    shop = SHOPS[number]
    siren = f"90000{number:03d}"
    siren += luhn.calc_check_digit(siren)
    siret = siren + "0001"
    siret += luhn.calc_check_digit(siret)
    partner_id = uuid5(SIRET_NAMESPACE, siret)
    if not ledger.history(partner, partner_id):
        add_partner(
            ledger,
            ACTOR,
            shop.name,
            siret,
            valid_from=today - timedelta(days=DAYS),
            valid_until=today - timedelta(days=3 if shop.name == LAPSED else -1_000),
        )
    till_id = uuid5(NAMESPACE, shop.name)
    if not ledger.history(till, till_id):
        enrol = EnrolTill(
            at=datetime.now(UTC),
            actor=ACTOR,
            till_id=till_id,
            partner_id=partner_id,
            name="Caisse 1",
            key_sha256=till_key_hash(new_till_key()),
        )
        ledger.handle(till, till_id, enrol)
    return DemoTill(shop, partner_id, till_id)


def gifts_of(one: DemoTill, today: date, dice: random.Random) -> Iterator[RecordDonation]:
    """Make the gifts of one shop over the last two months, never in the future."""
    at = datetime.now(UTC)
    for ago in range(DAYS, -1, -1):
        day = today - timedelta(days=ago)
        if day.weekday() == 0 and one.shop.gifts_a_day < 10:  # noqa: PLR2004 - small shops rest.
            continue
        for _ in range(dice.randint(one.shop.gifts_a_day // 2, one.shop.gifts_a_day * 3 // 2)):
            moment = time(dice.randint(8, 18), dice.randint(0, 59), dice.randint(0, 59))
            occurred_at = datetime.combine(day, moment, tzinfo=VILLAGE)
            source, purchase_cents, amount_cents = sale(one.shop, dice)
            name = f"{one.shop.name}|{occurred_at.isoformat()}|{dice.getrandbits(64)}"
            if occurred_at < at:
                yield RecordDonation(
                    at=at,
                    actor=ACTOR,
                    donation_id=uuid5(NAMESPACE, name),
                    partner_id=one.partner_id,
                    till_id=one.till_id,
                    source=source,
                    amount_cents=amount_cents,
                    occurred_at=occurred_at,
                    occurred_on=day,
                    purchase_cents=purchase_cents,
                    ask_id="round-up",
                    partner_standing="active",
                )


def sale(shop: Shop, dice: random.Random) -> tuple[Source, int, int]:
    """Make one sale: who gives, the sale in cents, the gift in cents."""
    purchase_cents = max(95, int(dice.gauss(shop.usual_cents, shop.usual_cents / 3)))
    if dice.random() < 0.12:  # noqa: PLR2004 - some shops add a hundredth of the sale themselves.
        return "shop", purchase_cents, max(1, purchase_cents // 100)
    return "customer", purchase_cents, round_up(purchase_cents) or 100


def give_some_back(ledger: Ledger, commands: list[RecordDonation]) -> None:
    given_back = commands[::REVERSED_ONE_IN]
    at = datetime.now(UTC)
    reversals = [
        (
            gift.donation_id,
            ReverseDonation(
                at=at,
                actor=ACTOR,
                donation_id=gift.donation_id,
                reversal_id=uuid5(NAMESPACE, f"reversal|{gift.donation_id}"),
                partner_id=gift.partner_id,
                till_id=gift.till_id,
                amount_cents=gift.amount_cents,
                reason="sale_returned",
                reversed_on=civil_day(at),
            ),
        )
        for gift in given_back
    ]
    ledger.handle_all(donation, reversals)
