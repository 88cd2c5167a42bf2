"""Reading camt.053, the statement of an account in XML (ISO 20022), one entry at a time.

A file comes from outside: what declares a document type is refused before it is believed, nothing
is fetched, no entity is put in place of its name, and memory holds one entry however many follow.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, BinaryIO, Final, Protocol

from lxml import etree

from ledger.bank.amounts import CURRENCY, cents_of, day_of
from ledger.bank.camt_entry import entry_of
from ledger.bank.camt_fields import Fields, Names, Tree, fields_of
from ledger.bank.entries import (
    BankBalanceMissing,
    BankFileMalformed,
    BankFileTooLarge,
    BankFileUnsafe,
    BankSchemaBroken,
    BankVersionUnknown,
    Entry,
    ForeignCurrency,
    Passed,
    Statement,
)

NAMESPACE: Final = re.compile(r"urn:iso:std:iso:20022:tech:xsd:(camt\.053\.001\.(?:0[2-9]|1[0-4]))")
ENTRIES_MAX: Final = 1_000_000
# Nobody numbers a thousand statements a day for ever: longer ones are no numbers.
SEQUENCE: Final = re.compile(r"[0-9]{1,9}")
# The codes of libxml2 for what a schema does not allow (xmlParserErrors, XML_SCHEMAV_*).
SCHEMA_ERRORS: Final = range(1801, 1880)
PROBLEM_MAX: Final = 300
# In the order in which they are looked for. A page that others follow has interim balances only.
OPENING: Final = ("OPBD", "PRCD")
CLOSING: Final = "CLBD"
INTERIM: Final = "ITBD"

Read = Statement | Entry | Passed


@dataclass(slots=True)
class Reading:
    """Where the reading of one file stands."""

    names: Names
    stmt: str
    ntry: str
    version: str
    statements: int = 0
    entries: int = 0
    head: Statement | None = None
    balances: int = 0
    whole: bool = False


class Readable(Protocol):
    """What bytes can be read from, piece by piece."""

    def read(self, size: int = ..., /) -> bytes: ...


def format_of(file: Readable) -> str:
    """Give the message and version of a file from its first element, `camt.053.001.08`.

    Raises BankFileUnsafe, BankVersionUnknown, BankFileMalformed.
    """
    try:
        for _, element in parsed(file, None):
            return begun(element).version
    except etree.XMLSyntaxError as error:
        raise refusal_of(error) from None
    raise BankVersionUnknown(namespace="")


def read(file: Readable, schema: BinaryIO | None = None) -> Iterator[Read]:
    """Read a file: each statement's head, then its entries, in the order of the file.

    Raises the refusals of `entries`; what was given before one is not to be believed.
    """
    try:
        checked = None if schema is None else etree.XMLSchema(etree.parse(schema))
        yield from parts_of(file, checked)
    except etree.XMLSyntaxError as error:
        raise refusal_of(error) from None


def refusal_of(error: etree.XMLSyntaxError) -> BankSchemaBroken | BankFileMalformed:
    """Tell a file that is no XML from one that its schema does not know.

    By the error's own code: the log that comes with it also holds what others met before.
    """
    problem = str(error.msg)[:PROBLEM_MAX]
    known: Any = error  # Its type stubs know less of an error than lxml does.
    if known.code in SCHEMA_ERRORS:
        return BankSchemaBroken(problem=problem)
    return BankFileMalformed(line=error.lineno or 0, problem=problem)


def parts_of(file: Readable, schema: etree.XMLSchema | None) -> Iterator[Read]:
    reading: Reading | None = None
    for event, element in parsed(file, schema):
        if reading is None:
            reading = begun(element)
        if event == "end" and element.getparent() is None:
            reading.whole = True
        elif event == "end" and element.tag == reading.stmt:
            yield from statement_ended(reading, element)
        elif event == "end" and element.tag == reading.ntry:
            yield from entry_ended(reading, element)
        elif event == "start" and element.tag == reading.stmt:
            reading.head = None
    if reading is None:
        raise BankVersionUnknown(namespace="")
    # Where a schema is checked, lxml does not say that a file breaks off.
    if not reading.whole:
        raise BankFileMalformed(problem="the file breaks off")
    if not reading.statements:
        raise BankFileMalformed(problem="the file holds no statement")


def parsed(file: Readable, schema: etree.XMLSchema | None) -> Iterator[tuple[str, Tree]]:
    """Parse step by step, trusting nothing: no document type, no network, no endless depth."""
    yield from etree.iterparse(
        file,
        events=("start", "end"),
        tag=("{*}Document", "{*}Stmt", "{*}Ntry"),
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        schema=schema,
    )


def begun(root: Tree) -> Reading:
    """Look at the first element there is. Raises BankFileUnsafe, BankVersionUnknown."""
    # Its type stubs know less of a document than lxml does.
    document: Any = root.getroottree().docinfo
    if document.doctype or document.internalDTD is not None:
        raise BankFileUnsafe
    namespace = etree.QName(root).namespace or ""
    version = NAMESPACE.fullmatch(namespace)
    if version is None or etree.QName(root).localname != "Document" or root.getparent() is not None:
        raise BankVersionUnknown(namespace=namespace[:100])
    stmt, ntry = (f"{{{namespace}}}{name}" for name in ("Stmt", "Ntry"))
    return Reading(Names(namespace), stmt, ntry, version[1])


def entry_ended(reading: Reading, element: Tree) -> Iterator[Read]:
    """Give an entry, after the head of its statement where it is the first one; then forget it."""
    parent = element.getparent()
    if parent is None or parent.tag != reading.stmt:
        raise BankFileMalformed(problem="an entry is in no statement")
    if reading.head is None:
        yield head_of(reading, parent)
    reading.entries += 1
    if reading.entries > ENTRIES_MAX:
        raise BankFileTooLarge(entries_max=ENTRIES_MAX)
    yield entry_of(fields_of(element, reading.names), reading.statements)
    element.clear()
    previous = element.getprevious()
    if previous is not None and previous.tag == reading.ntry:
        parent.remove(previous)


def statement_ended(reading: Reading, element: Tree) -> Iterator[Read]:
    """Give the head of a statement without entries, and see that the head was whole."""
    if reading.head is None:
        yield head_of(reading, element)
    elif sum(reading.names[child.tag] == "Bal" for child in element) != reading.balances:
        raise BankFileMalformed(problem="a balance stands after the entries")
    reading.statements += 1
    reading.head = None
    element.clear()


def head_of(reading: Reading, element: Tree) -> Statement:
    """Read what stands before a statement's entries."""
    fields = fields_of(element, reading.names)
    iban = fields.text("Acct/Id/IBAN")
    currency = fields.text("Acct/Ccy")
    if iban is None:
        raise BankFileMalformed(problem="the account has no IBAN")
    if currency not in {None, CURRENCY}:
        raise ForeignCurrency(currency=str(currency)[:3])
    balances = fields.all("Bal")
    opening, closing = ends_of(balances)
    last = balance_day(closing)
    first = min(day_of(fields.text("FrToDt/FrDtTm")) or balance_day(opening), last)
    reading.balances = len(balances)
    reading.head = Statement(
        number=reading.statements,
        format=reading.version,
        iban=iban.replace(" ", "").upper(),
        sequence=number_in(fields.text("ElctrncSeqNb", "LglSeqNb")),
        opening_on=first,
        opening_cents=balance_cents(opening),
        closing_on=last,
        closing_cents=balance_cents(closing),
        page=number_in(fields.text("StmtPgntn/PgNb")),
    )
    return reading.head


def number_in(text: str | None) -> int | None:
    return int(text) if text and SEQUENCE.fullmatch(text) else None


def ends_of(balances: list[Fields]) -> tuple[Fields, Fields]:
    """Find the balance a statement begins with, and the one it ends with.

    Of interim balances the first one opens a page and the last one closes it.
    """
    by_code: dict[str, list[Fields]] = {}
    for one in balances:
        by_code.setdefault(one.text("Tp/CdOrPrtry/Cd") or "", []).append(one)
    interim = by_code.get(INTERIM, [])
    openings = [one for code in OPENING for one in by_code.get(code, [])]
    closings = by_code.get(CLOSING, [])
    if not openings and interim:
        openings, interim = interim[:1], interim[1:]
    closings = closings or interim[-1:]
    if not openings or not closings:
        raise BankBalanceMissing(balance="closing" if openings else "opening")
    return openings[0], closings[-1]


def balance_cents(balance: Fields) -> int:
    if (currency := balance.currencies.get("Amt", CURRENCY)) != CURRENCY:
        raise ForeignCurrency(currency=currency[:3])
    return cents_of(balance.text("Amt"), balance.text("CdtDbtInd"))


def balance_day(balance: Fields) -> date:
    day = day_of(balance.text("Dt/Dt", "Dt/DtTm"))
    if day is None:
        raise BankFileMalformed(problem="a balance has no day")
    return day
