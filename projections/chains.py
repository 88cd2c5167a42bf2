"""What the links of one till's gifts say: which numbers are missing, and where its chain forks.

Pure, and blind to the order in which gifts came in: the same links give the same answer.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Literal

from ledger.devices import FIRST

# A wiped phone counts from 1 again; a restored backup gives numbers again that it had given; with
# two devices on one key, both go on giving after they parted.
ForkKind = Literal["wiped", "restored", "two_devices"]


@dataclass(frozen=True, slots=True)
class Link:
    """One numbered gift. `sound` tells whether its hash is that of its fields."""

    number: int
    hash: str
    previous: str
    occurred_at: datetime
    sound: bool = True


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the partner said of missing numbers."""

    first_number: int
    last_number: int
    reason: str
    explained_at: datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """The last number that a till said it had given when it closed a day."""

    last_number: int
    closed_at: datetime


@dataclass(frozen=True, slots=True)
class Gap:
    """Numbers without a gift, both ends included; `reason` is the partner's explanation."""

    first_number: int
    last_number: int
    reason: str | None = None

    @property
    def count(self) -> int:
        return self.last_number - self.first_number + 1


@dataclass(frozen=True, slots=True)
class Fork:
    """The chain parted at a number, for the first time at a moment on the device's clock."""

    kind: ForkKind
    number: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Chain:
    """All that one till's numbers say; `altered` are numbers whose hash is not of their gift."""

    gifts: int = 0
    last_number: int = 0
    gaps: tuple[Gap, ...] = ()
    forks: tuple[Fork, ...] = ()
    altered: tuple[int, ...] = ()

    @property
    def open_gaps(self) -> tuple[Gap, ...]:
        return tuple(gap for gap in self.gaps if gap.reason is None)

    @property
    def whole(self) -> bool:
        """Tell whether nothing needs a look."""
        return not (self.open_gaps or self.forks or self.altered)


@dataclass(slots=True)
class Branch:
    """Links one after another, with gaps between; `stem` is what it parted from, if it is known."""

    links: list[Link]
    stem: "Branch | None" = None
    gaps: list[Gap] = field(default_factory=list)

    @property
    def first(self) -> Link:
        return self.links[0]

    @property
    def last(self) -> Link:
        return self.links[-1]


def chain_of(
    links: Iterable[Link],
    explanations: Sequence[Explanation] = (),
    claims: Sequence[Claim] = (),
) -> Chain:
    """Read the chain of one till."""
    known = sorted(links, key=age)
    if not known:
        return Chain()
    branches = joined(runs(known))
    claim_tail(branches, claims)
    missing = sorted({gap for branch in branches for gap in branch.gaps}, key=extent)
    return Chain(
        gifts=len(known),
        last_number=max(link.number for link in known),
        gaps=tuple(part for gap in missing for part in explained(gap, explanations)),
        forks=forks(branches),
        altered=tuple(sorted(link.number for link in known if not link.sound)),
    )


def age(link: Link) -> tuple[datetime, int, str]:
    return link.occurred_at, link.number, link.hash


def extent(gap: Gap) -> tuple[int, int]:
    return gap.first_number, gap.last_number


def runs(known: Sequence[Link]) -> list[Branch]:
    """Follow each link to the next: where two follow one, the older goes on, the other parts."""
    parents = {(link.number, link.hash): link for link in reversed(known)}
    followers: dict[tuple[int, str], list[Link]] = defaultdict(list)
    roots: list[Link] = []
    for link in known:
        parent = parents.get((link.number - 1, link.previous))
        if parent is None:
            roots.append(link)
        else:
            followers[parent.number, parent.hash].append(link)
    branches: list[Branch] = []
    starts: list[tuple[Link, Branch | None]] = [(root, None) for root in roots]
    while starts:
        start, stem = starts.pop()
        branch = Branch([start], stem)
        branches.append(branch)
        while following := followers.pop((branch.last.number, branch.last.hash), None):
            starts += [(other, branch) for other in following[1:]]
            branch.links.append(following[0])
    return sorted(branches, key=lambda branch: (branch.first.number, age(branch.first)))


def joined(branches: list[Branch]) -> list[Branch]:
    """Join a branch whose predecessor is missing to the one that it must go on from.

    Where there is none, all below its first number is missing, unless another branch has it: then
    it parted nobody knows where.
    """
    kept: list[Branch] = []
    stands_for: dict[int, Branch] = {}
    for branch in branches:
        first = branch.first
        if branch.stem is not None:
            branch.stem = stands_for.get(id(branch.stem), branch.stem)
        elif not begins(first):
            ends = end_below(kept, first)
            if ends is not None and ends.last.number < first.number - 1:
                ends.gaps.append(Gap(ends.last.number + 1, first.number - 1))
                ends.links += branch.links
                stands_for[id(branch)] = ends
                continue
            # With nothing missing between them it follows another gift than the one that is known.
            branch.stem = ends
            if first.number > 1 and all(one.last.number < first.number - 1 for one in kept):
                branch.gaps.append(Gap(1, first.number - 1))
        kept.append(branch)
    return kept


def end_below(branches: Sequence[Branch], first: Link) -> Branch | None:
    """Give the branch that ends highest below a link, and before it in time."""
    ended = [
        one
        for one in branches
        if one.last.number < first.number and one.last.occurred_at <= first.occurred_at
    ]
    return max(ended, key=lambda one: (one.last.number, age(one.last)), default=None)


def begins(link: Link) -> bool:
    return link.number == 1 and link.previous == FIRST


def claim_tail(branches: list[Branch], claims: Sequence[Claim]) -> None:
    """Miss what a close laid claim to beyond the last gift of the branch that was in use then."""
    for claim in claims:
        in_use = [one for one in branches if one.first.occurred_at <= claim.closed_at]
        if in_use:
            newest = max(in_use, key=lambda one: age(one.first))
            if newest.last.number < claim.last_number:
                newest.gaps = [gap for gap in newest.gaps if gap.first_number <= newest.last.number]
                newest.gaps.append(Gap(newest.last.number + 1, claim.last_number))


def explained(gap: Gap, explanations: Sequence[Explanation]) -> list[Gap]:
    """Cut a gap where its explanation changes; the newest explanation counts."""
    edges = {gap.first_number, gap.last_number + 1}
    for one in explanations:
        edges |= {
            edge
            for edge in (one.first_number, one.last_number + 1)
            if gap.first_number < edge <= gap.last_number
        }
    cuts = sorted(edges)
    parts: list[Gap] = []
    for first, after in pairwise(cuts):
        said = [one for one in explanations if one.first_number <= first <= one.last_number]
        newest = max(said, key=lambda one: one.explained_at, default=None)
        parts.append(Gap(first, after - 1, None if newest is None else newest.reason))
    return parts


def forks(branches: list[Branch]) -> tuple[Fork, ...]:
    """Name how each branch but the oldest came about."""
    by_age = sorted(branches, key=lambda branch: age(branch.first))
    found: list[Fork] = []
    for place, branch in enumerate(by_age):
        stems = [branch.stem] if branch.stem is not None else by_age[:place]
        if stems:
            first = branch.first
            found.append(Fork(kind_of(branch, stems), first.number, first.occurred_at))
    return tuple(sorted(found, key=lambda fork: (fork.at, fork.number, fork.kind)))


def kind_of(branch: Branch, stems: Sequence[Branch]) -> ForkKind:
    """Tell two devices from one: only two go on giving on both sides of a fork."""
    if any(stem.last.occurred_at > branch.first.occurred_at for stem in stems):
        return "two_devices"
    return "wiped" if branch.first.number == 1 else "restored"
