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

from api import (
    demo_cases,
    demo_office,
    demo_people,
    demo_projects,
    demo_rounds,
    demo_settlements,
    demo_tickets,
)
from api.admin import add_partner
from api.demo_life import DECIDED_AFTER, recognise, sanction
from api.deps import DEMO_ACTOR as ACTOR
from api.deps import Context, open_context
from ledger.calendar import VILLAGE, civil_day
from ledger.decider import Refused
from ledger.donations import RecordDonation, ReverseDonation, donation
from ledger.giving import Source
from ledger.keyring import new_till_key, till_key_hash
from ledger.partners.register import Sector, partner
from ledger.sales import round_up
from ledger.settings import Settings
from ledger.store import Ledger
from ledger.tills import EnrolTill, till
from projections import feed
from projections.every import READ_MODELS
from projections.follow import catch_up, prepare

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
    sector: Sector
    usual_cents: int
    gifts_a_day: int


SHOPS = (
    Shop("Boulangerie du Bassin", "food", 640, 34),
    Shop("Épicerie des Névons", "food", 2_150, 18),
    Shop("Librairie de la Sorgue", "culture", 2_480, 9),
    Shop("Café de la Roue à aubes", "restaurant", 780, 26),
    Shop("Fromagerie du Partage des eaux", "food", 1_860, 12),
    Shop("Pharmacie des Quais", "health", 1_590, 14),
    Shop("Fleurs de Velorgues", "retail", 2_900, 6),
    Shop("Quincaillerie Saint-Véran", "retail", 3_350, 5),
    Shop("Antiquités de la Gare", "antiques", 18_400, 2),
    Shop("Moulin à huile des Jardins", "farming", 2_240, 7),
)
PLACE = "L’Isle-sur-la-Sorgue"
# Whose SIRET is made with a number that no shop has.
FOUNDATION_NUMBER = 900
SUSPENDED = "Antiquités de la Gare"
LAPSED = "Quincaillerie Saint-Véran"
RENEWAL_DUE = "Pharmacie des Quais"


class LedgerNotDemonstration(Refused):
    """This ledger was not begun as a demonstration: made-up gifts would stay in it for ever."""


class DemoTill(NamedTuple):
    shop: Shop
    partner_id: UUID
    till_id: UUID


def load_demo_into_empty_ledger(settings: Settings, conninfo: str) -> tuple[str, ...] | None:
    """Load the village unless the ledger holds anything, and bring the read models up to it.

    Gives the codes of made-up tickets that may vote, None where nothing was loaded.
    """
    with psycopg.connect(conninfo, autocommit=True) as connection:
        if feed.head(connection):
            return None
    LOG.info("the ledger is empty: loading the demonstration village (DEMO=0 leaves it empty)")
    with open_context(settings, conninfo) as context:
        load_demo(context)
        codes = demo_tickets.tickets(context)
    catch_up(conninfo, READ_MODELS)
    return codes


def load_demo(context: Context) -> int:
    """Record the village; loading it again records only what is missing. Gives its gifts.

    Raises LedgerNotDemonstration.
    """
    with context.pool.connection() as connection:
        if feed.head(connection) and feed.first_actor(connection) != ACTOR:
            raise LedgerNotDemonstration
        # Who judges an idea is looked up in a read model, which a new ledger does not have yet.
        prepare(connection, READ_MODELS)
    ledger, today = context.ledger, civil_day(datetime.now(UTC))
    tills = [open_shop(ledger, number, today) for number in range(len(SHOPS))]
    open_office(context, tills)
    dice = random.Random(SEED)  # noqa: S311 - made-up sales need no secret.
    commands = [command for one in tills for command in gifts_of(one, today, dice)]
    with tqdm(total=len(commands), unit=" gifts", file=sys.stderr) as bar:
        for start in range(0, len(commands), BATCH):
            batch = commands[start : start + BATCH]
            ledger.handle_all(donation, [(c.donation_id, c) for c in batch], presume_new=True)
            bar.update(len(batch))
    give_some_back(ledger, commands)
    suspended = next(one for one in tills if one.shop.name == SUSPENDED)
    now = datetime.now(UTC)
    sanction(ledger, suspended.partner_id, "suspend", "statements_overdue", at=now)
    demo_office.appeal(context, suspended.partner_id, SUSPENDED, now)
    with context.pool.connection() as connection:
        demo_projects.load(ledger, connection)
    demo_people.load(context, [one.partner_id for one in tills])
    demo_settlements.promise(context)
    demo_rounds.load(context)
    demo_settlements.load(context, siret(FOUNDATION_NUMBER))
    return len(commands)


def open_office(context: Context, tills: list[DemoTill]) -> None:
    """Give the office its people and its cases, which all lie before the last gifts."""
    now = datetime.now(UTC)
    shops = {one.shop.name: one.partner_id for one in tills}
    sirets = [siret(len(SHOPS) + number) for number in range(len(demo_cases.CANDIDATES))]
    candidates = demo_cases.register_candidates(context, sirets, now)
    demo_office.open_accounts(context, now, [*shops.values(), *candidates])
    demo_cases.open_cases(context, candidates, shops, now)


def siret(number: int) -> str:
    """Make a SIRET of the right form that no business has."""
    siren = f"90000{number:03d}"
    siren += luhn.calc_check_digit(siren)
    digits = siren + "0001"
    return digits + luhn.calc_check_digit(digits)


def open_shop(ledger: Ledger, number: int, today: date) -> DemoTill:
    """Recognise a shop with a SIRET of the right form, and enrol its till; nobody holds the key."""
    shop = SHOPS[number]
    first = datetime.combine(today - timedelta(days=DAYS), time(9, number), tzinfo=VILLAGE)
    joined_at = first - DECIDED_AFTER
    partner_id = add_partner(
        ledger, ACTOR, shop.name, siret(number), place=PLACE, sector=shop.sector, at=joined_at
    )
    # The village may have been loaded on another day: its papers keep the days they have.
    joined_at = ledger.history(partner, partner_id)[0].event.recorded_at
    opens_on = civil_day(joined_at + DECIDED_AFTER)
    stays = timedelta(days=DAYS - 3 if shop.name == LAPSED else 1_000)
    recognise(
        ledger,
        partner_id,
        f"DEMO-{number + 1:03d}",
        applied_at=joined_at,
        valid_from=opens_on,
        valid_until=opens_on + stays,
        certified_until=opens_on + timedelta(days=DAYS + 40) if shop.name == RENEWAL_DUE else None,
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
    # Chosen by the gifts' own ids: loaded again an hour later, the same ones are given back.
    given_back = [one for one in commands if one.donation_id.int % REVERSED_ONE_IN == 0]
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
