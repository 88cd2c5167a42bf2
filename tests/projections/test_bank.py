"""The bank as its read model tells it: balances at each file, missing days, what is open."""

from datetime import UTC, date, datetime, timedelta
from itertools import product
from random import Random
from typing import Any, get_args
from uuid import UUID, uuid5

import psycopg
from hypothesis import given as for_all
from hypothesis import strategies as st

from api.bank_matching import open_of
from ledger.allocations import Allocation
from ledger.bank.events import (
    BankFileRead,
    BankTransactionBooked,
    Kind,
    TransactionMatched,
    TransactionUnmatched,
)
from ledger.bank.matching import Claim, certain
from ledger.decider import Event
from ledger.events import encode
from projections import bank, bank_chain
from projections.bank_chain import Link
from projections.every import READ_MODELS
from projections.follow import catch_up
from projections.rebuild import rebuild
from tests.projections.village import insert_raw, rows

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
WHO: dict[str, Any] = {"recorded_at": NOON, "actor": f"account:{UUID(int=9)}"}
ACCOUNT, SHOP = UUID(int=1), UUID(int=2)
MONDAY = date(2026, 11, 23)
MODELS = {"bank": READ_MODELS["bank"]}


def day(number: int) -> date:
    return MONDAY + timedelta(days=number)


def file(first: int, last: int, opening: int, closing: int, **changes: Any) -> BankFileRead:
    """A statement of the days from `first` to `last`, counted from a Monday."""
    told: dict[str, Any] = {
        "file_id": uuid5(ACCOUNT, f"{first} {last} {opening} {closing}"),
        "account_id": ACCOUNT,
        "format": "camt.053.001.08",
        "sha256": "a" * 64,
        "opening_on": day(first),
        "opening_cents": opening,
        "closing_on": day(last),
        "closing_cents": closing,
        "entries": 1,
        "credit_cents": max(closing - opening, 0),
        "debit_cents": max(opening - closing, 0),
    }
    return BankFileRead(**WHO | told | changes)


def booked(number: int, on: int, cents: int, **changes: Any) -> BankTransactionBooked:
    told: dict[str, Any] = {
        "transaction_id": UUID(int=100 + number),
        "account_id": ACCOUNT,
        "entry_id": UUID(int=200 + number),
        "file_id": UUID(int=3),
        "booked_on": day(on),
        "cents": cents,
        "kind": "transfer",
    }
    return BankTransactionBooked(**WHO | told | changes)


def matched(number: int, cents: int, **changes: Any) -> TransactionMatched:
    part = Allocation(target="statement", target_id=UUID(int=4), partner_id=SHOP, cents=cents)
    told: dict[str, Any] = {
        "transaction_id": UUID(int=100 + number),
        "match_id": UUID(int=300 + number),
        "allocations": (part,),
        "rule": "reference",
        "booked_on": MONDAY,
    }
    return TransactionMatched(**WHO | told | changes)


def undone(match: TransactionMatched) -> TransactionUnmatched:
    told = {name: getattr(match, name) for name in ("transaction_id", "match_id", "allocations")}
    return TransactionUnmatched(**WHO | told, reason="mistake", unmatched_on=day(7))


def store(conninfo: str, *events: Event) -> None:
    for number, event in enumerate(events):
        name, state = encode(event)
        insert_raw(conninfo, name, state, stream=uuid5(ACCOUNT, f"{number} {name} {state!r}"))
    catch_up(conninfo, MODELS)


def chain(conninfo: str) -> list[Link]:
    with psycopg.connect(conninfo) as connection:
        return bank_chain.chain(connection)


def test_the_balance_of_the_ledger_is_that_of_each_file(conninfo: str) -> None:
    store(
        conninfo,
        *(booked(1, 0, 500), booked(2, 1, -200), booked(3, 4, 50)),
        *(file(0, 0, 1_000, 1_500), file(1, 1, 1_500, 1_300), file(4, 4, 1_300, 1_350)),
        file(0, 7, 1_000, 1_350),
    )
    links = chain(conninfo)
    assert [link.difference_cents for link in links] == [0, 0, 0, 0]
    assert [link.gap for link in links] == [None] * 4
    assert bank_chain.differing(links) == []


def test_what_a_file_has_and_the_ledger_has_not_is_shown_from_then_on(conninfo: str) -> None:
    store(
        conninfo,
        *(booked(1, 0, 500), file(0, 0, 1_000, 1_500)),
        *(file(1, 1, 1_500, 1_450), booked(2, 2, 1), file(2, 2, 1_450, 1_451)),
    )
    assert [link.difference_cents for link in chain(conninfo)] == [0, -50, -50]


def test_a_file_that_does_not_add_up_says_so(conninfo: str) -> None:
    store(conninfo, file(0, 0, 1_000, 1_500, credit_cents=400))
    (link,) = chain(conninfo)
    assert link.file.unexplained_cents == 100


def test_an_account_that_begins_with_two_files_of_a_day_begins_with_the_first(
    conninfo: str,
) -> None:
    for numbers in ((None, None, None), (7, 8, 9)):
        for ids in ((1, 2, 3), (2, 1, 3)):
            place = uuid5(ACCOUNT, f"{numbers} {ids}")
            told = [(0, 0, 1_000, 1_500), (0, 0, 1_500, 1_400), (1, 1, 1_400, 1_450)]
            moved = [(0, 500), (0, -100), (1, 50)]
            store(
                conninfo,
                *(
                    booked(n, *one, account_id=place, transaction_id=uuid5(place, f"{n}"))
                    for n, one in enumerate(moved)
                ),
                *(
                    file(*one, account_id=place, file_id=uuid5(place, f"f{n}"), sequence=number)
                    for n, one, number in zip(ids, told, numbers, strict=True)
                ),
            )
            with psycopg.connect(conninfo) as connection:
                links = bank_chain.chain(connection, place)
            assert {link.difference_cents for link in links} == {None, 0}, (numbers, ids)


def test_a_missing_day_is_named(conninfo: str) -> None:
    store(conninfo, file(0, 0, 0, 0), file(2, 2, 70, 70))
    _, link = chain(conninfo)
    assert link.gap is not None
    assert (link.gap.cents, link.gap.days) == (70, (day(1),))


def test_no_bank_works_on_a_weekend(conninfo: str) -> None:
    store(conninfo, file(4, 4, 0, 0), file(8, 8, 70, 70))
    _, link = chain(conninfo)
    assert link.gap is not None
    assert link.gap.days == (day(7),)


def test_a_quiet_week_is_no_gap(conninfo: str) -> None:
    store(conninfo, file(0, 0, 0, 70), file(8, 8, 70, 70))
    assert [link.gap for link in chain(conninfo)] == [None, None]


def test_an_opening_dated_on_the_evening_before_names_that_day(conninfo: str) -> None:
    store(conninfo, file(-1, 0, 0, 0), file(1, 2, 70, 70))
    _, link = chain(conninfo)
    assert link.gap is not None
    assert link.gap.days == (day(1),)


def test_balances_that_jump_overnight_are_told_without_a_day(conninfo: str) -> None:
    store(conninfo, file(0, 0, 0, 0), file(1, 1, 70, 70))
    _, link = chain(conninfo)
    assert link.gap is not None
    assert (link.gap.cents, link.gap.days) == (70, ())


def test_a_number_that_the_bank_skips_is_a_gap_although_the_balances_agree(conninfo: str) -> None:
    store(conninfo, file(0, 0, 0, 0, sequence=7), file(2, 2, 0, 0, sequence=9))
    _, link = chain(conninfo)
    assert link.gap is not None
    assert (link.gap.cents, link.gap.days) == (0, (day(1),))


def test_a_monthly_file_beside_the_daily_ones_is_no_gap(conninfo: str) -> None:
    store(
        conninfo,
        *(booked(1, 0, 10), booked(2, 1, 20), booked(3, 2, 30)),
        *(file(0, 0, 0, 10), file(1, 1, 10, 30), file(2, 2, 30, 60), file(0, 2, 0, 60)),
        *(file(1, 2, 10, 60), file(3, 3, 60, 60)),
    )
    assert bank_chain.differing(chain(conninfo)) == []


def test_of_two_statements_that_end_on_a_day_the_last_is_compared(conninfo: str) -> None:
    store(
        conninfo,
        *(booked(1, 0, 10), booked(2, 0, 20)),
        *(file(0, 0, 0, 10, sequence=1), file(0, 0, 10, 30, sequence=2)),
    )
    assert [link.difference_cents for link in chain(conninfo)] == [None, 0]


def test_accounts_are_chained_apart(conninfo: str) -> None:
    other = UUID(int=7)
    store(
        conninfo,
        *(booked(1, 0, 10), file(0, 0, 0, 10)),
        file(0, 0, 5_000, 5_000, account_id=other, file_id=UUID(int=8)),
        booked(2, 0, 0 + 40, account_id=other),
    )
    found = {link.file.account_id: link.difference_cents for link in chain(conninfo)}
    assert found == {ACCOUNT: 0, other: -40}


def test_only_what_can_tell_what_it_is_for_is_looked_at(conninfo: str) -> None:
    told = {
        (number, kind, cents, references)
        for number, (kind, cents, references) in enumerate(
            product(get_args(Kind), (5, -5), ((), ("RF18539007547034",)))
        )
    }
    store(
        conninfo,
        *(
            booked(number, 0, cents, kind=kind, references=references)
            for number, kind, cents, references in told
        ),
    )
    telling = {
        UUID(int=100 + number): (cents, references)
        for number, kind, cents, references in told
        if kind in {"charge", "return"} or (cents > 0 and references)
    }
    with psycopg.connect(conninfo) as connection:
        found = bank.telling(connection)
        everything = [open_of(one) for one in bank.open_transactions(connection)]
    assert {one.transaction_id: (one.left_cents, one.references) for one in found} == telling
    assert [one for one in everything if one.transaction_id in telling] == found
    # Of all others nothing is certain, whatever is asked for.
    claim = Claim("statement", UUID(int=4), SHOP, "RF18539007547034", 1_000, MONDAY)
    others = [one for one in everything if one.transaction_id not in telling]
    assert list(certain(others, [claim], [])) == []


def test_what_is_matched_is_open_no_more_until_it_is_undone(conninfo: str) -> None:
    part = matched(1, 300)
    store(conninfo, booked(1, 0, 500), booked(2, 3, -20), part)
    with psycopg.connect(conninfo) as connection:
        first, second = bank.open_transactions(connection)
        assert (first.cents, first.open_cents, second.open_cents) == (500, 200, -20)
        after = (first.booked_on, first.transaction_id)
        assert bank.open_transactions(connection, after) == [second]
        sums = bank.open_sums(connection)
        assert (sums.transactions, sums.credit_cents, sums.debit_cents) == (2, 200, -20)
        assert sums.oldest_on == day(0)
        assert [one.open_cents for one in bank.of_day(connection, day(0))] == [200]
    store(conninfo, undone(part))
    with psycopg.connect(conninfo) as connection:
        assert bank.open_transactions(connection)[0].open_cents == 500
        (match,) = bank.matches_of(connection, part.transaction_id)
        assert (match.undone_reason, match.allocations) == ("mistake", part.allocations)


def test_who_paid_before_is_known_by_its_account_while_the_match_holds(conninfo: str) -> None:
    part = matched(1, 500)
    store(conninfo, booked(1, 0, 500, counterparty_mac="iban", end_to_end_mac="e2e"), part)
    with psycopg.connect(conninfo) as connection:
        assert bank.payers(connection, ["iban", "else"]) == {"iban": frozenset({SHOP})}
        (known,) = bank.moved(connection, ["e2e", "else"])
        assert (known.wholly, known.allocations) == (True, part.allocations)
        assert known.counterparty_mac == "iban"
    store(conninfo, undone(part))
    with psycopg.connect(conninfo) as connection:
        assert bank.payers(connection, ["iban"]) == {}
        (known,) = bank.moved(connection, ["e2e"])
        assert (known.wholly, known.allocations) == (False, ())


def test_a_day_tells_what_moved_and_what_of_it_is_matched(conninfo: str) -> None:
    store(conninfo, booked(1, 0, 500), booked(2, 0, -20), booked(3, 40, 1), matched(1, 300))
    with psycopg.connect(conninfo) as connection:
        (one,) = bank.days(connection, day(0), day(7))
    assert (one.transactions, one.credit_cents, one.debit_cents) == (2, 500, -20)
    assert (one.matched_cents, one.open_cents) == (300, 180)


def history(seed: int) -> list[Event]:
    dice = Random(seed)
    events: list[Event] = []
    for number in range(60):
        cents = dice.choice([-1, 1]) * dice.randrange(1, 9_999)
        events.append(booked(number, dice.randrange(20), cents, references=("RF1", "RF2")))
        if dice.random() < 0.6:
            side = 1 if cents > 0 else -1
            made = matched(number, side * dice.randrange(1, abs(cents) + 1))
            events.append(made)
            if dice.random() < 0.3:
                events.append(undone(made))
        if dice.random() < 0.2:
            events.append(file(number, number, dice.randrange(999), dice.randrange(999)))
    return events


def test_a_rebuild_equals_live_and_pages_do_not_matter(conninfo: str) -> None:
    catch_up(conninfo, READ_MODELS)
    seed = Random().randrange(1_000_000)
    print(f"seed {seed}")
    events = history(seed)
    for event in events:
        store(conninfo, event)
    live = rows(conninfo)
    assert rebuild(conninfo, MODELS) == len(events)
    assert rows(conninfo) == live
    with psycopg.connect(conninfo) as connection:
        open_cents = {
            one.transaction_id: one.open_cents for one in bank.open_transactions(connection)
        }
    plain: dict[UUID, int] = {}
    for event in events:
        match event:
            case BankTransactionBooked():
                plain[event.transaction_id] = event.cents
            case TransactionMatched():
                plain[event.transaction_id] -= event.allocations[0].cents
            case TransactionUnmatched():
                plain[event.transaction_id] += event.allocations[0].cents
            case _:
                pass
    assert open_cents == {key: cents for key, cents in plain.items() if cents}


@for_all(st.lists(st.integers(-50, 50), min_size=1, max_size=20), st.integers(-100, 100))
def test_daily_files_that_are_all_there_have_no_gap(moves: list[int], opening: int) -> None:
    files = []
    cents = opening
    for number, move in enumerate(moves):
        told = file(number, number, cents, cents + move).model_dump(exclude={"recorded_at"})
        cents += move
        files.append(bank.File(read_at=NOON, ledger_cents=cents, **told))
    assert bank_chain.differing(bank_chain.links(files)) == []
    for missing in range(1, len(files) - 1):
        if not moves[missing]:
            continue
        gaps = [
            link.gap
            for link in bank_chain.links(files[:missing] + files[missing + 1 :])
            if link.gap
        ]
        assert len(gaps) == 1
        assert gaps[0].cents == moves[missing]
        weekday = day(missing).weekday() < bank_chain.SATURDAY
        assert gaps[0].days == ((day(missing),) if weekday else ())
