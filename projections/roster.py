"""Who holds which role today, and who ever acted for which partner, held in memory.

Rules of two people ask this of every account at once. Each worker folds the few events of accounts
for itself, straight from the feed, so that an answer leaves out nothing that is recorded.
"""

import threading
from dataclasses import dataclass, field
from typing import Any, cast, get_args
from uuid import UUID

from psycopg_pool import ConnectionPool

from ledger.events import decode
from ledger.people import AccountOpened, Opened, PeopleEvent, Role, RolesChanged, account
from projections.news import news

TOPICS = [kind.__name__ for kind in get_args(PeopleEvent)]


@dataclass(slots=True)
class Roster:
    """The accounts as the newest events leave them; safe to share between threads.

    Each answer begins with one short query for the news.
    """

    pool: ConnectionPool[Any]
    _position: int = 0
    _accounts: dict[UUID, Opened] = field(default_factory=dict)
    _acted_for: dict[UUID, set[UUID]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def accounts(self) -> dict[UUID, Opened]:
        """Give every account that was opened."""
        with self._lock:
            self._read()
            return dict(self._accounts)

    def state(self, account_id: UUID) -> Opened | None:
        """Give one account, None when it was never opened."""
        with self._lock:
            self._read()
            return self._accounts.get(account_id)

    def disabled(self) -> list[UUID]:
        """Give the accounts that are disabled today."""
        return [one for one, state in self.accounts().items() if not state.enabled]

    def holding(self, *roles: Role) -> list[UUID]:
        """Give the enabled accounts that have at least one of these roles today."""
        found = self.accounts().items()
        return [one for one, state in found if state.enabled and set(roles) & set(state.roles)]

    def acted_for(self, partner_id: UUID) -> list[UUID]:
        """Give the accounts that act for a partner, or ever did."""
        with self._lock:
            self._read()
            return sorted(self._acted_for.get(partner_id, ()))

    def acting_for(self, partner_id: UUID) -> list[UUID]:
        """Give the accounts that act for a partner today, disabled ones too."""
        with self._lock:
            self._read()
            ever = self._acted_for.get(partner_id, ())
            return sorted(one for one in ever if partner_id in self._accounts[one].partner_ids)

    def _read(self) -> None:
        found, head = news(self.pool, self._position, TOPICS)
        for _, topic, state in found:
            self._learn(cast(PeopleEvent, decode(topic, state)))
        self._position = head

    def _learn(self, event: PeopleEvent) -> None:
        before = self._accounts.get(event.account_id, account.initial)
        after = account.evolve(before, event)
        if isinstance(after, Opened):
            self._accounts[event.account_id] = after
        if isinstance(event, AccountOpened | RolesChanged):
            for partner_id in event.partner_ids:
                self._acted_for.setdefault(partner_id, set()).add(event.account_id)
