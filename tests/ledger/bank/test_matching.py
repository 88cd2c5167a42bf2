from collections import Counter
from datetime import date, timedelta
from random import Random
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from ledger.allocations import Allocation
from ledger.bank.matching import (
    Claim,
    Expected,
    Known,
    Match,
    Moved,
    Open,
    certain,
    proposals,
)

TODAY = date(2026, 11, 23)
SHOP, OTHER_SHOP = UUID(int=31), UUID(int=32)


def claim(number: int, cents: int, **changes: Any) -> Claim:
    told: dict[str, Any] = {
        "target": "statement",
        "target_id": UUID(int=20 + number),
        "partner_id": SHOP,
        "reference": f"RF{number}",
        "outstanding_cents": cents,
        "due_on": TODAY - timedelta(days=100 - number),
    }
    return Claim(**told | changes)


def came(cents: int, *references: str, number: int = 1, **changes: Any) -> Open:
    told: dict[str, Any] = {
        "transaction_id": UUID(int=number),
        "cents": cents,
        "left_cents": cents,
        "kind": "transfer",
        "booked_on": TODAY,
        "references": references,
    }
    return Open(**told | changes)


def amounts(matches: list[Match]) -> list[list[tuple[UUID | None, int]]]:
    return [[(one.target_id, one.cents) for one in match.allocations] for match in matches]


ONE, TWO = claim(1, 5_000), claim(2, 3_000)


class TestCertain:
    def test_a_reference_that_we_gave_is(self) -> None:
        (match,) = certain([came(5_000, "RF1")], [ONE, TWO], [])
        assert match == Match(
            UUID(int=1),
            "reference",
            (
                Allocation(
                    target="statement", target_id=ONE.target_id, partner_id=SHOP, cents=5_000
                ),
            ),
        )

    def test_a_part_pays_a_part(self) -> None:
        assert amounts(list(certain([came(2_000, "RF1")], [ONE], []))) == [[(ONE.target_id, 2_000)]]

    def test_what_is_too_much_stays_open(self) -> None:
        assert amounts(list(certain([came(6_000, "RF1")], [ONE], []))) == [[(ONE.target_id, 5_000)]]

    def test_one_transfer_may_name_several(self) -> None:
        found = list(certain([came(8_000, "RF2", "RF1")], [ONE, TWO], []))
        assert amounts(found) == [[(TWO.target_id, 3_000), (ONE.target_id, 5_000)]]

    def test_two_transfers_do_not_fill_one_twice(self) -> None:
        some = [came(4_000, "RF1"), came(4_000, "RF1", number=2), came(1, "RF1", number=3)]
        found = list(certain(some, [ONE], []))
        assert amounts(found) == [[(ONE.target_id, 4_000)], [(ONE.target_id, 1_000)]]

    def test_a_reference_that_is_paid_or_nobodys_is_not(self) -> None:
        paid = claim(1, 0)
        assert list(certain([came(100, "RF1"), came(100, "RF9", number=2)], [paid], [])) == []

    def test_money_that_goes_out_never_pays(self) -> None:
        assert list(certain([came(-100, "RF1")], [ONE], [])) == []

    def test_what_the_bank_took_is_a_charge_either_way(self) -> None:
        some = [came(-150, kind="charge"), came(20, kind="charge", number=2)]
        assert [match.rule for match in certain(some, [], [])] == ["charge", "charge"]
        assert amounts(list(certain(some, [], []))) == [[(None, -150)], [(None, 20)]]


def paid(cents: int, number: int = 2, **changes: Any) -> Moved:
    told: dict[str, Any] = {
        "transaction_id": UUID(int=number),
        "cents": cents,
        "booked_on": TODAY - timedelta(days=number),
        "end_to_end_mac": "mac",
        "counterparty_mac": "iban",
        "allocations": (
            Allocation(target="statement", target_id=ONE.target_id, partner_id=SHOP, cents=cents),
        ),
    }
    return Moved(**told | changes)


def returned(cents: int, number: int = 1, **changes: Any) -> Open:
    return came(-cents, kind="return", number=number, **{"end_to_end_mac": "mac"} | changes)


class TestReturns:
    def test_it_undoes_what_it_returns(self) -> None:
        (match,) = certain([returned(5_000)], [], [paid(5_000)])
        assert match.rule == "return"
        assert amounts([match]) == [[(ONE.target_id, -5_000)]]

    def test_of_another_amount_or_id_it_is_no_return_of_it(self) -> None:
        some = [returned(4_999), returned(5_000, end_to_end_mac="else"), returned(5_000)]
        assert list(certain(some[:2], [], [paid(5_000)])) == []
        assert list(certain([returned(5_000, end_to_end_mac=None)], [], [paid(5_000)])) == []

    def test_it_is_undone_once(self) -> None:
        some = [returned(5_000), returned(5_000, number=3)]
        assert len(list(certain(some, [], [paid(5_000)]))) == 1
        before = paid(-5_000, number=4, booked_on=TODAY)
        assert list(certain([returned(5_000)], [], [paid(5_000), before])) == []

    def test_which_of_two_it_returns_is_left_to_an_officer(self) -> None:
        assert list(certain([returned(5_000)], [], [paid(5_000), paid(5_000, number=3)])) == []

    def test_the_second_of_two_is_known_once_the_first_came_back(self) -> None:
        back = paid(-5_000, number=4, booked_on=TODAY)
        some = [paid(5_000), paid(5_000, number=3), back]
        assert len(list(certain([returned(5_000)], [], some))) == 1

    def test_the_second_is_the_one_that_the_first_did_not_take_back(self) -> None:
        told = (Allocation(target="statement", target_id=TWO.target_id, cents=5_000),)
        taken = (Allocation(target="statement", target_id=TWO.target_id, cents=-5_000),)
        for number in (3, 1):
            some = [
                paid(5_000),
                paid(5_000, number=number, allocations=told),
                paid(-5_000, number=4, allocations=taken, booked_on=TODAY),
            ]
            (match,) = certain([returned(5_000, number=9)], [], some)
            assert amounts([match]) == [[(ONE.target_id, -5_000)]]

    def test_where_an_officer_said_something_else_of_the_first_nobody_knows(self) -> None:
        other = (Allocation(target="other", cents=-5_000),)
        back = paid(-5_000, number=4, allocations=other, booked_on=TODAY)
        some = [paid(5_000), paid(5_000, number=3), back]
        assert list(certain([returned(5_000)], [], some)) == []

    def test_what_came_from_another_account_is_not_what_is_returned(self) -> None:
        back = returned(5_000, counterparty_mac="else")
        assert list(certain([back], [], [paid(5_000)])) == []
        back = returned(5_000, counterparty_mac="iban")
        other = paid(5_000, number=3, counterparty_mac="else")
        assert len(list(certain([back], [], [paid(5_000), other]))) == 1

    def test_nothing_comes_back_before_it_came(self) -> None:
        early = returned(5_000, booked_on=TODAY - timedelta(days=3))
        assert list(certain([early], [], [paid(5_000)])) == []

    def test_one_that_is_for_nothing_yet_may_be_what_came_back(self) -> None:
        still_open = paid(5_000, number=3, allocations=())
        assert list(certain([returned(5_000)], [], [paid(5_000), still_open])) == []
        assert list(certain([returned(5_000)], [], [still_open])) == []


class TestUndone:
    def test_what_an_officer_undid_is_not_made_again(self) -> None:
        one = came(8_000, "RF1", "RF2", undone=frozenset({("statement", ONE.target_id)}))
        assert amounts(list(certain([one], [ONE, TWO], []))) == [[(TWO.target_id, 3_000)]]

    def test_nor_does_it_take_from_the_next_one(self) -> None:
        undone = came(5_000, "RF1", undone=frozenset({("statement", ONE.target_id)}))
        (match,) = certain([undone, came(5_000, "RF1", number=2)], [ONE], [])
        assert match.transaction_id == UUID(int=2)

    def test_a_charge_and_a_return_neither(self) -> None:
        charge = came(-5, kind="charge", undone=frozenset({("charge", None)}))
        back = returned(5_000, undone=frozenset({("statement", ONE.target_id)}))
        assert list(certain([charge, back], [], [paid(5_000)])) == []


def offered(one: Open, **known: Any) -> list[tuple[str, list[tuple[UUID | None, int]]]]:
    found = list(proposals(one, Known(**known)))
    return list(zip([match.rule for match in found], amounts(found), strict=True))


PAYERS = {"iban": frozenset({SHOP})}


class TestProposed:
    def test_a_reference_given_as_the_payers_own_id(self) -> None:
        one = came(9_000, end_to_end_mac="mac-of-RF1")
        assert offered(one, by_mac={"mac-of-RF1": ONE}) == [
            ("end_to_end", [(ONE.target_id, 5_000)])
        ]

    def test_the_very_amount_from_an_account_that_paid_before(self) -> None:
        one = came(3_000, counterparty_mac="iban")
        assert offered(one, claims=[ONE, TWO], payers=PAYERS) == [
            ("amount_and_iban", [(TWO.target_id, 3_000)])
        ]

    def test_the_amount_alone_is_nothing(self) -> None:
        one = came(3_000, counterparty_mac="somebody")
        assert offered(one, claims=[ONE, TWO], payers=PAYERS) == []

    def test_nor_is_another_shops_statement(self) -> None:
        one = came(3_000, counterparty_mac="iban")
        theirs = claim(2, 3_000, partner_id=OTHER_SHOP)
        assert offered(one, claims=[ONE, theirs], payers=PAYERS) == []

    def test_several_statements_that_add_up_the_fewest_first(self) -> None:
        claims = [claim(1, 1_000), claim(2, 2_000), claim(3, 3_000), claim(4, 6_000)]
        one = came(6_500, counterparty_mac="iban")
        assert offered(one, claims=claims, payers=PAYERS) == []
        one = came(9_000, counterparty_mac="iban")
        assert offered(one, claims=claims, payers=PAYERS) == [
            ("amount_and_iban", [(claims[2].target_id, 3_000), (claims[3].target_id, 6_000)])
        ]

    def test_a_sum_that_is_expected_about_that_day(self) -> None:
        payout = Expected("payout", UUID(int=41), 7_700, TODAY - timedelta(days=4))
        late = Expected("payout", UUID(int=42), 7_700, TODAY - timedelta(days=9))
        assert offered(came(7_700), expected=[payout, late]) == [
            ("payout", [(payout.target_id, 7_700)])
        ]

    def test_money_that_goes_out_is_for_an_officer(self) -> None:
        one = came(-5_000, end_to_end_mac="mac-of-RF1", counterparty_mac="iban")
        assert offered(one, by_mac={"mac-of-RF1": ONE}, claims=[ONE], payers=PAYERS) == []


opens = st.lists(
    st.tuples(
        st.integers(-3_000, 9_000).filter(bool),
        st.lists(st.sampled_from(["RF1", "RF2", "RF3"]), max_size=3, unique=True),
        st.sampled_from(["transfer", "charge", "return", "other"]),
    ),
    max_size=12,
)


@given(opens, st.integers(0, 6_000), st.integers(0, 6_000), st.randoms(use_true_random=False))
def test_nothing_is_matched_beyond_what_it_is_nor_beyond_what_is_asked(
    asked: list[tuple[int, list[str], Any]], first: int, second: int, chance: Random
) -> None:
    claims = [claim(1, first), claim(2, second)]
    some = [
        came(cents, *references, number=number, kind=kind)
        for number, (cents, references, kind) in enumerate(asked, 1)
    ]
    chance.shuffle(some)
    by_id = {one.transaction_id: one for one in some}
    got: Counter[UUID | None] = Counter()
    for match in certain(some, claims, []):
        one = by_id.pop(match.transaction_id)
        side = 1 if one.cents > 0 else -1
        assert all(part.cents * side > 0 for part in match.allocations)
        assert sum(part.cents for part in match.allocations) * side <= one.left_cents * side
        for part in match.allocations:
            got[part.target_id] += part.cents
    assert got[claims[0].target_id] <= first
    assert got[claims[1].target_id] <= second
