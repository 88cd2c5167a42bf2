"""One gift a request over HTTP: against an endpoint that does nothing, and against common ways."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

from benchmarks import served
from benchmarks.gifts import Requests
from benchmarks.ground import Ground, Till, village
from benchmarks.load import Answers, Load, run
from benchmarks.measure import (
    Baseline,
    Figure,
    compared,
    interleaved,
    ratio_at_least,
    ratio_at_most,
)
from projections import follow
from projections.every import READ_MODELS

CONNECTIONS = 32
PARTNERS = 100
OURS = "/api/v1/donations"
BASELINE = "/gifts"
CREATED = 201
# More than a server here answers in a second; when they run out, the round ends early.
REQUESTS_A_SECOND_MAX = 15_000
TRIVIAL_A_SECOND_MAX = 50_000

Subject = Callable[[], Answers]


def measure(ground: Ground) -> Iterator[Figure]:
    """Take the figures of the intake."""
    yield from many_connections(ground)
    yield from one_connection(ground)
    yield from hot_partner(ground)
    yield from two_workers(ground)


def subject(ground: Ground, port: int, path: str, tills: list[Till]) -> Subject:
    """Give one round of gifts to a server."""
    return sending(ground, port, Requests(path, 1, tuple(till.key for till in tills)))


def sending(
    ground: Ground,
    port: int,
    requests: Requests,
    *,
    connections: int = CONNECTIONS,
    a_second_max: int = REQUESTS_A_SECOND_MAX,
) -> Subject:
    seconds = ground.pace.seconds
    enough = replace(requests, most=int(a_second_max * (seconds + 1)))
    load = Load(port, connections, seconds, enough)
    return lambda: run(load, CREATED)


def many_connections(ground: Ground) -> Iterator[Figure]:
    """Compare 32 connections to one worker with the same to each baseline."""
    plain, followed = ground.database("intake"), ground.database("intake_followed")
    with ExitStack() as running:
        ours = running.enter_context(served.ours(ground, plain))
        beside = running.enter_context(served.ours(ground, followed))
        nothing = running.enter_context(served.baseline(ground, plain, "nothing"))
        saving = running.enter_context(served.baseline(ground, plain, "saving"))
        trivial = running.enter_context(served.trivial(ground, plain))
        tills = village(plain, PARTNERS)
        follow_gifts = subject(ground, beside, OURS, village(followed, PARTNERS))

        def with_follower() -> Answers:
            follow.catch_up(followed, READ_MODELS)
            with served.following(ground, followed):
                return follow_gifts()

        taken = interleaved(
            ground.pace.rounds,
            {
                "ours": subject(ground, ours, OURS, tills),
                "nothing": subject(ground, nothing, BASELINE, []),
                "saving": subject(ground, saving, BASELINE, []),
                "with follower": with_follower,
                "client": sending(
                    ground, trivial, Requests(BASELINE, 1), a_second_max=TRIVIAL_A_SECOND_MAX
                ),
            },
        )
    rates = {name: [answers.a_second for answers in runs] for name, runs in taken.items()}
    p99 = {name: [answers.p99_ms for answers in runs] for name, runs in taken.items()}
    nothing_rate = Baseline("validate, do nothing", rates["nothing"])
    nothing_p99 = Baseline("validate, do nothing", p99["nothing"])
    saving_rate = Baseline("Application.save", rates["saving"])
    name = "intake: one gift a request"
    yield compared(name, "/s", rates["ours"], nothing_rate, ratio_at_least(0.90))
    yield compared(f"{name}, p99", "ms", p99["ours"], nothing_p99, ratio_at_most(2))
    yield compared(name, "/s", rates["ours"], saving_rate, ratio_at_least(12))
    yield compared(f"{name}, follower at work", "/s", rates["with follower"], nothing_rate)
    yield compared("the client itself", "/s", rates["client"], nothing_rate, ratio_at_least(3))


def one_connection(ground: Ground) -> Iterator[Figure]:
    """Compare a single till that waits for each answer with one transaction a request."""
    mine, theirs = ground.database("single"), ground.database("single_bare")
    key = village(mine, 1)[0].key
    with (
        served.ours(ground, mine) as ours,
        served.baseline(ground, theirs, "inserting") as inserting,
    ):
        taken = interleaved(
            ground.pace.rounds,
            {
                "ours": sending(ground, ours, Requests(OURS, 1, (key,)), connections=1),
                "theirs": sending(ground, inserting, Requests(BASELINE, 1), connections=1),
            },
        )
    yield compared(
        "intake: one connection",
        "/s",
        [answers.a_second for answers in taken["ours"]],
        Baseline("a transaction a request", [answers.a_second for answers in taken["theirs"]]),
        ratio_at_least(1),
    )


def hot_partner(ground: Ground) -> Iterator[Figure]:
    """Compare all gifts at one partner with the same spread over a hundred."""
    conninfo = ground.database("hot")
    tills = village(conninfo, PARTNERS)
    with served.ours(ground, conninfo) as port:
        taken = interleaved(
            ground.pace.rounds,
            {
                "one": subject(ground, port, OURS, tills[:1]),
                "hundred": subject(ground, port, OURS, tills),
            },
        )
    yield compared(
        "intake: all at one partner",
        "/s",
        [answers.a_second for answers in taken["one"]],
        Baseline(f"at {PARTNERS} partners", [answers.a_second for answers in taken["hundred"]]),
        ratio_at_least(0.95),
    )


def two_workers(ground: Ground) -> Iterator[Figure]:
    """Compare two workers on one database and socket with one."""
    conninfo = ground.database("workers")
    tills = village(conninfo, PARTNERS)
    with (
        served.ours(ground, conninfo) as one,
        served.ours(ground, conninfo, workers=2) as two,
    ):
        taken = interleaved(
            ground.pace.rounds,
            {
                "two": subject(ground, two, OURS, tills),
                "one": subject(ground, one, OURS, tills),
            },
        )
    yield compared(
        "intake: two workers",
        "/s",
        [answers.a_second for answers in taken["two"]],
        Baseline("one worker", [answers.a_second for answers in taken["one"]]),
        ratio_at_least(1.2),
    )
