"""The requests that tills send, as bytes: each gift is new, so that none is a repeat."""

import hmac
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import cycle, islice, repeat
from typing import Any
from uuid import uuid4

# Stripe's events of payments are some 3 kB long.
ANNOUNCEMENT_FILLING = 2_700


@dataclass(frozen=True, slots=True)
class Requests:
    """What is sent: `gifts` in a request to `path`, 0 for a GET, 1, or a batch of many.

    `bodies` are sent instead, each once, where there are any, and announcements of Stripe signed
    with `webhook_secret` where one is given. The tills of `keys` take turns.
    At most `most` requests are prepared, before the clock runs.
    """

    path: str
    gifts: int = 0
    keys: tuple[str, ...] = ()
    most: int = 100_000
    bodies: tuple[str, ...] = ()
    webhook_secret: str = ""


def prepared(requests: Requests) -> Iterator[bytes]:
    """Give the bytes of every request."""
    if requests.bodies:
        yield from (post(requests.path, "", body.encode()) for body in requests.bodies)
        return
    if requests.webhook_secret:
        yield from announcements(requests)
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


def announcements(requests: Requests) -> Iterator[bytes]:
    """Give what Stripe sends of payments, each new, as long as its own and signed as its own."""
    at = int(time.time())
    secret = requests.webhook_secret.encode()
    for _ in range(requests.most):
        body = announcement(at).encode()
        signed = hmac.new(secret, b"%d.%b" % (at, body), sha256).hexdigest()
        head = (
            f"POST {requests.path} HTTP/1.1\r\nHost: bench\r\n"
            f"Stripe-Signature: t={at},v1={signed}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        yield head.encode() + body


def announcement(at: int) -> str:
    """Write an event about a payment of its own."""
    named = uuid4().hex
    charge: dict[str, Any] = {
        "id": f"ch_{named}",
        "object": "charge",
        "amount": 1_000,
        "currency": "eur",
    }
    charge |= {"description": "x" * ANNOUNCEMENT_FILLING}
    event: dict[str, Any] = {"id": f"evt_{named}", "object": "event", "type": "charge.succeeded"}
    event |= {"created": at, "livemode": False, "data": {"object": charge}}
    return json.dumps(event, indent=2)


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
