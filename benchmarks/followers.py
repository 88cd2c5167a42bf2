"""All read models following the feed, against the event library's own projection runner."""

import time
from collections.abc import Iterator

import psycopg
from eventsourcing.projection import ProjectionRunner

from benchmarks.ground import Ground, village
from benchmarks.history import fill
from benchmarks.measure import Baseline, Figure, compared, interleaved, ratio_at_least
from benchmarks.stock import StockBalances, StockLedger, StockView, environment
from benchmarks.stock import fill as fill_stock
from projections import feed, follow
from projections.every import READ_MODELS

PARTNERS = 200
WAIT_SECONDS = 120
MY_EVENTS, MY_EVENTS_QUICK = 100_000, 30_000
STOCK_EVENTS, STOCK_EVENTS_QUICK = 4_000, 1_500


def measure(ground: Ground) -> Iterator[Figure]:
    """Take the figure of the followers: events a second, every model applied."""
    quick = ground.pace.quick
    mine, stock = ground.database("followers"), ground.database("followers_stock")
    tills = village(mine, PARTNERS)
    fill(mine, tills, MY_EVENTS_QUICK if quick else MY_EVENTS)
    library = StockLedger(env=environment(stock))
    fill_stock(library, tills, STOCK_EVENTS_QUICK if quick else STOCK_EVENTS)
    library.close()
    taken = interleaved(
        ground.pace.rounds,
        {"ours": lambda: followed_a_second(mine), "stock": lambda: run_a_second(stock)},
    )
    yield compared(
        "followers: all read models, events",
        "/s",
        taken["ours"],
        Baseline("ProjectionRunner, one upsert", taken["stock"]),
        ratio_at_least(25),
    )


def followed_a_second(conninfo: str) -> float:
    """Apply the whole feed to every read model, from nothing."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("DELETE FROM follower_position")
        events = feed.count(connection)
    started_at = time.perf_counter()
    applied = follow.catch_up(conninfo, READ_MODELS)
    spent = time.perf_counter() - started_at
    if applied != events * len(READ_MODELS):
        raise RuntimeError(f"{applied} of {events} events were applied by every model")
    return events / spent


def run_a_second(conninfo: str) -> float:
    """Run the library's projection over its events, one transaction each."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS stock_balances_tracking, stock_balance")
    with ProjectionRunner(
        application_class=StockLedger,
        projection_class=StockBalances,
        view_class=StockView,
        env=environment(conninfo),
    ) as runner:
        # What was applied while the runner was made is a present to the baseline.
        started_at = time.perf_counter()
        last = runner.app.recorder.max_notification_id() or 0
        runner.wait(last, timeout=WAIT_SECONDS)
        return last / (time.perf_counter() - started_at)
