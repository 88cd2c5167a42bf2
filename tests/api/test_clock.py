"""The clock does each duty in its time, and one that fails stops no other."""

import logging
from typing import Any, cast

import pytest
from psycopg import OperationalError

from api.clock import DUTIES, Duty, Round
from api.deps import Context
from ledger.settlements.commands import statement_reference
from tests.api.banking import banking
from tests.api.served import Served
from tests.api.shops import siret
from tests.ledger.bank.camt_files import DAY, Line, Sheet, Tx

CONTEXT = cast(Context, None)


def test_each_duty_is_done_in_its_time() -> None:
    done: list[str] = []
    duties = (
        Duty("often", 5.0, lambda _: done.append("often")),
        Duty("rarely", 60.0, lambda _: done.append("rarely")),
    )
    round_ = Round(duties)
    for now in range(0, 121, 5):
        round_.go(CONTEXT, float(now))
    assert (done.count("often"), done.count("rarely")) == (25, 3)


def failing(_: Context) -> None:
    raise ValueError("a bug of ours")


def test_a_duty_that_fails_is_told_and_the_others_are_done(
    caplog: pytest.LogCaptureFixture,
) -> None:
    done: list[str] = []
    duties = (Duty("broken", 5.0, failing), Duty("sound", 5.0, lambda _: done.append("sound")))
    with caplog.at_level(logging.ERROR, "donpositif.clock"):
        Round(duties).go(CONTEXT, 0.0)
    assert done == ["sound"]
    assert "the duty broken failed" in caplog.text


def test_a_lost_database_ends_the_round() -> None:
    def lost(_: Context) -> Any:
        raise OperationalError("gone")

    with pytest.raises(OperationalError):
        Round((Duty("any", 5.0, lost),)).go(CONTEXT, 0.0)


def test_duties_have_names_of_their_own() -> None:
    assert len({one.name for one in DUTIES}) == len(DUTIES)


def test_a_statement_closed_after_its_money_came_is_matched_without_a_button(
    served: Served, conninfo: str
) -> None:
    here = banking(served.context, conninfo)
    paid = Tx(700, reference=statement_reference(siret(1), 1))
    here.reads(Sheet([Line(700, ref="B1", txs=(paid,))]))
    assert here.open_cents() == [700]
    _, closed = here.shop_that_owes(500, DAY)
    round_ = Round(tuple(one for one in DUTIES if one.name in {"matching", "set offs"}))
    round_.go(served.context, 0.0)
    assert here.statement(closed).outstanding_cents == 0
    # No more than is asked for: what the rest is for, an officer says.
    assert here.open_cents() == [200]
