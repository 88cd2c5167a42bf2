"""Files made to do harm: refused by name, at once, with nothing fetched and nothing expanded."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from pathlib import Path
from resource import RUSAGE_SELF, getrusage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.bank import camt as reader
from ledger.bank.camt import format_of, read
from ledger.bank.entries import (
    BankFileMalformed,
    BankFileTooLarge,
    BankFileUnsafe,
    BankVersionUnknown,
)
from ledger.decider import Refused
from tests.ledger.bank.camt_files import Line, Sheet, Tx, camt, schema

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
WHOLE = camt(Sheet([Line(500, ref="A", txs=(Tx(500, "E", free=("&amp;",)),)), Line(-20)]))
BOMB = '<!ENTITY a0 "haha">' + "".join(
    f'<!ENTITY a{level} "{f"&a{level - 1};" * 10}">' for level in range(1, 12)
)


def with_doctype(doctype: str, inside: str = "", attribute: str = "") -> bytes:
    document = f'<Document xmlns="{NAMESPACE}"{attribute}>{inside}</Document>'
    return f'<?xml version="1.0"?>{doctype}{document}'.encode()


@pytest.mark.parametrize(
    "content",
    [
        with_doctype("<!DOCTYPE Document>"),
        with_doctype(f"<!DOCTYPE d [{BOMB}]>", "&a11;"),
        with_doctype('<!DOCTYPE d [<!ATTLIST Document note CDATA "x">]>'),
        with_doctype(f"<!DOCTYPE d [{BOMB}]>", "&a11;").decode().encode("utf-16"),
        WHOLE.replace(b"<Document", b"<!DOCTYPE Document><Document", 1),
    ],
    ids=["bare", "laughs", "default", "utf-16", "otherwise whole"],
)
def test_a_document_type_is_refused(content: bytes) -> None:
    for act in (format_of, lambda file: list(read(file))):
        with pytest.raises(BankFileUnsafe):
            act(BytesIO(content))


def test_entities_in_an_attribute_are_not_expanded() -> None:
    before = getrusage(RUSAGE_SELF).ru_maxrss
    with pytest.raises((BankFileMalformed, BankFileUnsafe)):
        list(read(BytesIO(with_doctype(f"<!DOCTYPE d [{BOMB}]>", attribute=' note="&a11;"'))))
    assert getrusage(RUSAGE_SELF).ru_maxrss - before < 50_000


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """The address of a server, and the paths that somebody asked it for."""
    paths: list[str] = []

    class Listening(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Listening)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", paths
    server.shutdown()
    server.server_close()
    thread.join()


def test_nothing_is_fetched_from_elsewhere(asked: tuple[str, list[str]], tmp_path: Path) -> None:
    address, paths = asked
    secret = tmp_path / "secret"
    secret.write_text("the vault's key")
    for content in (
        with_doctype(f'<!DOCTYPE Document SYSTEM "{address}/dtd">'),
        with_doctype(f'<!DOCTYPE d [<!ENTITY x SYSTEM "{address}/entity">]>', "&x;"),
        with_doctype(f'<!DOCTYPE d [<!ENTITY % x SYSTEM "{address}/parameter"> %x;]>'),
        with_doctype(f'<!DOCTYPE d [<!ENTITY x SYSTEM "file://{secret}">]>', "&x;"),
    ):
        with pytest.raises(BankFileUnsafe) as refused:
            list(read(BytesIO(content)))
        assert "vault" not in str(refused.value)
    instance = "http://www.w3.org/2001/XMLSchema-instance"
    schema_elsewhere = f' xmlns:i="{instance}" i:schemaLocation="{NAMESPACE} {address}/xsd"'
    include = f'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="{address}/include"/>'
    whole = WHOLE.replace(b"<BkToCstmrStmt>", f"<BkToCstmrStmt>{include}".encode(), 1)
    whole = whole.replace(b"<Document", f"<Document{schema_elsewhere}".encode(), 1)
    assert len(list(read(BytesIO(whole)))) == 3
    assert paths == []


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (b"", BankFileMalformed),
        (b"\0\1\2", BankFileMalformed),
        (b"PK\3\4", BankFileMalformed),
        (b"<html><body>Session expired</body></html>", BankVersionUnknown),
        (b"<Document/>", BankVersionUnknown),
        (f'<Document xmlns="{NAMESPACE}"/>'.encode(), BankFileMalformed),
        (WHOLE + b"<more/>", BankFileMalformed),
        (f'<Document xmlns="{NAMESPACE}">{"<a>" * 10_000}'.encode(), BankFileMalformed),
        (f'<x><Document xmlns="{NAMESPACE}"/></x>'.encode(), BankVersionUnknown),
    ],
)
def test_what_is_no_bank_file_is_refused(content: bytes, refusal: type[Refused]) -> None:
    with pytest.raises(refusal):
        list(read(BytesIO(content)))


def test_more_entries_than_the_limit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "ENTRIES_MAX", 3)
    assert len(list(read(BytesIO(camt(Sheet([Line(1)] * 3)))))) == 4
    with pytest.raises(BankFileTooLarge):
        list(read(BytesIO(camt(Sheet([Line(1)] * 4)))))


def test_memory_does_not_grow_with_the_file() -> None:
    few, many = (camt(Sheet([Line(100, txs=(Tx(100, "E"),))] * count)) for count in (10, 20_000))
    assert sum(1 for _ in read(BytesIO(few))) == 11
    before = getrusage(RUSAGE_SELF).ru_maxrss
    assert sum(1 for _ in read(BytesIO(many))) == 20_001
    # Twenty thousand entries held as a tree take more than a hundred megabytes.
    assert getrusage(RUSAGE_SELF).ru_maxrss - before < 30_000


@given(st.data())
def test_a_file_spoilt_anywhere_is_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(WHOLE) - 1))
    length = data.draw(st.integers(0, 40))
    instead = data.draw(
        st.one_of(
            st.binary(max_size=20), st.sampled_from([b"<Ntry>", b"</Stmt>", b"<Amt>", b"&x;"])
        )
    )
    with suppress(Refused):
        list(read(BytesIO(WHOLE[:start] + instead + WHOLE[start + length :])))


@pytest.mark.parametrize("known", [None, schema("08")], ids=["without", "with schema"])
def test_a_file_that_breaks_off_anywhere_is_refused(known: bytes | None) -> None:
    several = camt(Sheet([Line(500), Line(700)]), Sheet([Line(1)]))
    whole = several.rstrip()
    for end in (*range(0, len(whole), 17), *range(len(whole) - 40, len(whole))):
        with pytest.raises(Refused):
            list(read(BytesIO(whole[:end]), None if known is None else BytesIO(known)))


@settings(max_examples=50)
@given(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=9))
def test_a_schema_lets_nothing_pass_that_is_no_xml(start: int, instead: bytes) -> None:
    spoilt = WHOLE[:start] + instead + WHOLE[start:]
    try:
        list(read(BytesIO(spoilt)))
    except BankFileMalformed as malformed:
        if "line" not in malformed.fields or b"</Document>" not in spoilt[-12:]:
            return
        with pytest.raises(Refused):
            list(read(BytesIO(spoilt), BytesIO(schema("08"))))
    except Refused:
        pass
