"""Announcements of Stripe, each signed and new: stored for good before they are answered."""

from collections.abc import Iterator
from functools import partial

import psycopg

from api import stripe_webhook
from benchmarks import served
from benchmarks.gifts import Requests
from benchmarks.ground import Ground, village
from benchmarks.load import Answers, Load, run
from benchmarks.measure import Baseline, Figure, at_least, compared, interleaved, ratio_at_least

SECRET = "whsec_benchmark"  # noqa: S105 - it signs made-up announcements.
SETTINGS = {"STRIPE_SECRET_KEY": "sk_test_benchmark", "STRIPE_WEBHOOK_SECRETS": SECRET}
BASELINE = "/announcements"
CONNECTIONS = 32
A_SECOND_MIN = 1_000
# More than a server here answers in a second; they are made before the clock runs.
REQUESTS_A_SECOND_MAX = 12_000
OK = 200


def measure(ground: Ground) -> Iterator[Figure]:
    """Take one worker beside a bare endpoint, and look that nothing that was answered is lost."""
    conninfo = ground.database("webhooks")
    village(conninfo, 1)
    with (
        served.ours(ground, conninfo, chosen=SETTINGS) as ours,
        served.baseline(ground, conninfo, "hearing") as bare,
    ):
        taken = interleaved(
            ground.pace.rounds,
            {
                "ours": partial(announced, ground, ours, stripe_webhook.PATH),
                "bare": partial(announced, ground, bare, BASELINE),
            },
        )
    with psycopg.connect(conninfo) as connection:
        row = connection.execute("SELECT count(*) FROM inbox").fetchone()
    answered = sum(sum(answers.statuses.values()) for answers in taken["ours"])
    assert row is not None
    assert row[0] >= answered, f"{answered} were answered, {row[0]} are stored"
    rates = {name: [answers.a_second for answers in runs] for name, runs in taken.items()}
    name = "announcements of Stripe, stored and answered"
    beside = Baseline("a bare endpoint", rates["bare"])
    yield compared(name, "/s", rates["ours"], beside, at_least(A_SECOND_MIN))
    yield compared(name, "/s", rates["ours"], beside, ratio_at_least(0.5))
    p99 = {name: [answers.p99_ms for answers in runs] for name, runs in taken.items()}
    yield compared(f"{name}, p99", "ms", p99["ours"], Baseline("a bare endpoint", p99["bare"]))


def announced(ground: Ground, port: int, path: str) -> Answers:
    """Send announcements for one round; each must be taken."""
    seconds = ground.pace.seconds
    most = int(REQUESTS_A_SECOND_MAX * (seconds + 1))
    load = Load(port, CONNECTIONS, seconds, Requests(path, most=most, webhook_secret=SECRET))
    return run(load, OK)
