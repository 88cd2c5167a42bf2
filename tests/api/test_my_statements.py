"""A manager reads what her shop owes, pays by what she reads, and sees no other shop's."""

from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from uuid import uuid4

import httpx
import pytest

from api import settling
from api.i18n import day, money
from ledger.foundation import DEFAULT_TERMS
from ledger.references import in_groups
from ledger.settlements.events import StatementClosed
from ledger.settlements.lines import digest_of
from tests.api.people import Browser, browser_of
from tests.api.served import Served
from tests.api.settlements import (
    IBAN,
    catch_up,
    found_foundation,
    give_back,
    give_on,
    last_month,
    remit,
    today,
)
from tests.api.shops import Shop, open_shop
from tests.projections.village import following


@pytest.fixture
def founded(served: Served, conninfo: str) -> Iterator[Served]:
    found_foundation(served.context.ledger)
    with following(conninfo):
        yield served


@pytest.fixture
def manager(founded: Served, shop: Shop, conninfo: str) -> Browser:
    catch_up(conninfo)
    return browser_of(founded, "partner_manager", partner_ids=(shop.partner_id,))


@pytest.fixture
def closed(founded: Served, shop: Shop, conninfo: str) -> StatementClosed:
    give_on(founded.context.ledger, shop, last_month(), 1_234)
    catch_up(conninfo)
    (found,) = settling.close_due(founded.context)
    catch_up(conninfo)
    return found


def words(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == httpx.codes.OK, answer.text
    return " ".join(unescape(answer.text).replace("\xa0", " ").split())


def path_of(shop: Shop, number: int | None = None) -> str:
    of_one = "" if number is None else f"/{number}"
    return f"/my/shops/{shop.partner_id}/statements{of_one}"


def test_nothing_is_owed_yet(manager: Browser, shop: Shop) -> None:
    said = words(manager, path_of(shop))
    assert "No statement yet." in said
    assert "Nothing: every gift is on a statement." in said


def test_what_is_on_no_statement_yet_is_said_with_its_day(
    founded: Served, manager: Browser, shop: Shop, conninfo: str
) -> None:
    gift = give_on(founded.context.ledger, shop, today(), 500)
    give_back(founded.context.ledger, shop, gift, 100)
    catch_up(conninfo)
    end = (today().replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    closes_on = end + timedelta(days=DEFAULT_TERMS.close_after_days)
    said = words(manager, path_of(shop))
    assert "€4.00</strong> from 2 gifts and returns." in said
    assert f"The next statement is closed on {day(closes_on, 'en')}, and sent to you." in said


def test_a_statement_tells_how_to_pay_it(
    manager: Browser, shop: Shop, closed: StatementClosed
) -> None:
    listed = words(manager, path_of(shop))
    assert f'href="{path_of(shop, 1)}"' in listed
    assert f"To pay by {day(closed.due_on, 'en')}." in listed
    said = words(manager, path_of(shop, 1))
    assert "€12.34" in said
    assert in_groups(closed.reference) in said
    assert in_groups(IBAN) in said
    assert closed.lines_sha256 in said
    assert "QR code for a SEPA credit transfer" in said


def test_part_of_it_is_paid_then_all_then_too_much(
    founded: Served, manager: Browser, shop: Shop, closed: StatementClosed, conninfo: str
) -> None:
    for cents, left, told in (
        (234, "€10.00", "paid in part"),
        (1_000, "€0.00", "settled"),
        (50, "€0.50", "credit"),
    ):
        remit(founded.context.ledger, shop, closed.statement_id, cents)
        catch_up(conninfo)
        said = words(manager, path_of(shop, 1))
        assert f'<p class="figure">{left}</p>' in said
        assert told in said
        assert f"{money(-cents, 'en')}</span>" in said
    assert "How to pay" not in words(manager, path_of(shop, 1))
    assert "In your favour: €0.50" in words(manager, path_of(shop))


def test_its_papers_are_served(
    founded: Served, manager: Browser, shop: Shop, closed: StatementClosed, conninfo: str
) -> None:
    here = path_of(shop, 1)
    pdf, csv = manager.get(f"{here}/statement.pdf"), manager.get(f"{here}/lines.csv")
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.headers["cache-control"] == "no-store"
    assert pdf.content.startswith(b"%PDF-")
    assert digest_of(csv.content) == closed.lines_sha256
    assert f"bordereau-0001-{last_month()}.csv" in csv.headers["content-disposition"]
    assert manager.get(f"{here}/receipt.pdf").status_code == httpx.codes.NOT_FOUND
    remit(founded.context.ledger, shop, closed.statement_id, 100)
    catch_up(conninfo)
    assert manager.get(f"{here}/receipt.pdf").content.startswith(b"%PDF-")


def test_another_shops_statements_are_not_there(
    founded: Served, shop: Shop, closed: StatementClosed, conninfo: str
) -> None:
    other = open_shop(founded.context.ledger, 2)
    catch_up(conninfo)
    stranger = browser_of(founded, "partner_manager", partner_ids=(other.partner_id,))
    for part in ("", "/1", "/1/statement.pdf", "/1/lines.csv", "/1/receipt.pdf"):
        assert stranger.get(f"{path_of(shop)}{part}").status_code == httpx.codes.NOT_FOUND


def test_a_number_that_is_none_is_not_found(
    manager: Browser, shop: Shop, closed: StatementClosed
) -> None:
    for number in ("2", "0", "-1", "one", "99999999999999999999", str(uuid4())):
        assert manager.get(f"{path_of(shop)}/{number}").status_code == httpx.codes.NOT_FOUND
