"""Status queries beside ten thousand partners: each figure is the time that 95 % stay under."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from statistics import quantiles
from typing import Any, TypeVar
from uuid import UUID, uuid5

from psycopg import Connection

from api.admin import SIRET_NAMESPACE
from api.demo_life import DECIDED_AFTER, application, signature
from benchmarks.ground import Ground, siret
from benchmarks.measure import Figure, Spread, at_most
from ledger.decider import Command, Decider, Event
from ledger.partners.agreements import agreement
from ledger.partners.certifications.decider import certification
from ledger.partners.register import DescribePartner, RegisterPartner, partner
from ledger.store import Ledger, open_ledger
from projections import partners, standings
from projections.every import READ_MODELS
from projections.feed import head
from projections.follow import catch_up, connected

PARTNERS = 10_000
BATCH = 1_000
QUERIES = 200
TODAY = date(2026, 11, 23)
PLACES = ("L’Isle-sur-la-Sorgue", "Velleron", "Le Thor", "Saumane", "Fontaine-de-Vaucluse")
GOAL_MS = 50

C = TypeVar("C", bound=Command)
S = TypeVar("S")
E = TypeVar("E", bound=Event)


def measure(ground: Ground) -> Iterator[Figure]:
    """Take the figures, in quick rounds beside a tenth of the partners."""
    count = PARTNERS // 10 if ground.pace.quick else PARTNERS
    conninfo = ground.database("standings")
    with open_ledger(conninfo) as ledger:
        shops = fill(ledger, count)
    catch_up(conninfo, READ_MODELS)
    dice = Random(5)  # noqa: S311 - which partner is asked for needs no secret.
    with connected(conninfo) as connection:
        newest = head(connection)

        def day() -> date:
            return TODAY + timedelta(days=dice.randrange(-900, 900))

        questions: dict[str, Callable[[], object]] = {
            "answer on a day": lambda: standings.answer(connection, dice.choice(shops), day()),
            "answer as it was known": lambda: standings.answer(
                connection, dice.choice(shops), day(), dice.randrange(newest)
            ),
            "history": lambda: standings.history(connection, dice.choice(shops)),
            "status of everyone": lambda: standings.everyone(connection, day()),
            "directory, first page": lambda: partners.directory(connection, on=day()),
            "directory, searched": lambda: partners.directory(
                connection, str(dice.randrange(99)), dice.choice(PLACES), on=day()
            ),
        }
        for name, question in questions.items():
            yield figure(ground, connection, f"{name}, {count:,} partners, p95", question)


def fill(ledger: Ledger, count: int) -> list[UUID]:
    """Recognise partners over three years, through the real commands, many a commit."""
    shops = [uuid5(SIRET_NAMESPACE, siret(number)) for number in range(count)]
    began = [TODAY - timedelta(days=number % 1_200) for number in range(count)]
    applied = [datetime(one.year, one.month, one.day, 9, tzinfo=UTC) for one in began]
    each = range(count)
    every: dict[str, Any] = {"actor": "bench"}
    record(
        ledger,
        partner,
        [
            (
                shops[n],
                RegisterPartner(
                    at=applied[n],
                    partner_id=shops[n],
                    name=f"Commerce {n}",
                    siret=siret(n),
                    **every,
                ),
            )
            for n in each
        ],
    )
    record(
        ledger,
        partner,
        [
            (
                shops[n],
                DescribePartner(
                    at=applied[n],
                    partner_id=shops[n],
                    trade_name=f"Commerce {n}",
                    legal_name=f"Commerce {n}",
                    place=PLACES[n % len(PLACES)],
                    sector="retail",
                    **every,
                ),
            )
            for n in each
        ],
    )
    signed = [
        signature(shops[n], f"B-{n}", applied[n], began[n], began[n] + timedelta(days=900))
        for n in each
    ]
    record(ledger, agreement, [(one.agreement_id, one) for one in signed])
    steps = [application(shops[n], applied[n], began[n] + DECIDED_AFTER) for n in each]
    for step in range(len(steps[0])):
        record(ledger, certification, [(shops[n], steps[n][step]) for n in each])
    return shops


def record(ledger: Ledger, decider: Decider[C, S, E], commands: Sequence[tuple[UUID, C]]) -> None:
    for first in range(0, len(commands), BATCH):
        for result in ledger.handle_all(decider, commands[first : first + BATCH]):
            if isinstance(result, Exception):
                raise result


def figure(
    ground: Ground, connection: Connection[Any], name: str, question: Callable[[], object]
) -> Figure:
    connection.execute("SELECT 1")
    rounds = [slowest_but_few(question) for _ in range(ground.pace.rounds)]
    return Figure(name, "ms", Spread.of(rounds), goal=at_most(GOAL_MS))


def slowest_but_few(question: Callable[[], object]) -> float:
    """Give the milliseconds that 95 % of the queries stay under."""
    times: list[float] = []
    for _ in range(QUERIES):
        started_at = time.perf_counter()
        question()
        times.append((time.perf_counter() - started_at) * 1_000)
    return quantiles(times, n=20)[-1]
