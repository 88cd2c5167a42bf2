"""A customer reads on her ticket how far her gift has come: promised, owed, banked."""

from html import unescape
from uuid import UUID

import httpx

from api import settling, write_offs
from api.gift_trail import trail_of
from ledger.foundation import FOUNDATION_ID
from projections import statements
from tests.api.served import Served
from tests.api.settlements import (
    ANNE,
    BRUNO,
    catch_up,
    found_foundation,
    give_on,
    last_month,
    remit,
)
from tests.api.shops import Shop
from tests.projections.village import following


def ticket(served: Served, donation_id: UUID) -> str:
    code = served.context.tickets.code(donation_id)
    answer = served.client.get(f"/g/{code}", headers={"Accept-Language": "en"})
    assert answer.status_code == httpx.codes.OK, answer.text
    return " ".join(unescape(answer.text).split())


def test_each_moment_is_told_once_it_is_reached(served: Served, shop: Shop, conninfo: str) -> None:
    found_foundation(served.context.ledger)
    gift = give_on(served.context.ledger, shop, last_month(), 500)
    catch_up(conninfo)
    said = ticket(served, gift)
    assert "<strong>Promised</strong> at the till" in said
    assert "once the shop’s next statement is closed" in said
    (closed,) = settling.close_due(served.context)
    catch_up(conninfo)
    said = ticket(served, gift)
    assert "<strong>Owed</strong> by the shop, on its statement of" in said
    assert "not yet: the shop pays by" in said
    remit(served.context.ledger, shop, closed.statement_id, 500)
    catch_up(conninfo)
    assert "<strong>Banked</strong> by the foundation since" in ticket(served, gift)


def test_what_was_written_off_never_came(served: Served, shop: Shop, conninfo: str) -> None:
    found_foundation(served.context.ledger)
    gift = give_on(served.context.ledger, shop, last_month(), 500)
    with following(conninfo):
        catch_up(conninfo)
        (closed,) = settling.close_due(served.context)
        statement_id, write_off_id = closed.statement_id, UUID(int=5)
        told = {"cents": 500, "reason": "insolvency"}
        write_offs.propose(served.context, ANNE, statement_id, write_off_id, **told)  # type: ignore[arg-type]
        write_offs.approve(served.context, BRUNO, statement_id, write_off_id, 500)
        catch_up(conninfo)
        assert "the foundation gave up what the shop could not pay" in ticket(served, gift)
        with served.context.pool.connection() as connection:
            assert statements.outstanding(connection) == []


def test_a_gift_by_card_has_another_way(served: Served, shop: Shop, conninfo: str) -> None:
    online = Shop(FOUNDATION_ID, shop.till_id, shop.key)
    gift = give_on(served.context.ledger, online, last_month(), 500)
    catch_up(conninfo)
    assert trail_of(served.context, gift) is None
