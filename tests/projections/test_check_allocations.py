"""The check finds money that is given to what it cannot be for, or more of it than there is."""

from uuid import UUID

import pytest

from ledger.allocations import Allocation
from ledger.store import Ledger
from tests.projections import test_check_money
from tests.projections.money import Bank, Settled, of
from tests.projections.test_check import difference
from tests.projections.test_check_money import alter, stored

settled = test_check_money.settled
conninfo = test_check_money.conninfo
village = test_check_money.village


@pytest.mark.parametrize("target", ["statement", "remittance", "payout", "pledge"])
def test_money_for_what_is_not_there_is_found(village: Settled, conninfo: str, target: str) -> None:
    _, state = stored(conninfo, "TransactionMatched")
    allocations = [state["allocations"][0] | {"target": target, "target_id": str(UUID(int=1))}]
    alter(conninfo, "TransactionMatched", {"allocations": allocations})
    assert f"gives money to {target} {UUID(int=1)}, which is not" in difference(conninfo)


def test_more_gone_from_a_statement_than_ever_came_is_found(
    village: Settled, ledger: Ledger, conninfo: str
) -> None:
    bank, second = Bank(ledger), village.statements[1]
    bank.match(bank.book(-10_000, "return"), of(second, -10_000))
    assert f"statement {second.statement_id} has got -9770 cents" in difference(conninfo)


def test_a_deposit_of_more_than_was_counted_is_found(
    village: Settled, ledger: Ledger, conninfo: str
) -> None:
    _, cheque = stored(conninfo, "RemittanceApproved", cents=200)
    whose = Allocation(
        target="remittance",
        target_id=UUID(cheque["remittance_id"]),
        partner_id=village.statements[1].partner_id,
        cents=1,
    )
    bank = Bank(ledger)
    bank.match(bank.book(1, "cheque"), whose)
    assert "of 200 cents has 201 deposited" in difference(conninfo)


def test_more_banked_of_a_payout_than_it_is_of_is_found(
    village: Settled, ledger: Ledger, conninfo: str
) -> None:
    bank = Bank(ledger)
    more = Allocation(target="payout", target_id=village.payout_id, cents=1)
    bank.match(bank.book(1), more)
    assert f"payout {village.payout_id} is of 960 cents and has 961" in difference(conninfo)


def test_money_for_the_debt_of_another_partner_is_found(village: Settled, conninfo: str) -> None:
    _, state = stored(conninfo, "RemittanceDeclared")
    allocations = [state["allocations"][0] | {"partner_id": str(village.shops[0].partner_id)}]
    for topic in ("RemittanceDeclared", "RemittanceApproved"):
        alter(conninfo, topic, {"allocations": allocations}, cents=200)
    assert f"statement {village.statements[1].statement_id} of another" in difference(conninfo)


def test_money_for_a_debt_that_does_not_say_whose_is_found(conninfo: str) -> None:
    _, state = stored(conninfo, "TransactionMatched")
    allocations = [
        {key: one for key, one in state["allocations"][0].items() if key != "partner_id"}
    ]
    alter(conninfo, "TransactionMatched", {"allocations": allocations})
    assert "of another" in difference(conninfo)


def test_money_against_the_side_of_its_transaction_is_found(
    village: Settled, ledger: Ledger, conninfo: str
) -> None:
    bank, second = Bank(ledger), village.statements[1]
    transaction_id = bank.book(30)
    bank.match(transaction_id, of(second, 20))
    allocations = [of(second, 30), of(second, -10)]
    told = [one.model_dump(mode="json", exclude_none=True) for one in allocations]
    whose = {"transaction_id": str(transaction_id)}
    alter(conninfo, "TransactionMatched", {"allocations": told}, **whose)
    assert "allocates money against its side" in difference(conninfo)
