"""Cards at work for tests: the service, Stripe's double beside it, and what donors do."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx

from api import card_worker, cards
from api.cards import payment_of
from ledger.donations import Recorded, donation
from ledger.foundation import FOUNDATION_ID, DescribeFoundation, foundation
from ledger.payments.state import Payment
from ledger.settings import Settings
from projections import feed, follow
from projections.every import READ_MODELS
from tests.api.people import Browser
from tests.api.served import PUBLIC_URL, Served, serving
from tests.api.shops import siret
from tests.stripe import checkout
from tests.stripe.account import Object
from tests.stripe.deliveries import SECRET, Deliveries
from tests.stripe.double import Double, doubled
from tests.stripe.money import Method

FORM = {"for": "foundation", "choice": "1000", "interval": "once"}


@dataclass(frozen=True, slots=True)
class Cards:
    """The service with a key of the double's account."""

    served: Served
    double: Double
    deliveries: Deliveries
    conninfo: str

    def begin(self, **changes: str) -> httpx.Response:
        """Send the form of a gift, as our page would."""
        fields = FORM | {"form_id": str(uuid4())} | changes
        return Browser(self.served).post("/give", fields)

    def session(self, **changes: str) -> Object:
        """Begin a gift, and give its session at Stripe."""
        answer = self.begin(**changes)
        assert answer.status_code == httpx.codes.SEE_OTHER, answer.text
        path = urlsplit(answer.headers["location"]).path
        return self.double.account.objects[path.rsplit("/", 1)[1]]

    def paid(self, method: Method = "card", **changes: str) -> Object:
        """Begin a gift and let its donor pay; nothing is announced yet."""
        session = self.session(**changes)
        checkout.pay(self.double.account, session["id"], method)
        return session

    def work(self) -> None:
        """Let all that waits arrive, and act upon it."""
        self.deliveries.deliver()
        self.work_off()

    def work_off(self) -> None:
        card_worker.work_off(self.served.context)
        follow.catch_up(self.conninfo, READ_MODELS)

    def state(self, session: Object) -> Payment:
        return payment_of(self.served.context, payment_id_of(session))

    def gift(self, donation_id: UUID) -> Recorded | None:
        """Give a gift as the ledger holds it, None when there is none."""
        history = self.served.context.ledger.history(donation, donation_id)
        found = donation.fold(one.event for one in history)
        return found if isinstance(found, Recorded) else None

    def gifts(self) -> list[Recorded]:
        """Give every gift that came by card."""
        gifts = [self.gift(one) for one in self._recorded()]
        return [one for one in gifts if one is not None]

    def _recorded(self) -> list[UUID]:
        with self.served.context.pool.connection() as connection:
            page = feed.read(connection, 0, 10_000)
        assert page is not None
        return [UUID(one.donation_id) for one in page.gifts]

    def returned(self, session: Object) -> httpx.Response:
        """Come back from Stripe's page, as the donor's browser does."""
        back = session["success_url"].replace(checkout.SESSION_ID, session["id"])
        return Browser(self.served).get(back.removeprefix(PUBLIC_URL))


def payment_id_of(session: Object) -> UUID:
    return UUID(session["client_reference_id"])


def charge_of(cards: Cards, session: Object) -> str:
    """Give the charge that a session was paid by."""
    objects = cards.double.account.objects
    intent_id = session["payment_intent"]
    if intent_id is None:
        paying = [
            one
            for one in objects.values()
            if one["object"] == "invoice_payment" and one["invoice"] == session["invoice"]
        ]
        intent_id = paying[0]["payment"]["payment_intent"]
    return str(objects[intent_id]["latest_charge"])


def settings_with(home: Path, double: Double, **changes: str) -> Settings:
    given = {
        "DONPOSITIF_HOME": str(home),
        "PUBLIC_URL": PUBLIC_URL,
        "STRIPE_SECRET_KEY": double.account.secret_key,
        "STRIPE_WEBHOOK_SECRETS": SECRET,
        "STRIPE_API_BASE": double.url,
    }
    return Settings.from_environment(given | changes)


def describe(served: Served) -> None:
    """Say what the foundation is called, without which it takes no gift by card."""
    command = DescribeFoundation(
        at=cards.now(), actor="test", name="Fondation des Quatre Roues", siret=siret(40)
    )
    served.context.ledger.handle(foundation, FOUNDATION_ID, command)


@contextmanager
def taking_cards(home: Path, conninfo: str, **changes: str) -> Iterator[Cards]:
    with doubled() as double, serving(settings_with(home, double, **changes), conninfo) as served:
        describe(served)
        follow.catch_up(conninfo, READ_MODELS)
        yield Cards(served, double, Deliveries(double.account, served.url), conninfo)


def text_of(answer: httpx.Response) -> str:
    """Give the words of a page without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())
