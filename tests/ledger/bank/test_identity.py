"""An entry is booked once, whatever files bring it, in whatever order."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO
from itertools import accumulate
from random import Random
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from ledger.bank.camt import read
from ledger.bank.entries import Entry, Statement
from ledger.bank.identity import Span, Twins, others_of_the_day
from tests.ledger.bank.camt_files import DAY, Line, Sheet, Tx, camt

ACCOUNT_ID = UUID(int=1)
KEY = bytes(32)
FIRST = date(2026, 11, 2)


def ids_in(*sheets: Sheet, others: frozenset[UUID] = frozenset()) -> list[tuple[UUID, int]]:
    twins = Twins(KEY)
    found: list[tuple[UUID, int]] = []
    for part in read(BytesIO(camt(*sheets))):
        if isinstance(part, Statement):
            twins.begin(part, others)
        elif isinstance(part, Entry):
            found.append((twins.entry_id(ACCOUNT_ID, part), part.cents))
    return found


def test_the_banks_own_reference_tells_entries_apart() -> None:
    one, other = ids_in(Sheet([Line(100, ref="A"), Line(100, ref="B")]))
    assert one != other


def test_a_charge_may_share_the_reference_of_what_it_is_on() -> None:
    transfer, charge = ids_in(Sheet([Line(100, ref="A"), Line(-1, ref="A")]))
    assert transfer[0] != charge[0]


def test_a_reference_that_comes_back_another_day_is_another_entry() -> None:
    later = FIRST + timedelta(days=1)
    one, other = ids_in(Sheet([Line(100, day=FIRST, ref="A"), Line(100, day=later, ref="A")]))
    assert one != other


def test_twins_of_a_day_are_two_and_stay_the_same_two() -> None:
    twins = [Line(100, txs=(Tx(100, "E"),)), Line(100, txs=(Tx(100, "E"),))]
    assert len(set(ids_in(Sheet(twins)))) == 2
    assert ids_in(Sheet(twins)) == ids_in(Sheet([Line(5), *twins]))[1:]


def test_without_any_reference_what_the_payer_said_tells() -> None:
    one, other = ids_in(Sheet([Line(100, txs=(Tx(100, "E1"),)), Line(100, txs=(Tx(100, "E2"),))]))
    again = ids_in(Sheet([Line(100, txs=(Tx(100, "E2"),)), Line(100, txs=(Tx(100, "E1"),))]))
    assert [other, one] == again


def test_an_entry_of_another_account_is_another_one() -> None:
    entry = next(one for one in read(BytesIO(camt(Sheet([Line(100)])))) if isinstance(one, Entry))
    assert Twins(KEY).entry_id(ACCOUNT_ID, entry) != Twins(KEY).entry_id(UUID(int=2), entry)


def test_without_the_key_nobody_can_make_the_id() -> None:
    entry = next(one for one in read(BytesIO(camt(Sheet([Line(100)])))) if isinstance(one, Entry))
    assert Twins(KEY).entry_id(ACCOUNT_ID, entry) != Twins(b"k" * 32).entry_id(ACCOUNT_ID, entry)


def test_twins_on_two_pages_of_a_statement_are_two() -> None:
    pages = Sheet([Line(100)], opening=0), Sheet([Line(100)], opening=100)
    assert len(set(ids_in(*pages))) == 2


def test_a_statement_that_tells_of_the_same_again_adds_nothing() -> None:
    daily, monthly = Sheet([Line(100)], opening=0), Sheet([Line(100), Line(7)], opening=0)
    found = ids_in(daily, monthly)
    assert len(found) == 3
    assert len(set(found)) == 2


def test_not_even_where_its_balance_happens_to_fit() -> None:
    daily = Sheet([Line(100), Line(-100)], opening=0)
    monthly = Sheet([Line(100), Line(-100), Line(7)], opening=0, first=FIRST, last=DAY)
    assert len(set(ids_in(daily, monthly))) == 3


QUIET = Sheet([Line(100), Line(-100)], opening=0)


def test_a_statement_repeated_in_a_file_adds_nothing_even_where_it_ends_as_it_began() -> None:
    assert len(set(ids_in(QUIET, QUIET))) == 2
    longer = replace(QUIET, lines=[*QUIET.lines, Line(7)])
    assert len(set(ids_in(QUIET, longer))) == 3


def test_nor_do_two_pages_that_come_again_together() -> None:
    pages = Sheet([Line(100)], opening=0), Sheet([Line(100), Line(-200)], opening=100)
    assert len(set(ids_in(*pages))) == 3
    assert len(set(ids_in(*pages, *pages))) == 3


def test_pages_that_the_bank_numbers_are_several_even_where_they_look_alike() -> None:
    numbered = [replace(QUIET, page=number) for number in (1, 2)]
    for pages in (numbered, [replace(QUIET, sequence=number) for number in (1, 2)]):
        assert len(set(ids_in(*pages))) == 4
        assert len(set(ids_in(*pages, *pages))) == 4


def span(opening: int, *cents: int, first: date = DAY) -> Span:
    """Give the span of a statement of a day, by where it begins and what moves."""
    closing = opening + sum(cents)
    credit, debit = sum(max(one, 0) for one in cents), sum(max(-one, 0) for one in cents)
    return Span(first, opening, DAY, closing, len(cents), credit, debit)


class TestOthersOfTheDay:
    def others(self, here: Span, *known: Span) -> list[int]:
        """Give the places of those that tell of other parts of the day."""
        named = {UUID(int=place): one for place, one in enumerate(known)}
        return sorted(one.int for one in others_of_the_day(here, named))

    def test_balances_lead_from_one_to_the_next_on_either_side(self) -> None:
        parts = [span(0, 100), span(100, 50), span(150, -110), span(40, 50)]
        for place, one in enumerate(parts):
            rest = [number for number in range(4) if number != place]
            assert self.others(one, *parts) == rest

    def test_one_that_holds_it_is_no_other_part(self) -> None:
        whole, first, second = span(0, 100, 50), span(0, 100), span(100, 50)
        assert self.others(whole, whole, first, second) == []
        assert self.others(first, whole, first, second) == [2]
        assert self.others(second, whole, first, second) == [1]
        assert self.others(span(150, 20), whole, first, second) == [0, 1, 2]

    def test_nor_one_that_may_hold_it_since_a_balance_came_back(self) -> None:
        whole, second = span(0, 50, 100, -100), span(50, 100)
        assert self.others(second, whole) == []
        assert self.others(whole, second) == []

    def test_nor_is_one_that_begins_there_again(self) -> None:
        assert self.others(span(0, 100), span(0, 100), span(100, -100)) == [1]

    def test_one_that_ends_as_it_began_is_one_where_nothing_may_hold_it(self) -> None:
        quiet = span(100, 5, -5)
        assert self.others(quiet, span(0, 100)) == [0]
        assert self.others(quiet, span(0, 100, 5, -5)) == []
        assert self.others(span(0, 100), quiet) == [0]

    def test_the_first_of_a_day_may_open_on_the_evening_before(self) -> None:
        friday = DAY - timedelta(days=3)
        assert self.others(span(100, 50), span(0, 100, first=friday)) == [0]
        assert self.others(span(100, 50), span(0, 100, first=FIRST)) == []


alike = st.lists(st.sampled_from([5, 5, -5, 100, -100]), min_size=1, max_size=4)


def booked_from(files: list[Sheet], times: int) -> Counter[int]:
    """Read some statements of one day, one file each, and give the cents that are booked."""
    booked, spans = dict[UUID, tuple[UUID, int]](), dict[UUID, Span]()
    for _ in range(times):
        for number, sheet in enumerate(files):
            here = span(sheet.opening, *(line.cents for line in sheet.lines))
            elsewhere = others_of_the_day(here, spans)
            held = frozenset(entry for entry, (file, _) in booked.items() if file in elsewhere)
            for entry, cents in ids_in(sheet, others=held):
                booked.setdefault(entry, (UUID(int=number), cents))
            spans[UUID(int=number)] = here
    return Counter(cents for _, cents in booked.values())


@given(st.lists(alike, min_size=1, max_size=4), st.booleans(), st.randoms(use_true_random=False))
def test_the_parts_of_a_day_in_any_order_and_again_bring_no_entry_twice(
    parts: list[list[int]], rising: bool, chance: Random
) -> None:
    opening, files = 0, list[Sheet]()
    if rising:
        parts = [[abs(cents) for cents in part] for part in parts]
    for part in parts:
        files.append(Sheet([Line(cents) for cents in part], opening=opening))
        opening = files[-1].closing_cents
    files.append(Sheet([Line(cents) for part in parts for cents in part], opening=0))
    chance.shuffle(files)
    # What came between two parts may come last.
    told, moved = booked_from(files, 2), Counter(cents for part in parts for cents in part)
    assert not told - moved
    if rising:
        # No balance comes back: all is certain.
        assert told == moved


lines = st.builds(
    Line,
    cents=st.sampled_from([-500, -1, 1, 100, 2_000]),
    day=st.integers(0, 3).map(lambda days: FIRST + timedelta(days=days)),
    ref=st.none() | st.sampled_from(["A", "B"]),
    txs=st.sampled_from([(), (Tx(None, "E1"),), (Tx(None, "E2"),)]),
)


@given(st.lists(lines, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_daily_and_monthly_files_in_any_order_bring_each_entry_once(
    month: list[Line], chance: Random
) -> None:
    ordered = sorted(month, key=lambda line: line.day)
    days = sorted({line.day for line in ordered})
    sums = accumulate((line.cents for line in ordered), initial=0)
    openings = dict(zip([line.day for line in ordered][::-1], list(sums)[-2::-1], strict=True))
    daily = [
        Sheet([line for line in ordered if line.day == day], opening=openings[day], first=day)
        for day in days
    ]
    whole = Sheet(ordered, opening=0)
    files = [(one,) for one in daily] + [(whole,), tuple(daily), (whole,)]
    chance.shuffle(files)
    known = {entry for file in files for entry in ids_in(*file)}
    assert Counter(cents for _, cents in known) == Counter(line.cents for line in ordered)
