"""Which numbers a till misses, and how its chain forked, whatever came in and in which order."""

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from ledger.devices import FIRST
from projections.chains import Chain, Claim, Explanation, Fork, Gap, Link, chain_of

MORNING = datetime(2026, 11, 23, 8, tzinfo=UTC)


class Device:
    """A phone that gives once a minute of the village's time."""

    def __init__(self, name: str = "one") -> None:
        self.name, self.number, self.hash = name, 0, FIRST

    def gives(self, minutes: Sequence[int]) -> list[Link]:
        given = []
        for minute in minutes:
            previous, self.number = self.hash, self.number + 1
            said = f"{self.name} {previous} {self.number} {minute}"
            self.hash = sha256(said.encode()).hexdigest()
            given.append(Link(self.number, self.hash, previous, at(minute)))
        return given

    def copied(self, name: str) -> "Device":
        other = Device(name)
        other.number, other.hash = self.number, self.hash
        return other


def at(minute: int) -> datetime:
    return MORNING + timedelta(minutes=minute)


def without(links: list[Link], *numbers: int) -> list[Link]:
    return [link for link in links if link.number not in numbers]


def gaps(chain: Chain) -> list[tuple[int, int]]:
    return [(gap.first_number, gap.last_number) for gap in chain.gaps]


def test_a_till_that_numbers_nothing_is_whole() -> None:
    assert chain_of([]) == Chain()
    assert chain_of([]).whole


@for_all(
    st.integers(1, 60).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(1, n)))),
    st.randoms(),
)
def test_the_gaps_are_the_numbers_that_did_not_come(
    given: tuple[int, set[int]], dice: random.Random
) -> None:
    count, lost = given
    came = without(Device().gives(range(count)), *lost)
    dice.shuffle(came)
    chain = chain_of(came)
    last = max((link.number for link in came), default=0)
    missing = [
        number for gap in chain.gaps for number in range(gap.first_number, gap.last_number + 1)
    ]
    assert missing == sorted(number for number in lost if number < last)
    assert all(
        before.last_number + 1 < after.first_number
        for before, after in zip(chain.gaps, chain.gaps[1:], strict=False)
    )
    assert (chain.forks, chain.last_number, chain.gifts) == ((), last, len(came))


def test_a_gap_is_filled_by_what_comes_late() -> None:
    links = Device().gives(range(10))
    assert gaps(chain_of(without(links, 4, 5, 8))) == [(4, 5), (8, 8)]
    assert gaps(chain_of(without(links, 5))) == [(5, 5)]
    assert chain_of(links).whole


def test_an_explanation_covers_a_gap_or_a_part_of_it() -> None:
    came = without(Device().gives(range(10)), 4, 5, 6)
    lost = Explanation(4, 5, "device_lost", at(100))
    assert chain_of(came, [lost]).gaps == (Gap(4, 5, "device_lost"), Gap(6, 6))
    never = Explanation(1, 6, "never_made", at(101))
    for said in ([lost, never], [never, lost]):
        assert chain_of(came, said).gaps == (Gap(4, 5, "never_made"), Gap(6, 6, "never_made"))
    assert chain_of(came, [never]).whole
    assert chain_of(came, [never]).open_gaps == ()


class TestAWipedPhone:
    def test_counts_from_one_again(self) -> None:
        old, new = Device("old").gives(range(8)), Device("new").gives(range(10, 14))
        chain = chain_of(old + new)
        assert chain.forks == (Fork("wiped", 1, at(10)),)
        assert (chain.gaps, chain.last_number, chain.gifts) == ((), 8, 12)

    def test_its_gaps_are_seen_behind_the_numbers_of_before(self) -> None:
        old, new = Device("old").gives(range(8)), Device("new").gives(range(10, 16))
        chain = chain_of(without(old, 6) + without(new, 3))
        assert gaps(chain) == [(3, 3), (6, 6)]
        assert [fork.kind for fork in chain.forks] == ["wiped"]

    def test_wiped_twice_is_told_twice(self) -> None:
        links = [
            *Device("a").gives(range(3)),
            *Device("b").gives(range(10, 12)),
            *Device("c").gives(range(20, 25)),
        ]
        assert [fork.at for fork in chain_of(links).forks] == [at(10), at(20)]


class TestARestoredBackup:
    def test_gives_numbers_again(self) -> None:
        phone = Device()
        before = phone.gives(range(5))
        backup = phone.copied("restored")
        chain = chain_of(before + phone.gives(range(5, 9)) + backup.gives(range(20, 22)))
        assert chain.forks == (Fork("restored", 6, at(20)),)
        assert chain.gaps == ()

    def test_is_seen_though_the_gift_where_it_parted_never_came(self) -> None:
        phone = Device()
        before = phone.gives(range(5))
        backup = phone.copied("restored")
        after = phone.gives(range(5, 6)) + backup.gives(range(20, 23))[1:]
        assert [fork.kind for fork in chain_of(before + after).forks] == ["restored"]


class TestTwoDevicesWithOneKey:
    def test_from_their_first_gift(self) -> None:
        links = Device("one").gives(range(0, 20, 2)) + Device("two").gives(range(1, 20, 2))
        assert chain_of(links).forks == (Fork("two_devices", 1, at(1)),)

    def test_after_one_was_copied_to_the_other(self) -> None:
        one = Device()
        before = one.gives(range(5))
        two = one.copied("two")
        links = before + one.gives(range(10, 20, 2)) + two.gives(range(11, 20, 2))
        assert chain_of(links).forks == (Fork("two_devices", 6, at(11)),)

    def test_the_gaps_of_each_are_its_own(self) -> None:
        one, two = Device("one").gives(range(0, 20, 2)), Device("two").gives(range(1, 20, 2))
        assert gaps(chain_of(without(one, 7) + without(two, 4))) == [(4, 4), (7, 7)]


def test_an_altered_gift_is_named() -> None:
    links = Device().gives(range(3))
    altered = Link(2, links[1].hash, links[1].previous, links[1].occurred_at, sound=False)
    chain = chain_of([links[0], altered, links[2]])
    assert chain.altered == (2,)
    assert not chain.whole


def test_a_close_lays_claim_to_what_has_not_come() -> None:
    links = Device().gives(range(10))
    claim = Claim(10, at(600))
    assert gaps(chain_of(links[:7], claims=[claim])) == [(8, 10)]
    assert chain_of(links, claims=[claim]).whole
    assert gaps(chain_of(links[:7], claims=[claim, Claim(12, at(700))])) == [(8, 12)]
    wiped = Device("new").gives(range(700, 703))
    assert gaps(chain_of(links[:7] + wiped, claims=[claim])) == [(8, 10)]


def stories() -> list[Callable[[], list[Link]]]:
    def wiped() -> list[Link]:
        return Device("a").gives(range(9)) + Device("b").gives(range(20, 27))

    def copied() -> list[Link]:
        one = Device()
        before = one.gives(range(6))
        two = one.copied("two")
        return before + one.gives(range(10, 30, 3)) + two.gives(range(11, 30, 3))

    return [wiped, copied]


@pytest.mark.parametrize("story", stories())
@for_all(dice=st.randoms(), lost=st.sets(st.integers(0, 12), max_size=5))
def test_the_order_of_arrival_changes_nothing(
    story: Callable[[], list[Link]], dice: random.Random, lost: set[int]
) -> None:
    came = [link for place, link in enumerate(story()) if place not in lost]
    shuffled = dice.sample(came, len(came))
    assert chain_of(shuffled) == chain_of(came)
