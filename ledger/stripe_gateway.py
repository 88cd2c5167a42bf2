"""The one door to Stripe: what it is asked, and whose announcements are believed.

Every object is fetched anew when it is acted upon. An announcement only says which one.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
import requests
import stripe

from ledger.decider import Refused
from ledger.inbox import Announced
from ledger.payments import stripe_words
from ledger.payments.events import Interval
from ledger.payments.stripe_words import Told

# The version whose shapes `stripe_words` reads: a newer one is taken after it was read.
API_VERSION: Final = "2026-05-27.dahlia"
TIMEOUT_SECONDS: Final = 20
RETRIES_MAX: Final = 2
# Whoever waits at a page is told sooner that there is no answer.
PAGE_TIMEOUT_SECONDS: Final = 6
TOLERANCE_SECONDS: Final = 300
PAGE: Final = 100
NOT_FOUND: Final = 404
LINK_CENTS_MIN: Final = 100
LINK_CENTS_PRESET: Final = 500
LINK_CENTS_MAX: Final = 100_000
Kind = Literal[
    "balance_transactions",
    "charges",
    "disputes",
    "events",
    "invoice_payments",
    "invoices",
    "payment_intents",
    "payment_links",
    "payouts",
    "prices",
    "refunds",
    "sessions",
    "subscriptions",
]


class SignatureRefused(Refused):
    """The announcement is not signed by one of our secrets within five minutes of now."""


class ModeRefused(Refused):
    """The announcement is of test payments, or of real ones, and our key of the other kind."""


class AnnouncementMalformed(Refused):
    """The announcement is not an event of Stripe's."""


class StripeUnavailable(Refused):
    """Stripe does not answer, or answers that it is out of order: ask again later."""


class StripeRefuses(Refused):
    """Stripe refuses what it was asked."""


class ObjectUnknown(Exception):
    """Stripe knows no such object, or no more."""


# What is stored of an announcement is short, and has no letter that a database refuses.
Word = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.]*\Z", max_length=255)]
ObjectId = Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f]*\Z", max_length=500)]
EventId = Annotated[str, msgspec.Meta(pattern=r"^evt_[A-Za-z0-9_]+\Z", max_length=255)]
# Seconds since 1970: no calendar knows a day of ten digits more.
Moment = Annotated[int, msgspec.Meta(ge=0, le=9_999_999_999)]


class ToldObject(msgspec.Struct):
    object: Word = ""
    id: ObjectId = ""


class ToldBody(msgspec.Struct):
    object: ToldObject


class ToldEvent(msgspec.Struct):
    """What is read of an announcement; the rest is not even looked at."""

    id: EventId
    object: str
    type: Word
    created: Moment
    livemode: bool
    data: ToldBody
    account: Word | None = None


@dataclass(frozen=True, slots=True)
class Checkout:
    """A page of Stripe's on which somebody pays: what for, how much, and where it leads back."""

    payment_id: UUID
    words: str
    cents: int
    interval: Interval
    metadata: dict[str, str]
    language: str
    return_url: str
    cancel_url: str


class Gateway:
    """Stripe as one key sees it. Safe to share between threads."""

    def __init__(
        self, secret_key: str, webhook_secrets: Sequence[str] = (), api_base: str | None = None
    ) -> None:
        self.livemode = "_live_" in secret_key
        # A fingerprint, so that one key's idempotency keys never meet another's.
        self._salt = sha256(secret_key.encode()).hexdigest()[:8]
        self._secrets = tuple(webhook_secrets)
        # One for all threads: the library would keep one for each, and close none.
        self._session = requests.Session()

        def client(timeout_seconds: int, retries_max: int) -> stripe.StripeClient:
            return stripe.StripeClient(
                secret_key,
                stripe_version=API_VERSION,
                base_addresses={} if api_base is None else {"api": api_base},
                http_client=stripe.RequestsClient(timeout_seconds, self._session),
                max_network_retries=retries_max,
            )

        self._client = client(TIMEOUT_SECONDS, RETRIES_MAX)
        self._hasty_client = client(PAGE_TIMEOUT_SECONDS, 0)

    @property
    def hears(self) -> bool:
        """Tell whether announcements can be verified at all."""
        return bool(self._secrets)

    @property
    def hasty(self) -> "Gateway":
        """Give the same door for whoever waits at a page: each question once, for a few seconds."""
        twin = copy(self)
        twin._client = self._hasty_client  # noqa: SLF001 - it is this class's own.
        return twin

    def close(self) -> None:
        self._session.close()

    def announced(self, body: bytes, header: str) -> Announced:
        """Give what a signed body announces. Raises SignatureRefused, ModeRefused, …Malformed."""
        self._verify(body, header)
        try:
            told = msgspec.json.decode(body, type=ToldEvent)
        except msgspec.DecodeError as error:
            raise AnnouncementMalformed(problem=str(error)) from None
        if told.object != "event":
            raise AnnouncementMalformed(problem="not an event")
        if told.livemode != self.livemode:
            raise ModeRefused(livemode=told.livemode)
        return Announced(
            event_id=told.id,
            kind=told.type,
            object_kind=told.data.object.object,
            object_id=told.data.object.id,
            created_at=stripe_words.moment(told.created),
            account=told.account,
        )

    def _verify(self, body: bytes, header: str) -> None:
        """Believe a body that one of the secrets signed; what is dated ahead of us, never."""
        # The library compares what is sent with what it computes as text, of ASCII alone.
        for secret in self._secrets if header.isascii() else ():
            try:
                stripe.WebhookSignature.verify_header(body, header, secret, TOLERANCE_SECONDS)
            except (stripe.SignatureVerificationError, UnicodeDecodeError):
                continue
            # The library takes any date to come; it has read this header, so it can be read.
            signed_at = next(part[2:] for part in header.split(",") if part.startswith("t="))
            if int(signed_at) <= time.time() + TOLERANCE_SECONDS:
                return
        raise SignatureRefused

    def events_since(self, since: datetime) -> Iterator[Announced]:
        """Give what Stripe announced since a moment, the newest first; it keeps 30 days."""
        for told in self.every("events", created={"gte": int(since.timestamp())}):
            about = told["data"]["object"]
            yield Announced(
                event_id=told["id"],
                kind=told["type"],
                object_kind=about.get("object", ""),
                object_id=about.get("id") or "",
                created_at=stripe_words.moment(told["created"]),
                account=told.get("account"),
            )

    def open_checkout(self, asked: Checkout) -> str:
        """Open a page on which somebody pays, once for each payment; give its address."""
        price: dict[str, Any] = {
            "currency": stripe_words.CURRENCY,
            "unit_amount": asked.cents,
            "product_data": {"name": asked.words},
        }
        params: dict[str, Any] = {
            "client_reference_id": str(asked.payment_id),
            "line_items": [{"price_data": price, "quantity": 1}],
            "locale": asked.language,
            "success_url": asked.return_url,
            "cancel_url": asked.cancel_url,
            "metadata": asked.metadata,
        }
        if asked.interval == "monthly":
            price["recurring"] = {"interval": "month"}
            params |= {"mode": "subscription", "subscription_data": {"metadata": asked.metadata}}
        else:
            kind = "pay" if asked.metadata.get("purpose") == "statement" else "donate"
            params |= {
                "mode": "payment",
                "submit_type": kind,
                "payment_intent_data": {"metadata": asked.metadata},
            }
        session = self._made("sessions", params, f"checkout {asked.payment_id}")
        return str(session["url"] or "")

    def refund(self, charge_id: str, cents: int, key: str) -> None:
        """Give back a part of a charge, or all of it, once for each key."""
        params: Any = {"charge": charge_id, "amount": cents}
        self._made("refunds", params, f"refund {charge_id} {key}")

    def send_evidence(self, dispute_id: str, words: str) -> None:
        """Send what speaks for us to the donor's bank: it can be done once."""
        params: Any = {"evidence": {"uncategorized_text": words}, "submit": True}
        with asking():
            self._client.v1.disputes.update(dispute_id, params)

    def make_link(self, words: str, metadata: dict[str, str], return_url: str, key: str) -> str:
        """Make an address that anybody may pay at, as much as she likes; give Stripe's id of it."""
        amount = {"enabled": True, "minimum": LINK_CENTS_MIN, "maximum": LINK_CENTS_MAX}
        price: dict[str, Any] = {
            "currency": stripe_words.CURRENCY,
            "custom_unit_amount": {**amount, "preset": LINK_CENTS_PRESET},
            "product_data": {"name": words},
        }
        priced = self._made("prices", price, f"price {key}")
        params: dict[str, Any] = {
            "line_items": [{"price": priced["id"], "quantity": 1}],
            "metadata": metadata,
            "payment_intent_data": {"metadata": metadata},
            "submit_type": "donate",
            "after_completion": {"type": "redirect", "redirect": {"url": return_url}},
        }
        return str(self._made("payment_links", params, f"link {key}")["id"])

    def links(self) -> Iterator[Told]:
        """Give the addresses of ours that can be paid at now."""
        for link in self.every("payment_links", active=True):
            if stripe_words.terms_in(link.get("metadata") or {}) is not None:
                yield link

    def end_link(self, link_id: str) -> None:
        """Let an address be paid at no more."""
        params: Any = {"active": False}
        with asking():
            self._client.v1.payment_links.update(link_id, params)

    def cancel(self, subscription_id: str) -> None:
        """End a monthly gift at once."""
        with asking():
            self._client.v1.subscriptions.cancel(subscription_id)

    def get(self, kind: Kind, object_id: str, **params: Any) -> Told:
        """Fetch an object as it is now. Raises ObjectUnknown, StripeUnavailable."""
        with asking():
            found: Told = self._service(kind).retrieve(object_id, params or None).to_dict()
        return found

    def every(self, kind: Kind, **params: Any) -> Iterator[Told]:
        """List objects, the newest first, page after page."""
        with asking():
            for one in self._service(kind).list({"limit": PAGE, **params}).auto_paging_iter():
                yield one.to_dict()

    def _made(self, kind: Kind, params: dict[str, Any], key: str) -> Told:
        """Make something once for each key, however often it is asked for within a day."""
        with asking():
            options: Any = {"idempotency_key": f"donpositif {self._salt} {key}"}
            made: Told = self._service(kind).create(params, options).to_dict()
        return made

    def _service(self, kind: Kind) -> Any:
        v1 = self._client.v1
        return v1.checkout.sessions if kind == "sessions" else getattr(v1, kind)


@contextmanager
def asking() -> Iterator[None]:
    """Raise our own words for what Stripe answers instead of an object."""
    try:
        yield
    except stripe.InvalidRequestError as error:
        if error.http_status == NOT_FOUND:
            raise ObjectUnknown(str(error)) from error
        raise StripeRefuses(problem=str(error)) from error
    except (stripe.APIConnectionError, stripe.RateLimitError, stripe.APIError) as error:
        raise StripeUnavailable(problem=str(error)) from error
    except stripe.StripeError as error:
        raise StripeRefuses(problem=str(error)) from error
