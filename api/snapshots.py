"""Public answers as bytes, made once for each position of the read models and served many times."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from fastapi import Request
from psycopg import Connection
from psycopg_pool import ConnectionPool
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ledger.calendar import civil_day
from projections import follow

# How old the known position may be. With the follower's own delay it bounds a figure's age.
FRESH_SECONDS = 0.05
BYTES_MAX = 64_000_000

HEADERS = {"Cache-Control": "public, no-cache", "X-Content-Type-Options": "nosniff"}

Build = Callable[[Connection[Any]], bytes]
# A partner lapses at midnight without an event, so the day is part of what an answer depends on.
Generation = tuple[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The bytes of one answer at one generation."""

    generation: Generation
    body: bytes
    etag: str


@dataclass(slots=True)
class Snapshots:
    """The answers of one worker; the least recently used go first."""

    pool: ConnectionPool[Any]
    _generation: Generation = ("", ())
    _checked_at: float = 0.0
    _kept: OrderedDict[str, Snapshot] = field(default_factory=OrderedDict)
    _bytes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def fresh(self, key: str) -> Snapshot | None:
        """Give the kept answer if nothing can have changed it, without leaving the event loop."""
        if time.monotonic() - self._checked_at > FRESH_SECONDS:
            return None
        kept = self._kept.get(key)
        return kept if kept is not None and kept.generation == self._generation else None

    def make(self, key: str, build: Build) -> Snapshot:
        """Look where the read models stand; build the answer anew if they moved. Blocks."""
        checked_at = time.monotonic()
        with self.pool.connection() as connection, connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            day = civil_day(datetime.now(UTC)).isoformat()
            generation = (day, tuple(follow.positions(connection).values()))
            kept = self._kept.get(key)
            if kept is None or kept.generation != generation:
                body = build(connection)
                made = Snapshot(generation, body, f'"{sha256(body).hexdigest()[:24]}"')
            else:
                made = kept
        with self._lock:
            self._keep(key, made)
            if checked_at > self._checked_at:
                self._generation, self._checked_at = generation, checked_at
        return made

    def _keep(self, key: str, snapshot: Snapshot) -> None:
        replaced = self._kept.pop(key, None)
        self._kept[key] = snapshot
        self._bytes += len(snapshot.body) - (len(replaced.body) if replaced else 0)
        while self._bytes > BYTES_MAX and len(self._kept) > 1:
            self._bytes -= len(self._kept.popitem(last=False)[1].body)


async def snapshot(
    request: Request, media_type: str, build: Build, *, variant: str = "", vary: str = ""
) -> Response:
    """Answer with bytes cached per position; `build` runs in a worker thread when it must.

    `variant` is what the bytes depend on beside the path: a page's language, the parameters that
    are read. Parameters that nobody reads make no new answer. Any cache may keep the answer but
    must ask about it again: its ETag is of its bytes.
    """
    snapshots: Snapshots = request.app.state.snapshots
    key = f"{request.url.path} {variant}"
    kept = snapshots.fresh(key)
    if kept is None:
        kept = await run_in_threadpool(snapshots.make, key, build)
    headers = {"ETag": kept.etag, **HEADERS}
    if vary:
        headers["Vary"] = vary
    if kept.etag in request.headers.get("if-none-match", ""):
        return Response(None, 304, headers)
    return Response(kept.body, 200, headers, media_type)
