"""Somebody else's reader sees the same entries, amounts and references in our files."""

from io import BytesIO

import pytest
from pycamt.parser import Camt053Parser  # type: ignore[import-untyped]

from ledger.bank.camt import read
from ledger.bank.entries import Entry
from tests.ledger.bank.camt_files import VERSIONS, Line, Sheet, Tx, camt

RF = "RF18539007547034"
SHEET = Sheet(
    [
        Line(12_345, ref="A1", txs=(Tx(12_345, "E2E-1", RF),)),
        Line(-4_000, ref="A2", family="ICDT", txs=(Tx(-4_000, "E2E-2", name="Mairie"),)),
        Line(30_000, ref="A3", txs=(Tx(10_000, "E2E-3"), Tx(20_000, "E2E-4", free=("dix",)))),
        Line(-150, ref="A4", family="MCOP", subfamily="CHRG"),
    ]
)


@pytest.mark.parametrize("version", VERSIONS)
def test_pycamt_reads_the_same(version: str) -> None:
    content = camt(SHEET, version=version)
    theirs = Camt053Parser(content)
    transactions = theirs.get_transactions()
    entries = [one for one in read(BytesIO(content)) if isinstance(one, Entry)]
    ours = [(one, detail) for one in entries for detail in one.details or (None,)]
    assert len(transactions) == len(ours) == 5
    for told, (one, detail) in zip(transactions, ours, strict=True):
        sign = 1 if told["CreditDebitIndicator"] == "CRDT" else -1
        euros, cents = told["Amount"].split(".")
        assert sign * (int(euros) * 100 + int(cents)) == (
            one.cents if detail is None else detail.cents
        )
        assert told["TransactionID"] == one.bank_reference
        assert told["BookingDate"] == one.booked_on.isoformat()
        if detail is not None:
            assert told["EndToEndId"] == detail.end_to_end_id
            if RF in detail.references:
                assert RF in str(told)
    (info, *_) = [theirs.get_statement_info()]
    told = info[0] if isinstance(info, list) else info
    assert told["IBAN"] == SHEET.iban
