"""The requests that tills send, as bytes: each gift is new, so that none is a repeat."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle, islice, repeat
from uuid import uuid4


@dataclass(frozen=True, slots=True)
class Requests:
    """What is sent: `gifts` in a request to `path`, 0 for a GET, 1, or a batch of many.

    `bodies` are sent instead, each once, where there are any. The tills of `keys` take turns.
    At most `most` requests are prepared, before the clock runs.
    """

    path: str
    gifts: int = 0
    keys: tuple[str, ...] = ()
    most: int = 100_000
    bodies: tuple[str, ...] = ()


def prepared(requests: Requests) -> Iterator[bytes]:
    """Give the bytes of every request."""
    if requests.bodies:
        yield from (post(requests.path, "", body.encode()) for body in requests.bodies)
        return
    if not requests.gifts:
        yield from repeat(get(requests.path), requests.most)
        return
    occurred_at = datetime.now(UTC).isoformat(timespec="seconds")
    for number, key in enumerate(islice(cycle(requests.keys or ("",)), requests.most)):
        first = number * requests.gifts
        bodies = [gift(first + place, occurred_at) for place in range(requests.gifts)]
        body = bodies[0] if requests.gifts == 1 else f'{{"donations":[{",".join(bodies)}]}}'
        yield post(requests.path, key, body.encode())


def get(path: str) -> bytes:
    # As every browser does, and most programs.
    head = f"GET {path} HTTP/1.1\r\nHost: bench\r\nAccept-Encoding: gzip\r\n\r\n"
    return head.encode()


def post(path: str, key: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def gift(number: int, occurred_at: str) -> str:
    """Write a round-up with all that a till tells of it."""
    cents = 1 + number % 99
    return json.dumps(
        {
            "donation_id": str(uuid4()),
            "occurred_at": occurred_at,
            "amount_cents": cents,
            "source": "customer",
            "purchase_cents": 10_000 - cents,
            "sale_ref": f"T1-{number:08d}",
            "ask_id": "round-up",
        },
        separators=(",", ":"),
    )
