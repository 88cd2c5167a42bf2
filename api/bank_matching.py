"""Matching bank transactions with what they are for, one at a time in all processes."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID, uuid5

from psycopg import Connection

from api.bank_bounds import Named, keep_within, taking_back
from api.bank_claims import MODELS, claims_of_references, known_for, named_target
from api.deps import Context
from api.set_offs import moving_money, set_off_due
from api.turns import MONEY, one_at_a_time
from ledger.allocations import Target
from ledger.bank.events import MatchRule, UnmatchReason
from ledger.bank.matching import Match, Open, certain, proposals
from ledger.bank.transactions import (
    MatchTransaction,
    TargetFull,
    TargetLacks,
    TransactionNotBooked,
    UnmatchTransaction,
    transaction,
)
from ledger.calendar import civil_day
from ledger.decider import Refused
from projections import bank, follow
from projections.bank import Transaction

ACTOR: Final = "bank"
PAGE: Final = 1_000
CATCH_UP_EVENTS: Final = 5_000

Progress = Callable[[int], object]


class ProposalGone(Refused):
    """This is not proposed any more: something else was matched meanwhile."""


@dataclass(frozen=True, slots=True)
class Said:
    """What an officer typed: one of a list's words or a reference, and an amount or none."""

    word: str
    reference: str = ""
    cents: int | None = None


def open_of(one: Transaction) -> Open:
    return Open(
        transaction_id=one.transaction_id,
        cents=one.cents,
        left_cents=one.open_cents,
        kind=one.kind,
        booked_on=one.booked_on,
        references=one.references,
        end_to_end_mac=one.end_to_end_mac,
        counterparty_mac=one.counterparty_mac,
    )


def catch_up(connection: Connection[Any]) -> None:
    """Bring the read models of money to the head: what is left of a claim must be what is left.

    Page by page, so that models at the same place read and decode a page once.
    """
    pages = follow.Pages(connection)
    while sum(follow.advance(connection, model, pages, CATCH_UP_EVENTS) for model in MODELS):
        pass


def match_certain(context: Context, progress: Progress = lambda _: None) -> int:
    """Match all that needs nobody's judgement; give how many transactions that was.

    `progress` is told how many open transactions were looked at.
    """
    with context.pool.connection() as connection:
        # A large file is read up before anybody has to wait for the turn of money.
        catch_up(connection)
    matched = 0
    # What a return undoes may have been matched only a moment ago, and what it gave back is asked
    # for again.
    while made := match_once(context, progress):
        matched += made
    # Not after each page: what is certain gives nobody credit, a return may take it away.
    set_off_due(context)
    return matched


def match_once(context: Context, progress: Progress) -> int:
    """Look once at each open transaction that may tell what it is for; give how many were."""
    matched = 0
    after = bank.BEGINNING
    while True:
        with one_at_a_time(context.pool, MONEY):
            found = page_of(context, after)
            matches = certain_of(context, found)
            matched += carry_out(context, found, matches)
        if not found:
            return matched
        after = (found[-1].booked_on, found[-1].transaction_id)
        progress(len(found))


def page_of(context: Context, after: tuple[Any, UUID]) -> list[Open]:
    """Give open transactions as they are judged: with what was tried of each before."""
    with context.pool.connection() as connection:
        catch_up(connection)
        found = bank.telling(connection, after, PAGE)
        before = bank.matches_of(connection, *(one.transaction_id for one in found))
    made = Counter(match.transaction_id for match in before)
    undone: dict[UUID, set[tuple[Target, UUID | None]]] = {}
    for match in before:
        if match.undone_at is not None:
            targets = {(one.target, one.target_id) for one in match.allocations}
            undone.setdefault(match.transaction_id, set()).update(targets)
    return [
        replace(
            one,
            matches=made[one.transaction_id],
            undone=frozenset(undone.get(one.transaction_id, ())),
        )
        if one.transaction_id in made
        else one
        for one in found
    ]


def certain_of(context: Context, transactions: Sequence[Open]) -> list[Match]:
    """Find what needs nobody's judgement, and leaves nothing with less than nothing."""
    references = {name for one in transactions for name in one.references}
    returned = {one.end_to_end_mac for one in transactions if one.kind == "return"} - {None}
    with context.pool.connection() as connection:
        claims = claims_of_references(connection, references)
        moved = bank.moved(connection, [mac for mac in returned if mac is not None])
        found = list(certain(transactions, claims, moved))
        return list(within_bounds(connection, found))


def within_bounds(connection: Connection[Any], found: Iterable[Match]) -> Iterator[Match]:
    """Leave out returns of money that is there no more: an officer says what they are."""
    taken: Counter[Named] = Counter()
    for one in found:
        if one.rule == "return":
            with suppress(TargetLacks, TargetFull):
                taken.update(keep_within(connection, one.allocations, taken))
                yield one
        else:
            yield one


def carry_out(context: Context, transactions: Iterable[Open], matches: Iterable[Match]) -> int:
    """Record matches; each is told from the earlier ones of its transaction by their number."""
    made = {one.transaction_id: one.matches for one in transactions}
    at = datetime.now(UTC)
    commands = [
        (
            one.transaction_id,
            MatchTransaction(
                at=at,
                actor=ACTOR,
                transaction_id=one.transaction_id,
                match_id=match_id_of(one, made[one.transaction_id]),
                allocations=one.allocations,
                rule=one.rule,
            ),
        )
        for one in matches
    ]
    matched = 0
    for result in context.ledger.handle_all(transaction, commands):
        if isinstance(result, Refused):
            raise result
        matched += result.fresh
    return matched


def match_id_of(one: Match, before: int) -> UUID:
    """Give the id of a match that nobody chose; `before` is how many its transaction had.

    What is left of a transfer may pay the same statement again, where that is owed once more.
    """
    return uuid5(one.transaction_id, f"{one.rule} {before}")


def key_of(one: Match) -> str:
    """Give the word by which a form names a proposal: another one when anything in it changed."""
    told = "".join(allocation.model_dump_json() for allocation in one.allocations)
    return sha256(f"{one.transaction_id} {one.rule} {told}".encode()).hexdigest()[:16]


def proposed(
    context: Context, connection: Connection[Any], some: Iterable[Transaction]
) -> dict[UUID, list[Match]]:
    """Give what is proposed for each of some open transactions."""
    transactions = [open_of(one) for one in some]
    known = known_for(context, connection, transactions)
    return {one.transaction_id: list(proposals(one, known)) for one in transactions}


def confirm(context: Context, actor: str, transaction_id: UUID, key: str) -> None:
    """Make a proposal a match, as it was shown. Raises ProposalGone."""
    with moving_money(context):
        with context.pool.connection() as connection:
            catch_up(connection)
            found = one_of(connection, transaction_id)
            offered = proposed(context, connection, [found])[transaction_id]
            before = len(known_matches(connection, found))
        chosen = next((one for one in offered if key_of(one) == key), None)
        if chosen is None:
            raise ProposalGone(transaction_id=transaction_id)
        # The same may be proposed again after it was undone: that is another match.
        record(context, actor, f"{key} {before}", chosen)


def one_of(connection: Connection[Any], transaction_id: UUID) -> Transaction:
    found = bank.one(connection, transaction_id)
    if found is None:
        raise TransactionNotBooked(transaction_id=transaction_id)
    return found


def match_id_by(transaction_id: UUID, rule: MatchRule, key: str) -> UUID:
    return uuid5(transaction_id, f"{rule} {key}")


def known_matches(connection: Connection[Any], one: Transaction) -> set[UUID]:
    return {match.match_id for match in bank.matches_of(connection, one.transaction_id)}


def record(context: Context, actor: str, key: str, chosen: Match) -> None:
    """Record an officer's match; `key` is of the form she sent, which counts once.

    Raises TargetLacks, TargetFull and the refusals of a match.
    """
    with context.pool.connection() as connection:
        catch_up(connection)
        keep_within(connection, chosen.allocations)
    command = MatchTransaction(
        at=datetime.now(UTC),
        actor=actor,
        transaction_id=chosen.transaction_id,
        match_id=match_id_by(chosen.transaction_id, chosen.rule, key),
        allocations=chosen.allocations,
        rule=chosen.rule,
    )
    context.ledger.handle(transaction, chosen.transaction_id, command)


def match_by_hand(context: Context, actor: str, transaction_id: UUID, key: str, said: Said) -> None:
    """Record what an officer says a transaction is for, on its own side of zero.

    Without an amount it is all that is left. Raises TargetUnknown and the refusals of a match.
    """
    with moving_money(context):
        with context.pool.connection() as connection:
            catch_up(connection)
            found = one_of(connection, transaction_id)
            if match_id_by(transaction_id, "hand", key) in known_matches(connection, found):
                return  # The form was sent twice.
            target = named_target(connection, said.word, said.reference)
        whole = found.open_cents if said.cents is None else said.cents
        cents = abs(whole) if found.cents > 0 else -abs(whole)
        allocation = target.model_copy(update={"cents": cents})
        record(context, actor, key, Match(transaction_id, "hand", (allocation,)))


def unmatch(
    context: Context, actor: str, transaction_id: UUID, match_id: UUID, reason: UnmatchReason
) -> None:
    """Undo a match; what it was for lacks the money again.

    Raises TargetLacks where it has the money no more: what took it back is undone first.
    """
    at = datetime.now(UTC)
    with moving_money(context):
        with context.pool.connection() as connection:
            catch_up(connection)
            before = bank.matches_of(connection, transaction_id)
            for match in before:
                if match.match_id == match_id and match.undone_at is None:
                    keep_within(connection, taking_back(match.allocations))
        command = UnmatchTransaction(
            at=at,
            actor=actor,
            transaction_id=transaction_id,
            match_id=match_id,
            reason=reason,
            unmatched_on=civil_day(at),
        )
        context.ledger.handle(transaction, transaction_id, command)
