"""The check follows what statements pay each other."""

import json
import random
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from ledger.settlements.commands import Got, SetOffCredit
from ledger.settlements.decider import settlement
from ledger.settlements.events import StatementClosed
from ledger.store import Ledger
from projections.every import READ_MODELS
from projections.follow import catch_up
from tests.projections import test_check_money
from tests.projections.money import Bank, Settled, of, statement_of
from tests.projections.test_check import checked, difference
from tests.projections.test_check_money import alter, append, stored
from tests.projections.village import give, insert_raw

settled = test_check_money.settled
conninfo = test_check_money.conninfo
village = test_check_money.village


class TestSetOffs:
    """A first statement has a euro too much, which pays a part of the second."""

    @pytest.fixture(autouse=True)
    def second(self, village: Settled, ledger: Ledger, conninfo: str) -> StatementClosed:
        first, bank = village.statements[0], Bank(ledger)
        bank.match(bank.book(110), of(first, 110))
        give(ledger, village.shops[:1], 40, random.Random(9))
        second = statement_of(ledger, conninfo, village.shops[0], first)
        banked = {first.statement_id: first.owed_cents + 100, second.statement_id: 0}
        got = tuple(
            Got(statement_id=name, banked_cents=cents, as_of=first.last_on)
            for name, cents in banked.items()
        )
        command = SetOffCredit(
            at=datetime.now(UTC), actor="settlement", partner_id=first.partner_id, got=got
        )
        ledger.handle(settlement, first.partner_id, command)
        catch_up(conninfo, READ_MODELS)
        return second

    def test_each_cent_of_it_is_in_one_place(self, conninfo: str) -> None:
        found = checked(conninfo)
        assert found.differences == []
        assert (found.whereabouts.credit_cents, found.whereabouts.unexplained_cents) == (0, 0)

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"cents": 10**9}, "sets off more than statement"),
            ({"cents": -1}, "sets off nothing, or a statement against itself"),
            ({"statement_id": str(UUID(int=1))}, "between statements of more than one partner"),
            ({"cents": 99}, "the read model says"),
        ],
    )
    def test_one_that_was_altered_is_found(
        self, conninfo: str, changes: dict[str, Any], said: str
    ) -> None:
        alter(conninfo, "CreditSetOff", changes)
        assert said in difference(conninfo)

    def test_one_with_the_credit_of_another_shop_is_found(
        self, village: Settled, conninfo: str
    ) -> None:
        other = {"from_statement_id": str(village.statements[1].statement_id)}
        alter(conninfo, "CreditSetOff", other)
        assert "between statements of more than one partner" in difference(conninfo)

    def test_one_that_is_taken_back_twice_is_found(self, conninfo: str) -> None:
        stream, state = stored(conninfo, "CreditSetOff")
        state["taken_back_on"] = state.pop("set_off_on")
        for version in (1_000, 1_001):
            told = json.dumps(state).encode()
            insert_raw(conninfo, "SetOffTakenBack", told, stream=stream, version=version)
        assert "takes back more than was set off" in difference(conninfo)

    def test_a_set_off_of_money_that_is_gone_is_found_a_day_later(self, conninfo: str) -> None:
        append(conninfo, "CreditSetOff", {"cents": 1})
        catch_up(conninfo, READ_MODELS)
        assert checked(conninfo).differences == []
        append(conninfo, "CreditSetOff", {"cents": 1, "recorded_at": "2020-01-01T00:00:00Z"})
        assert "needs -100 cents of credit and has -102 set off" in difference(conninfo)
