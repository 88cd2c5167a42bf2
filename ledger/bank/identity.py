"""By what an entry of an account is known again, in whatever file it comes."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from hashlib import blake2b
from uuid import UUID, uuid5

from ledger.bank.entries import Detail, Entry, Statement

Facts = tuple[str, ...]


def facts_of(account_id: UUID, entry: Entry) -> Facts:
    """Give what is the same in every file that holds the entry.

    The bank's own reference alone is not enough: a transfer and the charge on it often share one.
    Without any, what the payers' banks passed on tells it from others of the day and amount.
    """
    by = entry.bank_reference
    references = [by] if by is not None else [text for one in entry.details for text in said(one)]
    return (str(account_id), entry.booked_on.isoformat(), str(entry.cents), *references)


def said(detail: Detail) -> list[str]:
    ids = [*detail.bank_references, *detail.references, detail.end_to_end_id, detail.iban]
    return [text or "" for text in ids]


def period_of(statement: Statement) -> tuple[date, date]:
    return statement.opening_on, statement.closing_on


@dataclass(slots=True)
class Twins:
    """Counts entries of one file that are alike: the second of a day is not the first one again.

    A file's statements may be the pages of one: where two of the same period follow on each other
    by their balances, the count goes on. Any other may tell of the same entries, and starts anew;
    so does one that begins again, under no other number, where one of them began.
    """

    key: bytes
    _seen: Counter[Facts] = field(default_factory=Counter)
    _before: Statement | None = None
    _begun: set[tuple[int, int | None, int | None]] = field(default_factory=set)

    def begin(self, statement: Statement) -> None:
        before = self._before
        follows = (
            before is not None
            and before.iban == statement.iban
            and period_of(before) == period_of(statement)
            and before.closing_cents == statement.opening_cents
        )
        begins = statement.opening_cents, statement.sequence, statement.page
        if not follows or begins in self._begun:
            self._seen.clear()
            self._begun.clear()
        self._begun.add(begins)
        self._before = statement

    def entry_id(self, account_id: UUID, entry: Entry) -> UUID:
        """Give the id of the next entry. Keyed, so that nobody can try out whose it is."""
        facts = facts_of(account_id, entry)
        place = self._seen[facts]
        self._seen[facts] += 1
        text = "\0".join((*facts, str(place)))
        digest = blake2b(text.encode(), key=self.key, digest_size=16, person=b"bank-entry").digest()
        return UUID(bytes=digest, version=5)


def transaction_id(entry_id: UUID, place: int) -> UUID:
    """Give the id of a movement of an entry, by its place there."""
    return uuid5(entry_id, str(place))


def file_id(account_id: UUID, sha256: str, number: int) -> UUID:
    """Give the id of a statement in a file: the same bytes again are the same statement."""
    return uuid5(account_id, f"{sha256}/{number}")
