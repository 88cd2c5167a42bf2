from datetime import date
from io import BytesIO

import pytest

from ledger.bank.camt import Read, format_of, read
from ledger.bank.entries import (
    BankBalanceMissing,
    BankFileMalformed,
    BankSchemaBroken,
    BankVersionUnknown,
    Entry,
    ForeignCurrency,
    Passed,
    Statement,
)
from tests.ledger.bank.camt_files import (
    ALL_VERSIONS,
    DAY,
    IBAN,
    OTHER_IBAN,
    PAYER,
    Line,
    Sheet,
    Tx,
    camt,
    schema,
)

RF = "RF18539007547034"


def reads(content: bytes, version: str | None = None) -> list[Read]:
    known = None if version is None else BytesIO(schema(version))
    return list(read(BytesIO(content), known))


def entries(content: bytes) -> list[Entry]:
    return [one for one in reads(content) if isinstance(one, Entry)]


def entry(line: Line, version: str = "08") -> Entry:
    (one,) = entries(camt(Sheet([line]), version=version))
    return one


EVERYTHING = Sheet(
    [
        Line(12_345, ref="A1", txs=(Tx(12_345, "E2E-1", RF, free=("merci",)),)),
        Line(-150, ref="A2", family="MCOP", subfamily="CHRG", text="Frais de tenue"),
        Line(30_000, ref="A3", txs=(Tx(10_000, "E2E-2"), Tx(20_000, "E2E-3", iban=OTHER_IBAN))),
        Line(9_850, ref="A4", charge=150, txs=(Tx(10_000, "E2E-4"),)),
        Line(-12_345, ref="A5", txs=(Tx(-12_345, "E2E-1", return_reason="AC04"),), reversal=True),
        Line(777, ref="A6", status="PDNG"),
    ],
    sequence=231,
)


@pytest.mark.parametrize("version", ALL_VERSIONS)
def test_every_version_is_valid_by_its_schema_and_reads_the_same(version: str) -> None:
    content = camt(EVERYTHING, version=version)
    found = reads(content, version)
    assert format_of(BytesIO(content)) == f"camt.053.001.{version}"
    as_08 = reads(camt(EVERYTHING))
    assert found[1:] == as_08[1:]
    assert found[0] == Statement(
        number=0,
        format=f"camt.053.001.{version}",
        iban=IBAN,
        sequence=231,
        opening_on=DAY,
        opening_cents=100_000,
        closing_on=DAY,
        closing_cents=EVERYTHING.closing_cents,
    )


def test_an_entry_is_read_with_all_that_tells_what_it_is_for() -> None:
    one = entry(Line(12_345, ref="A1", txs=(Tx(12_345, "E2E-1", RF, free=("pour", "octobre")),)))
    (detail,) = one.details
    assert (one.cents, one.booked_on, one.value_on, one.kind) == (12_345, DAY, DAY, "transfer")
    assert one.bank_reference == "A1"
    assert (detail.cents, detail.end_to_end_id) == (12_345, "E2E-1")
    assert (detail.name, detail.iban) == ("Boulangerie & Fils", PAYER)
    assert detail.references == (RF,)
    assert detail.text == f"pour octobre {RF}"


@pytest.mark.parametrize("absent", ["NOTPROVIDED", "notprovided", "NONREF"])
def test_an_id_that_says_that_there_is_none_is_none(absent: str) -> None:
    assert entry(Line(100, txs=(Tx(100, absent),))).details[0].end_to_end_id is None


@pytest.mark.parametrize(
    ("family", "subfamily", "kind"),
    [
        ("RCDT", "ESCT", "transfer"),
        ("RDDT", "ESDD", "direct_debit"),
        ("MCRD", "POSP", "card"),
        ("RCHQ", "CCHQ", "cheque"),
        ("MCOP", "CHRG", "charge"),
        ("MCOP", "INTR", "interest"),
        ("ICDT", "RRTN", "return"),
        ("CNTR", "CDPT", "other"),
    ],
)
def test_the_banks_codes_tell_the_kind(family: str, subfamily: str, kind: str) -> None:
    assert entry(Line(100, family=family, subfamily=subfamily)).kind == kind


def test_a_return_is_one_whatever_its_code_says_and_names_who_it_came_from() -> None:
    one = entry(Line(-500, txs=(Tx(-500, "E2E-9", return_reason="AC04"),)))
    (detail,) = one.details
    assert (detail.kind, detail.return_reason, detail.iban) == ("return", "AC04", PAYER)
    assert entry(Line(-500, reversal=True)).kind == "return"


def test_why_money_came_back_is_a_code_and_words_are_the_payers() -> None:
    told = {"AC04": "AC04", "ac04": None, "MR X": None, "TOOLONG": None}
    for code, kept in told.items():
        one = entry(Line(-500, txs=(Tx(-500, return_reason=code),)))
        assert one.details[0].return_reason == kept
    one = entry(Line(-500, txs=(Tx(-500, free=("don",), return_words="Jeanne Martin décédée"),)))
    detail = one.details[0]
    assert (detail.kind, detail.return_reason) == ("return", None)
    assert detail.text == "don Jeanne Martin décédée"


def test_what_is_not_booked_or_moves_nothing_is_passed_over() -> None:
    sheet = Sheet([Line(100, status="PDNG"), Line(100, status="INFO"), Line(0), Line(5)])
    found = reads(camt(sheet))
    assert [type(one) for one in found] == [Statement, Passed, Passed, Passed, Entry]


def test_a_statement_without_entries_has_a_head() -> None:
    assert [type(one) for one in reads(camt(Sheet(), Sheet()))] == [Statement, Statement]


def test_balances_below_zero_are_negative() -> None:
    (head, *_) = reads(camt(Sheet([Line(-500)], opening=100)))
    assert isinstance(head, Statement)
    assert (head.opening_cents, head.closing_cents) == (100, -400)


@pytest.mark.parametrize("codes", [("PRCD", "CLBD"), ("OPBD", "ITBD"), ("ITBD", "ITBD")])
def test_pages_and_previous_closings_are_balances_too(codes: tuple[str, str]) -> None:
    (head, *_) = reads(camt(Sheet([Line(500)], codes=codes)))
    assert isinstance(head, Statement)
    assert (head.opening_cents, head.closing_cents) == (100_000, 100_500)


@pytest.mark.parametrize("codes", [("OPAV", "CLBD"), ("OPBD", "CLAV"), ("FWAV", "CLAV")])
def test_a_balance_that_is_missing_is_named(codes: tuple[str, str]) -> None:
    with pytest.raises(BankBalanceMissing):
        reads(camt(Sheet([Line(500)], codes=codes)))


def test_without_a_period_the_opening_balance_says_where_it_begins() -> None:
    sheet = Sheet(period=False, first=date(2026, 11, 1), last=date(2026, 11, 30))
    (head,) = reads(camt(sheet))
    assert isinstance(head, Statement)
    assert (head.opening_on, head.closing_on) == (date(2026, 11, 1), date(2026, 11, 30))


@pytest.mark.parametrize(
    "sheet",
    [Sheet(currency="USD"), Sheet([Line(500, currency="CHF")])],
    ids=["account", "entry"],
)
def test_another_currency_is_refused_by_its_name(sheet: Sheet) -> None:
    with pytest.raises(ForeignCurrency) as refused:
        reads(camt(sheet))
    assert refused.value.fields["currency"] in {"USD", "CHF"}


def test_a_transaction_instructed_in_another_currency_is_in_euros_all_the_same() -> None:
    content = camt(Sheet([Line(9_500, txs=(Tx(9_500, instructed=10_000),))]))
    content = content.replace(b'<InstdAmt><Amt Ccy="EUR">', b'<InstdAmt><Amt Ccy="USD">')
    (one,) = entries(content)
    assert (one.details[0].cents, one.details[0].instructed_cents) == (9_500, None)


@pytest.mark.parametrize(
    ("found", "instead", "refusal"),
    [
        (b">5.00<", b">5.001<", BankFileMalformed),
        (b">5.00<", b">-5.00<", BankFileMalformed),
        (b">5.00<", b">5,00<", BankFileMalformed),
        (b">5.00<", b">.<", BankFileMalformed),
        (b">5.00<", b">99999999999999.00<", BankFileMalformed),
        (b">5.00<", ">٥.00<".encode(), BankFileMalformed),
        (b"<Ntry><Amt", b"<Ntry><Betrag", BankFileMalformed),
        (b">CRDT<", b">BOTH<", BankFileMalformed),
        (b"<Dt>2026-11-23</Dt>", b"<Dt>2026-13-23</Dt>", BankFileMalformed),
        (b"<Dt>2026-11-23</Dt>", b"<Dt>0001-01-01</Dt>", BankFileMalformed),
        (IBAN.encode(), b"", BankFileMalformed),
        (b"camt.053.001.08", b"camt.053.001.99", BankVersionUnknown),
        (b"camt.053.001.08", b"camt.052.001.08", BankVersionUnknown),
        (b"</Document>", b"", BankFileMalformed),
    ],
)
def test_what_is_malformed_is_refused_by_name(
    found: bytes, instead: bytes, refusal: type[Exception]
) -> None:
    content = camt(Sheet([Line(500)]))
    assert found in content
    spoilt = content.replace(found, instead)
    if found.startswith(b"<Ntry>"):
        spoilt = spoilt.replace(b"5.00</Amt>", b"5.00</Betrag>")
    with pytest.raises(refusal):
        reads(spoilt)


@pytest.mark.parametrize("decimals", [b"5", b"5.", b"5.0", b"5.000", b"+5.00"])
def test_decimals_may_be_written_as_xml_allows(decimals: bytes) -> None:
    content = camt(Sheet([Line(500)])).replace(b">5.00<", b">%b<" % decimals)
    assert [one.cents for one in entries(content)] == [500]


def test_a_day_may_be_a_moment_on_the_banks_clock() -> None:
    moment = b"<BookgDt><DtTm>2026-11-23T23:59:59+01:00</DtTm></BookgDt>"
    content = camt(Sheet([Line(500)])).replace(b"<BookgDt><Dt>2026-11-23</Dt></BookgDt>", moment)
    assert [one.booked_on for one in entries(content)] == [DAY]


def test_what_the_schema_does_not_know_is_refused_where_there_is_a_schema() -> None:
    content = camt(Sheet([Line(500)])).replace(b"<Ntry>", b"<Ntry><Gift/>")
    assert len(reads(content)) == 2
    with pytest.raises(BankSchemaBroken):
        reads(content, "08")


def test_balances_after_the_entries_are_refused() -> None:
    late = Sheet([Line(500)], extra=LATE)
    with pytest.raises(BankFileMalformed):
        reads(camt(late))


LATE = (
    "<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp>"
    '<Amt Ccy="EUR">1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-23</Dt></Dt></Bal>'
)
