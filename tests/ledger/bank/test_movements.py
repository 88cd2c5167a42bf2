from datetime import date
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.bank.camt import read
from ledger.bank.entries import Detail, Entry, Movement, movements
from tests.ledger.bank.camt_files import VERSIONS, Line, Sheet, Tx, camt


def entry_of(line: Line, version: str = "08") -> Entry:
    (entry,) = (
        one for one in read(BytesIO(camt(Sheet([line]), version=version))) if isinstance(one, Entry)
    )
    return entry


def parts(line: Line, version: str = "08") -> list[tuple[int, str]]:
    return told(entry_of(line, version))


def told(entry: Entry) -> list[tuple[int, str]]:
    return [(one.cents, one.kind) for one in movements(entry)]


@pytest.mark.parametrize("version", VERSIONS)
def test_each_detail_of_a_batch_is_a_movement(version: str) -> None:
    batch = Line(30_000, txs=(Tx(10_000), Tx(20_000)))
    assert parts(batch, version) == [(10_000, "transfer"), (20_000, "transfer")]


def test_an_entry_without_details_is_one_movement() -> None:
    assert parts(Line(30_000)) == [(30_000, "transfer")]


def test_what_the_details_do_not_explain_is_one_more() -> None:
    batch = Line(30_000, txs=(Tx(10_000), Tx(15_000)))
    assert parts(batch) == [(10_000, "transfer"), (15_000, "transfer"), (5_000, "other")]


def test_details_that_explain_too_much_are_corrected_by_one_more() -> None:
    assert parts(Line(30_000, txs=(Tx(10_000), Tx(25_000)))) == [
        (10_000, "transfer"),
        (25_000, "transfer"),
        (-5_000, "other"),
    ]


def test_where_one_is_more_than_the_entry_none_is_believed() -> None:
    assert parts(Line(30_000, txs=(Tx(10_000), Tx(30_001)))) == [(30_000, "transfer")]
    assert parts(Line(-500, family="ICDT", txs=(Tx(-700),))) == [(-500, "transfer")]
    assert parts(Line(70, txs=(Tx(100), Tx(-30)))) == [(100, "transfer"), (-30, "transfer")]


def test_one_that_tells_of_more_than_its_entry_says_only_whose_it_is() -> None:
    entry = entry_of(Line(100, txs=(Tx(500_000, "E1"),)))
    (one,) = movements(entry)
    assert (one.cents, one.detail.end_to_end_id) == (100, "E1")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_charge_taken_inside_an_entry_stands_alone(version: str) -> None:
    line = Line(9_850, charge=150, txs=(Tx(10_000),))
    assert parts(line, version) == [(10_000, "transfer"), (-150, "charge")]


@pytest.mark.parametrize("version", VERSIONS)
def test_so_does_one_that_only_what_was_instructed_tells(version: str) -> None:
    line = Line(9_850, txs=(Tx(9_850, instructed=10_000, charge=150),))
    assert parts(line, version) == [(10_000, "transfer"), (-150, "charge")]


def test_and_one_that_the_bank_says_is_in_the_amount() -> None:
    line = Line(9_850, charge=150, included=True)
    assert parts(line) == [(10_000, "transfer"), (-150, "charge")]


def test_a_charge_that_was_booked_elsewhere_changes_nothing() -> None:
    assert parts(Line(10_000, charge=150, txs=(Tx(10_000),))) == [(10_000, "transfer")]


def test_a_charge_on_a_batch_is_taken_once() -> None:
    line = Line(29_800, charge=200, txs=(Tx(10_000), Tx(20_000)))
    assert parts(line) == [(10_000, "transfer"), (20_000, "transfer"), (-200, "charge")]


def test_a_charge_explains_no_more_than_is_missing() -> None:
    line = Line(29_900, charge=200, txs=(Tx(10_000), Tx(20_000)))
    assert parts(line) == [(10_000, "transfer"), (20_000, "transfer"), (-100, "other")]


def test_a_charge_on_money_that_went_out_makes_it_more() -> None:
    line = Line(-10_150, family="ICDT", charge=150, txs=(Tx(-10_000),))
    assert parts(line) == [(-10_000, "transfer"), (-150, "charge")]


def test_in_the_oldest_version_a_lone_detail_without_an_amount_is_the_entry() -> None:
    assert parts(Line(5_000, txs=(Tx(None, "E1"),)), "02") == [(5_000, "transfer")]


def test_several_without_an_amount_explain_nothing() -> None:
    assert parts(Line(5_000, txs=(Tx(None), Tx(None))), "02") == [(5_000, "transfer")]


cents = st.integers(-(10**9), 10**9)
details = st.builds(
    Detail,
    cents=st.none() | cents,
    instructed_cents=st.none() | cents,
    charge_cents=cents | st.just(0),
    included=st.booleans(),
)
entries = st.builds(
    Entry,
    statement=st.just(0),
    cents=cents.filter(bool),
    booked_on=st.just(date(2026, 11, 23)),
    value_on=st.none(),
    kind=st.just("transfer"),
    charge_cents=cents | st.just(0),
    included=st.booleans(),
    details=st.lists(details, max_size=5).map(tuple),
)


@given(entries)
def test_the_movements_of_an_entry_always_add_up_to_it(entry: Entry) -> None:
    found = movements(entry)
    assert sum(one.cents for one in found) == entry.cents
    assert all(one.cents for one in found)
    assert [one.place for one in found] == list(range(len(found)))


@given(entries)
def test_an_entry_is_taken_apart_the_same_way_each_time(entry: Entry) -> None:
    first: tuple[Movement, ...] = movements(entry)
    assert first == movements(entry)
