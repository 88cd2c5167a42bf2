"""One account at Stripe: its objects, its clock, its events; every act on it happens whole."""

import functools
import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Concatenate, ParamSpec, TypeVar

from tests.stripe.description import REFERENCE, Description, description
from tests.stripe.requests import Refused

Object = dict[str, Any]
P = ParamSpec("P")
R = TypeVar("R")

PREFIXES = {
    "balance_transaction": "txn_",
    "charge": "ch_",
    "checkout.session": "cs_test_",
    "customer": "cus_",
    "dispute": "du_",
    "event": "evt_",
    "invoice": "in_",
    "invoice_payment": "inpay_",
    "item": "li_",
    "line_item": "il_",
    "payment_intent": "pi_",
    "payment_link": "plink_",
    "payment_method": "pm_",
    "payout": "po_",
    "price": "price_",
    "product": "prod_",
    "refund": "re_",
    "subscription": "sub_",
    "subscription_item": "si_",
}


@dataclass
class Account:
    """`clock` gives Stripe's time, which need not be ours.

    `kept` is what an answer does not show: how a session is to be paid. `session_of` names
    the session of an intent, `on_paid` what follows once it is paid, `paid_by` the payout of
    a movement.
    """

    secret_key: str = "sk_test_double"
    id: str = "acct_double"
    livemode: bool = False
    seed: int = 0
    clock: Callable[[], float] = time.time
    described: Description = field(default_factory=description)
    objects: dict[str, Object] = field(default_factory=dict)
    events: list[Object] = field(default_factory=list)
    listeners: list[Callable[[Object], None]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    request_id: str | None = None
    idempotency_key: str | None = None
    pages_url: str = "https://checkout.stripe.com"
    kept: dict[str, Object] = field(default_factory=dict)
    session_of: dict[str, str] = field(default_factory=dict)
    on_paid: dict[str, Callable[[Object], None]] = field(default_factory=dict)
    paid_by: dict[str, str] = field(default_factory=dict)
    made: int = 0

    @property
    def now(self) -> int:
        return int(self.clock())

    def new_id(self, prefix: str) -> str:
        """Give an id that the seed and the count of ids before it decide."""
        self.made += 1
        return prefix + hashlib.sha256(f"{self.seed}/{self.made}".encode()).hexdigest()[:24]

    def forget(self) -> None:
        """Begin anew, for another example of a property; no id comes twice."""
        with self.lock:
            self.events.clear()
            for known in (self.objects, self.kept, self.session_of, self.on_paid, self.paid_by):
                known.clear()

    def add(self, kind: str, /, **told: Any) -> Object:
        """Make an object: what is told of it, and the emptiest that is allowed for the rest."""
        one: Object = self.described.blank({"$ref": REFERENCE + kind})
        one["id"] = self.new_id(PREFIXES[kind])
        if "created" in one:
            one["created"] = self.now
        if "livemode" in one:
            one["livemode"] = self.livemode
        if one.get("metadata", 0) is None:
            one["metadata"] = {}
        one |= told
        self.described.check_type(kind, one)
        self.objects[one["id"]] = one
        return one

    def get(self, kind: str, object_id: Any, param: str = "id") -> Object:
        one = self.objects.get(object_id)
        if one is None or one["object"] != kind:
            noun = kind.replace("checkout.session", "checkout session").replace("_", "")
            message = f"No such {noun}: '{object_id}'"
            raise Refused(message, status=404, code="resource_missing", param=param)
        return one

    def all(self, kind: str) -> Iterator[Object]:
        """Every object of a kind, the newest first."""
        return (one for one in reversed(self.objects.values()) if one["object"] == kind)

    def emit(self, kind: str, one: Object, of_account: str | None = None) -> Object:
        """Note what happened, with the object as it is now; whoever listens is told."""
        connected = {"account": of_account} if of_account else {}
        event = self.add(
            "event",
            type=kind,
            api_version=self.described.version,
            data={"object": deepcopy(one)},
            pending_webhooks=1,
            request={"id": self.request_id, "idempotency_key": self.idempotency_key},
            **connected,
        )
        self.described.check_type(one["object"], one)
        self.events.append(event)
        for listener in self.listeners:
            listener(event)
        return event


def act(
    function: Callable[Concatenate[Account, P], R],
) -> Callable[Concatenate[Account, P], R]:
    """Let an act happen whole: nobody reads the account in the middle of it."""

    @functools.wraps(function)
    def whole(account: Account, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with account.lock:
            return function(account, *args, **kwargs)

    return whole
