"""By what an entry of an account is known again, in whatever file it comes."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import blake2b
from typing import Final
from uuid import UUID, uuid5

from ledger.bank.entries import Detail, Entry, Statement, Totals

Facts = tuple[str, ...]

# A day's opening balance may be dated on the evening before, over a long weekend.
EVENING_BEFORE: Final = timedelta(days=4)


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


@dataclass(frozen=True, slots=True)
class Span:
    """What a statement, or several pages of one, leads from and to, and what moved in between."""

    opening_on: date
    opening_cents: int
    closing_on: date
    closing_cents: int
    entries: int
    credit_cents: int
    debit_cents: int


def span_of(pages: Sequence[Totals]) -> Span:
    first, last = pages[0].head, pages[-1].head
    return Span(
        first.opening_on,
        first.opening_cents,
        last.closing_on,
        last.closing_cents,
        sum(one.entries for one in pages),
        sum(one.credit_cents for one in pages),
        sum(one.debit_cents for one in pages),
    )


def goes_on(later: Span, before: Span) -> bool:
    """Tell whether a statement goes on, within the day that both end on, where another one ended.

    Many banks date the opening balance of a day's first statement on the evening before.
    """
    apart = later.opening_on - before.opening_on
    return (
        later.closing_on == before.closing_on
        and timedelta(0) <= apart <= EVENING_BEFORE
        and later.closing_on - later.opening_on <= EVENING_BEFORE
        and before.closing_cents == later.opening_cents
    )


def may_hold(whole: Span, part: Span) -> bool:
    """Tell whether one statement may tell of all that another does: what it moves allows for it.

    Before the part it leads to where that begins, after it to its own end.
    """
    first = part.opening_cents - whole.opening_cents
    last = whole.closing_cents - part.closing_cents
    return (
        whole.entries >= part.entries + bool(first) + bool(last)
        and whole.credit_cents >= part.credit_cents + max(0, first) + max(0, last)
        and whole.debit_cents >= part.debit_cents + max(0, -first) + max(0, -last)
    )


def others_of_the_day(span: Span, known: Mapping[UUID, Span]) -> frozenset[UUID]:
    """Give those of an account's statements that tell of other parts of the same day.

    Balances lead from one to the next, over others in between. Where one of two may hold the other,
    for a balance may come back on the same day, nothing is certain, and neither is another part.
    """
    found: set[UUID] = set()
    for earlier in (True, False):
        reached = [span]
        while reached:
            here = reached.pop()
            for name, one in known.items():
                linked = goes_on(here, one) if earlier else goes_on(one, here)
                if linked and name not in found:
                    found.add(name)
                    reached.append(one)
    return frozenset(
        name
        for name in found
        if not may_hold(known[name], span) and not may_hold(span, known[name])
    )


@dataclass(slots=True)
class Run:
    """The pages of one statement, as they follow on each other in a file."""

    _before: Statement | None = None
    _begun: set[tuple[int, int | None, int | None]] = field(default_factory=set)

    def takes(self, statement: Statement) -> bool:
        """Take the next statement of the file; tell whether it is one more page."""
        before = self._before
        follows = (
            before is not None
            and before.iban == statement.iban
            and period_of(before) == period_of(statement)
            and before.closing_cents == statement.opening_cents
        )
        begins = statement.opening_cents, statement.sequence, statement.page
        more = follows and begins not in self._begun
        if not more:
            self._begun.clear()
        self._begun.add(begins)
        self._before = statement
        return more


def runs_of(statements: Iterable[Totals]) -> list[list[Totals]]:
    """Put the pages of each statement of a file together."""
    run, found = Run(), list[list[Totals]]()
    for one in statements:
        if run.takes(one.head):
            found[-1].append(one)
        else:
            found.append([one])
    return found


@dataclass(slots=True)
class Twins:
    """Counts entries of one file that are alike: the second of a day is not the first one again.

    A file's statements may be the pages of one: where two of the same period follow on each other
    by their balances, the count goes on. Any other may tell of the same entries, and starts anew;
    so does one that begins again, under no other number, where one of them began. What other files
    hold of other parts of the day is passed over.
    """

    key: bytes
    _seen: Counter[Facts] = field(default_factory=Counter)
    _run: Run = field(default_factory=Run)
    _others: frozenset[UUID] = frozenset()

    def begin(self, statement: Statement, others: frozenset[UUID] = frozenset()) -> None:
        """Begin a statement; `others` are the entries of other parts of its day."""
        if not self._run.takes(statement):
            self._seen.clear()
        self._others = others

    def entry_id(self, account_id: UUID, entry: Entry) -> UUID:
        """Give the id of the next entry. Keyed, so that nobody can try out whose it is."""
        facts = facts_of(account_id, entry)
        while True:
            place = self._seen[facts]
            self._seen[facts] += 1
            found = self._named(facts, place)
            if found not in self._others:
                return found

    def _named(self, facts: Facts, place: int) -> UUID:
        text = "\0".join((*facts, str(place)))
        digest = blake2b(text.encode(), key=self.key, digest_size=16, person=b"bank-entry").digest()
        return UUID(bytes=digest, version=5)


def transaction_id(entry_id: UUID, place: int) -> UUID:
    """Give the id of a movement of an entry, by its place there."""
    return uuid5(entry_id, str(place))


def file_id(account_id: UUID, sha256: str, number: int) -> UUID:
    """Give the id of a statement in a file: the same bytes again are the same statement."""
    return uuid5(account_id, f"{sha256}/{number}")
