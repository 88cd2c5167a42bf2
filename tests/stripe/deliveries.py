"""Webhooks on their way: a test decides which arrive, when, how often and in which order."""

import hashlib
import hmac
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.stripe.account import Account, Object

PATH = "/api/v1/stripe/webhook"
SECRET = "whsec_double"
TIMEOUT_SECONDS = 30


def signature(payload: bytes, secrets: Sequence[str], at: int) -> str:
    """Sign as Stripe does: one `v1` for each secret that is in force while they are rolled."""
    signed = f"{at}.".encode() + payload
    sums = [hmac.new(one.encode(), signed, hashlib.sha256).hexdigest() for one in secrets]
    return ",".join([f"t={at}", *(f"v1={one}" for one in sums)])


@dataclass
class Deliveries:
    """What Stripe would send to our address; `waiting` is what has not arrived yet."""

    account: Account
    url: str
    secrets: tuple[str, ...] = (SECRET,)
    waiting: list[Object] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.account.listeners.append(self.waiting.append)

    def send(
        self, event: Object, at: int | None = None, secrets: Sequence[str] | None = None
    ) -> httpx.Response:
        """Send one event now, whether or not it was sent before."""
        payload = json.dumps(event, indent=2).encode()
        return self.post(payload, at, secrets)

    def post(
        self, payload: bytes, at: int | None = None, secrets: Sequence[str] | None = None
    ) -> httpx.Response:
        moment = int(time.time()) if at is None else at
        header = signature(payload, self.secrets if secrets is None else secrets, moment)
        return self.post_signed(payload, header)

    def post_signed(self, payload: bytes, header: str | None) -> httpx.Response:
        headers = {"content-type": "application/json; charset=utf-8", "user-agent": "Stripe/1.0"}
        if header is not None:
            headers["stripe-signature"] = header
        # Plain HTTP on the loopback: reading the certificates of the world would take longer.
        with httpx.Client(verify=False, timeout=TIMEOUT_SECONDS) as client:  # noqa: S501
            told = httpx.Headers(headers, encoding="latin-1")
            return client.post(self.url + PATH, content=payload, headers=told)

    def deliver(self, events: Sequence[Object] | None = None) -> None:
        """Let all that waits arrive, or these events in this order; each must be taken."""
        arriving = list(self.waiting) if events is None else list(events)
        for event in arriving:
            answer = self.send(event)
            assert answer.status_code == 200, (event["type"], answer.status_code, answer.text)
        self.waiting[:] = [one for one in self.waiting if one not in arriving]

    def drop(self, *kinds: str) -> list[Object]:
        """Let what waits get lost: all of it, or the events of these types."""
        lost = [one for one in self.waiting if not kinds or one["type"] in kinds]
        self.waiting[:] = [one for one in self.waiting if one not in lost]
        return lost


def of_type(events: Sequence[Object], kind: str) -> Any:
    """Give the only event of a type."""
    (found,) = (one for one in events if one["type"] == kind)
    return found
