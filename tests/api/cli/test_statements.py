"""Statements on the command line: what is due is closed, or one of a partner by hand."""

from uuid import UUID

from api.admin import enrol_till
from ledger.store import open_ledger
from tests.api.cli.outcomes import Run, add_partner, assert_refused
from tests.api.settlements import found_foundation, give_on, last_month, today
from tests.api.shops import Shop


def gifts(run: Run, conninfo: str) -> str:
    """Record a gift of last month and one of today, and let the foundation name its account."""
    partner_id = add_partner(run)
    with open_ledger(conninfo) as ledger:
        enrolled = enrol_till(ledger, "test", UUID(partner_id), "Caisse 1")
        shop = Shop(UUID(partner_id), enrolled.till_id, enrolled.key)
        give_on(ledger, shop, last_month(), 1_234)
        give_on(ledger, shop, today(), 40)
        found_foundation(ledger)
    return partner_id


def test_what_is_due_is_closed_once(run: Run, conninfo: str) -> None:
    partner_id = gifts(run, conninfo)
    (closed,) = run("statement", "close", "--json").facts["closed"]
    assert (closed["partner_id"], closed["owed_cents"]) == (partner_id, 1_234)
    assert run("statement", "close", "--json").facts == {"closed": []}
    assert "nothing is due" in run("statement", "close").out
    listed = run("statement", "list", "--json").facts
    (one,) = listed["statements"]
    assert (one["statement_id"], one["outstanding_cents"]) == (closed["statement_id"], 1_234)
    assert listed["open"] == [{"partner_id": partner_id, "lines": 1, "cents": 40}]
    told = run("statement", "list", "--partner", partner_id).out
    assert "12.34 €" in told
    assert "on no statement yet: 0.40 €" in told


def test_one_is_closed_by_hand(run: Run, conninfo: str) -> None:
    partner_id = gifts(run, conninfo)
    (closed,) = run("statement", "close", "--partner", partner_id, "--json").facts["closed"]
    assert closed["owed_cents"] == 1_274
    assert_refused(run("statement", "close", "--partner", partner_id), "statement_empty")


def test_an_account_comes_first(run: Run) -> None:
    partner_id = add_partner(run)
    assert_refused(run("statement", "close", "--partner", partner_id), "account_not_named")
    assert run("statement", "close", "--json").facts == {"closed": []}
