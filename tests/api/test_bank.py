"""The bank in the office: who takes files in, what a page says of them, how a match is made."""

import re
from datetime import date, timedelta
from uuid import uuid4

import httpx
import pytest

from api import remittances
from api.sessions import csrf_of
from ledger.payments.commands import ObservePayout
from ledger.payments.observed import ObservedPayout
from ledger.payments.payouts import payout
from projections.every import READ_MODELS
from projections.follow import catch_up
from tests.api.banking import OFFICER, Banking, banking
from tests.api.people import Browser, browser_of
from tests.api.served import Served
from tests.api.settlements import remit
from tests.ledger.bank.camt_files import DAY, OTHER_IBAN, Line, Sheet, Tx, camt
from tests.projections.money import who

OK, SEEN, FORBIDDEN, NOT_FOUND, REFUSED = 200, 303, 403, 404, 422
EARLIER = DAY - timedelta(days=40)


@pytest.fixture
def here(served: Served, conninfo: str) -> Banking:
    return banking(served.context, conninfo)


@pytest.fixture
def officer(served: Served, here: Banking) -> Browser:
    return browser_of(served, "officer")


def sends(browser: Browser, content: bytes) -> httpx.Response:
    """Send a file as the page's form does."""
    token = browser.token
    assert token is not None
    return browser.served.client.post(
        "/office/bank/files",
        data={"csrf": csrf_of(token)},
        files={"file": ("releve.xml", content, "application/xml")},
        headers=browser.headers,
    )


def test_a_file_is_taken_in_and_the_page_says_what_came_of_it(
    here: Banking, officer: Browser
) -> None:
    _, owed = here.shop_that_owes(5_000, EARLIER)
    paid, else_ = Tx(5_000, reference=owed.reference), Tx(700, name="Mme <Martin>")
    answer = sends(officer, camt(Sheet([Line(5_000, txs=(paid,)), Line(700, txs=(else_,))])))
    assert answer.status_code == SEEN, answer.text
    assert answer.headers["location"] == "/office/bank?done=imported&new=2&matched=1"
    page = officer.get(answer.headers["location"]).text
    assert "2 new entries were booked." in page
    assert "1 transaction was matched by itself." in page
    assert "Mme &lt;Martin&gt;" in page
    assert "€7.00" in page
    assert "The ledger and the bank say the same" in page


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "Choose a file first."),
        (b"<html/>", "Only account statements of the format camt.053"),
        (camt(Sheet([Line(1)]))[:-9], "it is damaged"),
        (camt(Sheet([Line(1)], currency="USD")), "another currency than the euro"),
        (camt(Sheet([Line(1)], iban=OTHER_IBAN)), "two people have not approved"),
        (camt(Sheet()).replace(b"<Document", b"<!DOCTYPE a><Document", 1), "may be an attack"),
        (camt(Sheet([Line(1)], codes=("OPAV", "CLAV"))), "lacks its opening or its closing"),
        (camt(Sheet([Line(1)], closing=5)), "do not lead from its opening to its closing balance"),
        (camt(Sheet([Line(1, date(2062, 11, 23))])), "tells of days that have not come yet"),
    ],
    ids=["none", "html", "cut", "currency", "account", "doctype", "balances", "sums", "ahead"],
)
def test_a_file_that_is_refused_says_why(
    here: Banking, officer: Browser, content: bytes, words: str
) -> None:
    answer = sends(officer, content)
    assert answer.status_code == REFUSED
    assert words in answer.text
    assert here.differences() == []


def test_a_form_without_a_file_says_so(officer: Browser) -> None:
    answer = officer.post("/office/bank/files")
    assert (answer.status_code, "Choose a file first." in answer.text) == (REFUSED, True)


def test_others_read_and_take_nothing_in(served: Served, here: Banking) -> None:
    here.reads(Sheet([Line(700)]))
    (one,) = here.open_items()
    for role in ("committee", "auditor"):
        reader = browser_of(served, role)
        assert sends(reader, camt(Sheet([Line(1)]))).status_code == FORBIDDEN
        page = reader.get("/office/bank").text
        assert "€7.00" in page
        assert "<form" not in page.partition("<main")[2]
        detail = reader.get(f"/office/bank/transactions/{one.transaction_id}").text
        assert "<form" not in detail.partition("<main")[2]


def test_a_proposal_is_confirmed_from_the_list(here: Banking, officer: Browser) -> None:
    shop, first = here.shop_that_owes(1_000, EARLIER)
    here.reads(Sheet([Line(1_000, txs=(Tx(1_000, reference=first.reference),))]))
    owed = here.owes_again(shop, first, 2_000, EARLIER + timedelta(days=1))
    here.reads(Sheet([Line(1_000), Line(2_000, txs=(Tx(2_000),))]))
    page = officer.get("/office/bank").text
    assert "by its amount and the payer’s account" in page
    action, key = re.findall(r'action="([^"]*/confirmation)">.*?name="key" value="(\w+)"', page)[0]
    answer = officer.post(action, {"key": key})
    assert answer.headers["location"].endswith("?done=matched")
    assert here.statement(owed).outstanding_cents == 0
    again = officer.post(action, {"key": key})
    assert again.status_code == httpx.codes.CONFLICT
    assert "This is not proposed any more" in again.text


def test_by_hand_and_undone(here: Banking, officer: Browser) -> None:
    _, owed = here.shop_that_owes(5_000, EARLIER)
    here.reads(Sheet([Line(6_000)]))
    (one,) = here.open_items()
    path = f"/office/bank/transactions/{one.transaction_id}"
    page = officer.get(path).text
    assert f'value="statement:{owed.statement_id}"' in page
    said = {"key": "k1", "target": f"statement:{owed.statement_id}", "amount": "50,00"}
    assert officer.post(f"{path}/match", said).headers["location"].endswith("?done=matched")
    # The form sent twice counts once.
    assert officer.post(f"{path}/match", said).headers["location"].endswith("?done=matched")
    assert here.open_cents() == [1_000]
    over = officer.post(f"{path}/match", {"key": "k2", "target": "other", "amount": "10,01"})
    assert over.status_code == httpx.codes.CONFLICT
    assert "No more can be matched than is left" in over.text
    assert 'value="10,01"' in over.text
    nobodys = officer.post(f"{path}/match", {"key": "k4", "reference": "RF\0"})
    assert (nobodys.status_code, "a reference that is known" in nobodys.text) == (REFUSED, True)
    wrong = officer.post(f"{path}/match", {"key": "k3", "target": "other", "amount": "dix"})
    assert (wrong.status_code, "Type the amount in euros" in wrong.text) == (REFUSED, True)
    undo = re.findall(r'action="([^"]*/undo)"', officer.get(path).text)[0]
    assert officer.post(undo, {"reason": ""}).status_code == REFUSED
    assert officer.post(undo, {"reason": "mistake"}).headers["location"].endswith("?done=undone")
    assert here.open_cents() == [6_000]
    assert "Undone on" in officer.get(path).text


def test_a_cheque_that_the_bank_returns_is_chosen_by_its_name(
    here: Banking, officer: Browser
) -> None:
    shop, owed = here.shop_that_owes(5_000, EARLIER)
    cheque = remit(here.context.ledger, shop, owed.statement_id, 5_000, on=DAY)
    here.reads(Sheet([Line(5_000, family="RCHQ"), Line(-5_000, family="RCHQ", subfamily="UPCQ")]))
    word = f"remittance:{cheque}"
    # What went out can only be for what came in before.
    for one in sorted(here.open_items(), key=lambda one: -one.cents):
        path = f"/office/bank/transactions/{one.transaction_id}"
        assert f'<option value="{word}">' in officer.get(path).text
        form = {"key": "1", "target": word, "reference": "", "amount": ""}
        assert officer.post(f"{path}/match", form).status_code == SEEN
        assert f'<option value="{word}">' not in officer.get(path).text
    remittances.give_back(here.context, OFFICER, cheque, DAY)
    assert here.statement(owed).outstanding_cents == 5_000
    assert here.open_cents() == []


def test_a_payout_that_failed_after_it_came_is_chosen_for_what_goes_back(
    here: Banking, officer: Browser
) -> None:
    payout_id = uuid4()
    seen = ObservedPayout(
        payout_id=payout_id,
        stripe_id="po_1",
        status="paid",
        cents=900,
        arrival_on=DAY,
        by_hand=True,
        livemode=False,
    )
    ledger = here.context.ledger
    ledger.handle(payout, payout_id, ObservePayout(seen=seen, **who("cards")))
    here.reads(Sheet([Line(900, ref="A"), Line(-900, ref="B")]))
    out, came = sorted(here.open_items(), key=lambda one: one.cents)
    word = f"payout:{payout_id}"
    pages = [f"/office/bank/transactions/{one.transaction_id}" for one in (came, out)]
    assert f'<option value="{word}">' not in officer.get(pages[1]).text
    form = {"key": "1", "target": word, "reference": "", "amount": ""}
    assert officer.post(f"{pages[0]}/match", form).status_code == SEEN
    failed = seen.model_copy(update={"status": "failed"})
    ledger.handle(payout, payout_id, ObservePayout(seen=failed, **who("cards")))
    here.caught_up()
    assert f'<option value="{word}">' in officer.get(pages[1]).text
    assert officer.post(f"{pages[1]}/match", form).status_code == SEEN
    assert here.open_cents() == []


def test_what_is_not_there_is_not_found(officer: Browser) -> None:
    path = "/office/bank/transactions/00000000-0000-4000-8000-000000000001"
    assert officer.get(path).status_code == NOT_FOUND
    assert officer.post(f"{path}/match", {"target": "other"}).status_code == NOT_FOUND
    assert officer.post(f"{path}/confirmation", {"key": "x"}).status_code == NOT_FOUND


def test_what_became_certain_is_matched_again(here: Banking, officer: Browser) -> None:
    shop, first = here.shop_that_owes(1_000, EARLIER)
    second_reference = first.reference
    here.reads(Sheet([Line(1_500, txs=(Tx(1_500, reference=second_reference),))]))
    assert here.open_cents() == [500]
    answer = officer.post("/office/bank/matching")
    assert answer.headers["location"] == "/office/bank?done=matched&matched=0"
    assert shop.partner_id == first.partner_id


def test_the_days_and_the_files_tell_what_differs(here: Banking, officer: Browser) -> None:
    tuesday, thursday = DAY + timedelta(days=1), DAY + timedelta(days=3)
    here.reads(Sheet([Line(700)]))
    here.reads(Sheet([Line(50, thursday)], opening=100_900, first=thursday, last=thursday))
    files = officer.get("/office/bank/files").text
    assert "No file tells of" in files
    assert f"{tuesday.day} November 2026 to {(DAY + timedelta(days=2)).day}" in files
    assert "€2.00 apart" in files
    days = officer.get("/office/bank/days?month=2026-11").text
    assert "€1,007.00" in days
    assert "€2.00 apart" in days
    assert "€2.00 apart" in officer.get("/office/bank").text
    for month in ("2026-13", "x", "1800-01", "2027-01"):
        assert officer.get(f"/office/bank/days?month={month}").status_code == OK


def test_many_open_items_come_in_pages(here: Banking, officer: Browser) -> None:
    here.reads(Sheet([Line(100 + number, ref=f"R{number}") for number in range(60)]))
    page = officer.get("/office/bank").text
    assert page.count("row-name") == 50
    (older,) = re.findall(r'href="(/office/bank\?after=[^"]*)"', page)
    assert officer.get(older).text.count("row-name") == 10
    for after in ("x", "2026-11-23_x", "_"):
        assert officer.get(f"/office/bank?after={after}").text.count("row-name") == 50


def test_the_office_says_so_before_there_is_an_account(served: Served, conninfo: str) -> None:
    newcomer = browser_of(served, "officer")
    catch_up(conninfo, READ_MODELS)
    page = newcomer.get("/office/bank").text
    assert "before two people have named the foundation’s account" in page
    answer = sends(newcomer, camt(Sheet([Line(1)])))
    assert answer.status_code == REFUSED
