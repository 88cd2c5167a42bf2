"""What a round's count needs of the feed: the choices, then the gifts, each read once.

Ballots, wallets and reversals are kept in memory while the gifts go by; the gifts are not.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec
from psycopg import Connection

from ledger.rounds.count import Choice
from ledger.rounds.definition import Definition
from projections import feed
from projections.feed import NOTHING, Page

PAGE_EVENTS: Final = 2_500
Progress = Callable[[int], object]


class Ballot(msgspec.Struct, frozen=True, gc=False):
    """What a count needs of a BallotCast or BallotChanged."""

    round_id: UUID
    donation_id: UUID
    picks: tuple[UUID, ...]


class PotGift(msgspec.Struct, frozen=True, gc=False):
    """What a count needs of a DonationRecorded."""

    donation_id: UUID
    partner_id: UUID
    source: str
    amount_cents: int
    occurred_on: date
    purchase_cents: int | None = None


class Reversal(msgspec.Struct, frozen=True, gc=False):
    donation_id: UUID
    amount_cents: int


class Keeping(msgspec.Struct, frozen=True, gc=False):
    recorded_at: datetime
    donation_id: UUID
    wallet_id: UUID


class Standing(msgspec.Struct, frozen=True, gc=False):
    """What a count needs of a StandingChoiceMade, and without picks of one withdrawn."""

    recorded_at: datetime
    wallet_id: UUID
    picks: tuple[UUID, ...] = ()


S = TypeVar("S", bound=msgspec.Struct)
DECODERS: Final[dict[type[Any], msgspec.json.Decoder[Any]]] = {
    kind: msgspec.json.Decoder(list[kind])  # type: ignore[valid-type]
    for kind in (Ballot, PotGift, Reversal, Keeping, Standing)
}


@dataclass(slots=True)
class Choices:
    """All that was chosen for one round up to a position, and what was given back."""

    ballots: dict[UUID, tuple[UUID, ...]] = field(default_factory=dict)
    wallets: dict[UUID, UUID] = field(default_factory=dict)
    standing: dict[UUID, tuple[UUID, ...]] = field(default_factory=dict)
    reversed_cents: Counter[UUID] = field(default_factory=Counter)

    def of(self, donation_id: UUID) -> Choice | None:
        """Give what holds for a gift: its own ballot, else its wallet's standing choice."""
        picks = self.ballots.get(donation_id)
        if picks is not None:
            return Choice(picks, "ballot")
        wallet_id = self.wallets.get(donation_id)
        standing = () if wallet_id is None else self.standing.get(wallet_id, ())
        return Choice(standing, "standing") if standing else None


def pages_until(connection: Connection[Any], until: int, progress: Progress) -> Iterator[Page]:
    """Read the feed from the first event to the page that holds a position."""
    for page in feed.pages(connection, 0, PAGE_EVENTS):
        yield page
        progress(page.events)
        if page.last >= until:
            return


def taken(page: Page, topic: str, kind: type[S], until: int) -> Iterator[tuple[int, S]]:
    """Decode the events of one topic of a page, with their positions, up to a position."""
    positions, states = page.kinds.get(topic, NOTHING)
    if not positions or positions[0] > until:
        return
    found: list[S] = DECODERS[kind].decode(b"[%b]" % states)
    for position, one in zip(positions, found, strict=True):
        if position > until:
            return
        yield position, one


def choices(
    connection: Connection[Any], definition: Definition, until: int, progress: Progress
) -> Choices:
    """Read what holds for a round at a position.

    Of wallets, what was done before the deadline: the close is recorded later, and ballots are
    refused meanwhile. What was given back by the close is money that is not there, so it counts.
    """
    found = Choices()
    round_id, closes_at = definition.round_id, definition.closes_at
    projects: dict[UUID, UUID] = {}
    same: dict[tuple[UUID, ...], tuple[UUID, ...]] = {}
    for page in pages_until(connection, until, progress):
        cast = [
            (position, ballot)
            for topic in ("BallotCast", "BallotChanged")
            for position, ballot in taken(page, topic, Ballot, until)
            if ballot.round_id == round_id
        ]
        for _, ballot in sorted(cast, key=first):
            # Many ballots share their picks, and all of them a few projects: one of each is kept.
            picks = tuple(projects.setdefault(pick, pick) for pick in ballot.picks)
            found.ballots[ballot.donation_id] = same.setdefault(picks, picks)
        for _, kept in taken(page, "GiftAdded", Keeping, until):
            if kept.recorded_at < closes_at:
                found.wallets[kept.donation_id] = kept.wallet_id
        chosen = [
            (position, choice)
            for topic in ("StandingChoiceMade", "StandingChoiceWithdrawn")
            for position, choice in taken(page, topic, Standing, until)
            if choice.recorded_at < closes_at
        ]
        for _, choice in sorted(chosen, key=first):
            found.standing[choice.wallet_id] = choice.picks
        for _, reversal in taken(page, "DonationReversed", Reversal, until):
            found.reversed_cents[reversal.donation_id] += reversal.amount_cents
    return found


def first(pair: tuple[int, Any]) -> int:
    return pair[0]


def gifts(
    connection: Connection[Any], until: int, progress: Progress
) -> Iterator[tuple[int, PotGift]]:
    """Give the gifts up to a position, each with its own."""
    for page in pages_until(connection, until, progress):
        yield from taken(page, "DonationRecorded", PotGift, until)
