"""The papers of a statement, judged by other people's readers where there is one."""

import re
import shutil
import subprocess
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image
from stdnum import iban, iso11649

from api import settling, statement_documents, statement_lines
from api.foundation import foundation_of
from api.i18n import LANGUAGES, Language
from ledger.giving import SOURCES
from ledger.references import in_groups
from ledger.settlements.lines import digest_of
from projections import statements
from projections.statements import Statement
from tests.api.served import Served
from tests.api.settlements import (
    BIC,
    HOLDER,
    IBAN,
    catch_up,
    found_foundation,
    give_back,
    give_on,
    last_month,
    remit,
)
from tests.api.shops import Shop

STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)


@pytest.fixture
def statement(served: Served, shop: Shop, conninfo: str) -> Statement:
    """A statement of many days, sources and a gift given back, of which 100 euros came in."""
    ledger = served.context.ledger
    found_foundation(ledger)
    gifts = [
        give_on(ledger, shop, last_month() - timedelta(days=ago), 1_000 + ago, SOURCES[ago % 3])
        for ago in range(28)
    ]
    give_back(ledger, shop, gifts[-1], 40, last_month())
    catch_up(conninfo)
    settling.close_due(served.context)
    return newest(served, conninfo, shop)


def newest(served: Served, conninfo: str, shop: Shop) -> Statement:
    catch_up(conninfo)
    with served.context.pool.connection() as connection:
        return statements.of_partner(connection, shop.partner_id)[0]


def attached(document: bytes) -> Iterator[bytes]:
    """Give what every compressed stream of a PDF holds."""
    for match in STREAM.finditer(document):
        try:
            yield zlib.decompress(match[1])
        except zlib.error:
            continue


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pdf_says_what_it_conforms_to_and_carries_its_lines(
    served: Served, statement: Statement, language: Language
) -> None:
    document = statement_documents.pdf_of(served.context, statement, language)
    assert document.startswith(b"%PDF-1.7")
    assert b"<pdfaid:part>3</pdfaid:part>" in document
    assert b"<pdfaid:conformance>A</pdfaid:conformance>" in document
    assert b"<pdfuaid:part>1</pdfuaid:part>" in document
    assert f"<dc:language><rdf:Bag><rdf:li>{language}<".encode() in document
    assert [one for one in attached(document) if digest_of(one) == statement.lines_sha256]
    # The same statement prints the same, so that two copies can be told to be one.
    assert document == statement_documents.pdf_of(served.context, statement, language)


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs poppler's pdftotext")
def test_another_reader_finds_its_words_and_its_tags(
    served: Served, statement: Statement, tmp_path: Path
) -> None:
    path = tmp_path / "bordereau.pdf"
    path.write_bytes(statement_documents.pdf_of(served.context, statement, "fr"))
    text = poppler("pdftotext", "-layout", str(path), "-")
    said = " ".join(text.split())
    assert "Bordereau nº 1" in said
    assert in_groups(statement.reference) in said
    assert statement.lines_sha256 in said
    assert "283,38" in said  # What the eye adds up: 28 gifts from 10.00 to 10.27, less 0.40.
    told = poppler("pdfinfo", str(path))
    assert re.search(r"Tagged:\s+yes", told)
    assert re.search(r"Title:\s+Bordereau nº 1 – Boulangerie 1", told)
    poppler("pdfdetach", "-saveall", "-o", str(tmp_path), str(path))
    (csv,) = tmp_path.glob("*.csv")
    assert digest_of(csv.read_bytes()) == statement.lines_sha256
    assert csv.name == statement_documents.file_name(statement, "csv")


@pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="needs poppler's pdftoppm")
def test_a_phone_reads_the_transfer_from_the_printed_page(
    served: Served, statement: Statement, tmp_path: Path
) -> None:
    path = tmp_path / "bordereau.pdf"
    path.write_bytes(statement_documents.pdf_of(served.context, statement, "fr"))
    poppler("pdftoppm", "-r", "150", "-png", "-f", "1", "-l", "1", str(path), str(tmp_path / "p"))
    (page,) = tmp_path.glob("p*.png")
    (code,) = zxingcpp.read_barcodes(Image.open(page))
    assert code.text == asked(statement)


def poppler(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def asked(one: Statement) -> str:
    cents = one.outstanding_cents
    amount = f"EUR{cents // 100}.{cents % 100:02d}"
    lines = ["BCD", "002", "1", "SCT", BIC, HOLDER, IBAN, amount, "", one.reference]
    return "\n".join(lines)


def test_the_code_is_a_transfer_of_what_is_left(
    served: Served, shop: Shop, statement: Statement, conninfo: str
) -> None:
    own = foundation_of(served.context)
    remit(served.context.ledger, shop, statement.statement_id, 10_000)
    left = newest(served, conninfo, shop)
    assert left.outstanding_cents == statement.owed_cents - 10_000
    payment = statement_documents.payment_of(own, left)
    assert payment is not None
    code = statement_documents.code_of(payment)
    assert code.error == "M"
    assert isinstance(code.version, int)
    assert code.version <= 13
    drawn = BytesIO()
    code.save(drawn, kind="png", scale=4, border=4)
    (read,) = zxingcpp.read_barcodes(Image.open(drawn))
    assert read.text == payment.text == asked(left)
    assert (read.format.name, read.ec_level) == ("QRCode", "M")
    assert iban.is_valid(payment.iban)
    assert iso11649.is_valid(payment.reference)


def test_what_is_paid_has_no_code(
    served: Served, shop: Shop, statement: Statement, conninfo: str
) -> None:
    remit(served.context.ledger, shop, statement.statement_id, statement.owed_cents)
    paid = newest(served, conninfo, shop)
    assert statement_documents.payment_of(foundation_of(served.context), paid) is None
    document = statement_documents.pdf_of(served.context, paid, "en")
    assert b"<pdfaid:part>3</pdfaid:part>" in document


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_receipt_is_of_what_came_in(
    served: Served, shop: Shop, statement: Statement, conninfo: str, language: Language
) -> None:
    remit(served.context.ledger, shop, statement.statement_id, 10_000)
    paid = newest(served, conninfo, shop)
    document = statement_documents.receipt_of(served.context, paid, language)
    assert b"<pdfaid:part>3</pdfaid:part>" in document
    assert b"<pdfuaid:part>1</pdfuaid:part>" in document


def test_papers_of_before_the_foundation_was_named_name_the_holder(
    served: Served, statement: Statement, monkeypatch: pytest.MonkeyPatch
) -> None:
    unnamed = replace(foundation_of(served.context), name=None, siret=None)
    monkeypatch.setattr(statement_documents, "foundation_of", lambda _: unnamed)
    for printed in (statement_documents.pdf_of, statement_documents.receipt_of):
        assert printed(served.context, statement, "fr").startswith(b"%PDF-")


def test_lines_that_were_altered_are_not_printed(
    served: Served, shop: Shop, statement: Statement, conninfo: str
) -> None:
    with served.context.pool.connection() as connection:
        connection.execute(
            "UPDATE ledger_events SET state = convert_to(replace(convert_from(state, 'UTF8'),"
            " '\"amount_cents\":1000', '\"amount_cents\":1'), 'UTF8')"
            " WHERE topic = 'DonationRecorded'"
        )
    with pytest.raises(statement_lines.LinesDiffer):
        statement_documents.pdf_of(served.context, statement, "fr")
