"""The bank in the office: a file taken in, an open item matched by hand and undone, the days."""

from datetime import UTC, datetime
from pathlib import Path

from api.demo_settlements import IBAN
from ledger.calendar import civil_day
from tests.browser.conftest import Visitor, Visitors
from tests.browser.test_recognition import looks, sends, signs_in
from tests.ledger.bank.camt_files import Line, Sheet, Tx, camt


def takes_in(officer: Visitor, path: Path) -> None:
    officer.goes("/office/bank")
    officer.page.locator("#file").set_input_files(path)
    sends(officer, "/files")


def test_money_is_taken_in_matched_by_hand_and_undone(visitors: Visitors, tmp_path: Path) -> None:
    today = civil_day(datetime.now(UTC))
    line = Line(12_345, today, ref="BROWSER", txs=(Tx(12_345, name="Mme Martin-Delacroix"),))
    good, wrong = tmp_path / "releve.xml", tmp_path / "wrong.xml"
    good.write_bytes(camt(Sheet([line], first=today, last=today, iban=IBAN)))
    wrong.write_bytes(b"<html/>")
    officer = signs_in(visitors, "officer", name="Odile Trésorière")
    officer.goes("/office")
    officer.page.locator("a[href='/office/bank']").click()
    looks(officer)
    takes_in(officer, wrong)
    officer.page.locator("#problem").wait_for()
    looks(officer)
    takes_in(officer, good)
    officer.sees("1 nouvelle écriture")
    looks(officer)
    officer.page.locator("a.row-name", has_text="Mme Martin-Delacroix").click()
    officer.page.locator("h1").wait_for()
    looks(officer)
    officer.page.locator("#target").select_option("other")
    officer.page.locator("#amount").fill("23,45")
    sends(officer, "/match")
    officer.sees("C’est enregistré")
    looks(officer)
    officer.page.locator("details.fold summary").first.click()
    looks(officer)
    sends(officer, "/undo")
    officer.sees("C’est annulé")
    for path in ("/office/bank/files", "/office/bank/days", "/office/bank"):
        officer.goes(path)
        looks(officer)
    # Taken in once more, it books nothing: without script too.
    takes_in(officer, good)
    officer.sees("0 nouvelle écriture")
