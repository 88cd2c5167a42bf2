"""What a running service shares between its requests, opened at start and closed at the end."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from psycopg import Connection
from psycopg_pool import ConnectionPool
from starlette.concurrency import run_in_threadpool

from api.bodies import header_of
from api.credentials import Credentials
from api.guesses import Guesses
from api.last_seen import LastSeen
from api.mail import Mail, mail_of
from api.refusals import KeyRefused
from api.sessions import Sessions
from ledger.inbox import Inbox
from ledger.keyring import Keyring, open_keyring
from ledger.settings import Settings
from ledger.store import Ledger, open_ledger
from ledger.stripe_gateway import Gateway
from ledger.tickets import TicketCodes
from ledger.vault import Vault
from projections import feed
from projections.admission import Admission, AdmittedTill
from projections.open_rounds import OpenRounds
from projections.roster import Roster

READ_CONNECTIONS_MAX = 8
# How long a page may wait for a connection: the database may be away.
READ_SECONDS = 3
BEARER = "bearer "
# Whoever opened the demonstration village says so on every page of it.
DEMO_ACTOR = "demonstration"


@dataclass(slots=True)
class Context:
    """The open ledger, its keys and its read connections."""

    settings: Settings
    ledger: Ledger
    pool: ConnectionPool[Connection[Any]]
    keyring: Keyring
    tickets: TicketCodes
    admission: Admission
    rounds: OpenRounds
    guesses: Guesses
    session_guesses: Guesses
    roster: Roster
    vault: Vault
    sessions: Sessions
    credentials: Credentials
    mail: Mail
    sender: ThreadPoolExecutor
    last_seen: LastSeen
    demonstration: bool
    inbox: Inbox
    gateway: Gateway | None
    demonstration_tickets: tuple[str, ...] | None = None
    refreshing: asyncio.Future[None] | None = None

    async def refresh_admission(self) -> None:
        """Read the news of tills and partners, once for all requests that wait for them."""
        # A reading that is done may still wait for its callback: awaiting it again would not yield.
        if self.refreshing is None or self.refreshing.done():
            self.refreshing = asyncio.ensure_future(run_in_threadpool(self.admission.refresh))
            self.refreshing.add_done_callback(self._refreshed)
        await asyncio.shield(self.refreshing)

    def _refreshed(self, reading: asyncio.Future[None]) -> None:
        if self.refreshing is reading:
            self.refreshing = None


@contextmanager
def open_context(settings: Settings, conninfo: str) -> Iterator[Context]:
    """Open all that requests need on a migrated database."""
    with (
        ConnectionPool(
            conninfo,
            min_size=1,
            max_size=READ_CONNECTIONS_MAX,
            timeout=READ_SECONDS,
            kwargs={"autocommit": True},
            check=ConnectionPool.check_connection,
        ) as pool,
        open_ledger(conninfo) as ledger,
        closing(LastSeen(pool)) as last_seen,
        # Letters that wait for their turn at the end may still ask Stripe.
        stripe_of(settings) as gateway,
        ThreadPoolExecutor(1, "letters") as sender,
        closing(Inbox(pool)) as inbox,
    ):
        with pool.connection() as connection:
            keyring = open_keyring(settings.home, connection)
            demonstration = feed.first_actor(connection) == DEMO_ACTOR
        admission = Admission(pool)
        admission.refresh()
        vault = Vault(pool, settings.home)
        yield Context(
            settings=settings,
            ledger=ledger,
            pool=pool,
            keyring=keyring,
            tickets=TicketCodes(keyring.tickets),
            admission=admission,
            rounds=OpenRounds(pool),
            guesses=Guesses(),
            session_guesses=Guesses(),
            roster=Roster(pool),
            vault=vault,
            sessions=Sessions(pool),
            credentials=Credentials(pool, vault),
            mail=mail_of(settings),
            sender=sender,
            last_seen=last_seen,
            demonstration=demonstration,
            inbox=inbox,
            gateway=gateway,
        )


@contextmanager
def stripe_of(settings: Settings) -> Iterator[Gateway | None]:
    """Open the way to Stripe; None without a key: then every feature of cards is off."""
    if settings.stripe_secret_key is None:
        yield None
        return
    with closing(
        Gateway(
            settings.stripe_secret_key, settings.stripe_webhook_secrets, settings.stripe_api_base
        )
    ) as gateway:
        yield gateway


def context_of(request: Request) -> Context:
    """Give the context of the application that a request came to."""
    context: Context = request.app.state.context
    return context


async def till_of_key(context: Context, key: str) -> AdmittedTill | None:
    """Give the till that holds a key, as of at most a quarter of a second ago."""
    admission = context.admission
    if admission.stale:
        await context.refresh_admission()
    till = admission.till_of(key)
    if till is None:
        # It may have been enrolled a moment ago by another process.
        asked_at = time.monotonic()
        while admission.read_at < asked_at:
            await context.refresh_admission()
        till = admission.till_of(key)
    if till is not None:
        context.last_seen.note(till.till_id)
    return till


async def till_of(context: Context, request: Request) -> AdmittedTill:
    """Give the till whose bearer key a request carries. Raises KeyRefused."""
    header = header_of(request, b"authorization")
    if header[: len(BEARER)].lower() != BEARER:
        raise KeyRefused
    till = await till_of_key(context, header[len(BEARER) :].strip())
    if till is None:
        raise KeyRefused
    return till
