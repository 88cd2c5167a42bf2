"""The load: many kept-alive connections, in a process of its own, far cheaper than any server.

`run` starts that process; it reads what to send from its input and writes what came back.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Any, cast

import uvloop

from benchmarks.gifts import Requests, prepared

REPOSITORY = Path(__file__).parent.parent
GRACE_SECONDS = 60
LENGTH = b"content-length: "
END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Load:
    """Requests to a port of this machine, for some seconds after some of warming up.

    Each connection sends its next request as soon as it has its answer; with `a_second` they
    share a fixed pace instead. The number behind `note` in each answer is kept, with its time.
    """

    port: int
    connections: int
    seconds: float
    requests: Requests
    warm_up: float = 0.5
    a_second: float = 0.0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Answers:
    """What came back after the warming up; `notes` are moments (monotonic) and numbers."""

    seconds: float
    statuses: dict[str, int]
    p50_ms: float
    p99_ms: float
    notes: list[tuple[float, int]]

    @property
    def a_second(self) -> float:
        return sum(self.statuses.values()) / self.seconds


def run(load: Load, expected: int) -> Answers:
    """Send a load from another process. Every answer must have the expected status."""
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"],
        input=json.dumps(asdict(load)),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=REPOSITORY,
        timeout=load.seconds + load.warm_up + GRACE_SECONDS,
    )
    answers = Answers(**json.loads(finished.stdout))
    if set(answers.statuses) != {str(expected)}:
        raise RuntimeError(f"{load.requests.path} answered {answers.statuses}")
    return answers


@dataclass(slots=True, eq=False)
class Sending:
    """One run of a load, as all its connections see it."""

    load: Load
    requests: Iterator[bytes]
    done: asyncio.Future[None]
    idle: deque["Connection"] = field(default_factory=deque)
    counted_from: float = 0.0
    ends_at: float = 0.0
    statuses: Counter[bytes] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    notes: list[tuple[float, int]] = field(default_factory=list)

    def start(self) -> None:
        now = time.monotonic()
        self.counted_from = now + self.load.warm_up
        self.ends_at = self.counted_from + self.load.seconds
        if self.load.a_second:
            self.keep_pace(now, 0)
        else:
            ready, self.idle = self.idle, deque()
            for connection in ready:
                self.next(connection)

    def next(self, connection: "Connection") -> None:
        request = next(self.requests, None)
        if request is not None and time.monotonic() < self.ends_at:
            connection.send(request)
        else:
            self.rest(connection)

    def rest(self, connection: "Connection") -> None:
        """Leave only once every answer is there: a request cut off would count as a fault."""
        self.idle.append(connection)
        self.leave()

    def leave(self) -> None:
        if len(self.idle) == self.load.connections and not self.done.done():
            self.done.set_result(None)

    def keep_pace(self, started_at: float, sent: int) -> None:
        """Send all that is due, on whatever connection is free."""
        now = time.monotonic()
        if now > self.ends_at:
            self.leave()
            return
        due = int((now - started_at) * self.load.a_second) + 1
        while sent < due and self.idle:
            self.idle.popleft().send(next(self.requests))
            sent += 1
        loop = asyncio.get_running_loop()
        loop.call_later(0.5 / self.load.a_second, self.keep_pace, started_at, sent)

    def fail(self, cause: BaseException | None) -> None:
        if not self.done.done():
            self.done.set_exception(cause or ConnectionError("the server hung up"))

    def answered(self, connection: "Connection") -> None:
        now = time.monotonic()
        if self.counted_from <= now <= self.ends_at:
            self.statuses[connection.status] += 1
            self.latencies.append(now - connection.sent_at)
            if self.load.note:
                self.notes.append((now, number_behind(self.load.note, connection.body)))
        if self.load.a_second and now < self.ends_at:
            self.idle.append(connection)
        elif self.load.a_second:
            self.rest(connection)
        else:
            self.next(connection)


class Connection(asyncio.Protocol):
    """Sends one request at a time and finds the end of its answer."""

    def __init__(self, sending: Sending) -> None:
        self.sending = sending
        self.sent_at = 0.0
        self.status = self.body = self.head = b""
        self.missing = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are no subclasses of asyncio's.
        self.transport = cast(asyncio.Transport, transport)
        self.sending.idle.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.sending.fail(exc)

    def send(self, request: bytes) -> None:
        self.sent_at = time.monotonic()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self.missing:
            self.missing -= len(data)
            if self.sending.load.note:
                self.body += data
        else:
            self.head += data
            end = self.head.find(END)
            if end < 0:
                return
            place = self.head.index(LENGTH) + len(LENGTH)
            length = int(self.head[place : self.head.index(b"\r", place)])
            self.missing = end + len(END) + length - len(self.head)
            self.status = self.head[9:12]
            self.body = self.head[end + len(END) :]
            self.head = b""
        if not self.missing:
            self.sending.answered(self)


def number_behind(name: str, body: bytes) -> int:
    place = body.index(f'"{name}":'.encode()) + len(name) + 3
    end = place
    while body[end : end + 1].isdigit():
        end += 1
    return int(body[place:end])


async def sent(load: Load) -> Answers:
    """Carry out a load in this process."""
    loop = asyncio.get_running_loop()
    # All bytes exist before the clock runs; a GET is one object, many times.
    sending = Sending(load, iter(list(prepared(load.requests))), loop.create_future())
    loop.set_exception_handler(lambda _, context: sending.fail(context.get("exception")))
    for _ in range(load.connections):
        await loop.create_connection(lambda: Connection(sending), "127.0.0.1", load.port)
    sending.start()
    await asyncio.wait_for(sending.done, load.warm_up + load.seconds + GRACE_SECONDS / 2)
    ended_at = min(time.monotonic(), sending.ends_at)
    percentiles = quantiles(sending.latencies, n=100)
    return Answers(
        seconds=ended_at - sending.counted_from,
        statuses={status.decode(): count for status, count in sending.statuses.items()},
        p50_ms=percentiles[49] * 1000,
        p99_ms=percentiles[98] * 1000,
        notes=sending.notes,
    )


def main() -> None:
    given: dict[str, Any] = json.load(sys.stdin)
    load = Load(**given | {"requests": Requests(**given["requests"])})
    answers = uvloop.run(sent(load))
    json.dump(asdict(answers), sys.stdout)


if __name__ == "__main__":
    main()
