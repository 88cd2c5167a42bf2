"""The bank of the made-up village: its shops' accounts, and one file with all that moved."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from lxml import etree

from ledger.references import residue

MESSAGE: Final = "camt.053.001.08"
NAMESPACE: Final = f"urn:iso:std:iso:20022:tech:xsd:{MESSAGE}"
OPENING_CENTS: Final = 184_250


Node = etree._Element  # noqa: SLF001 - lxml gives its elements no public name.


@dataclass(frozen=True, slots=True)
class Entry:
    """A movement: cents are negative when they went out; `words` are what the payer wrote."""

    day: date
    cents: int
    name: str
    iban: str
    words: str = ""
    family: tuple[str, str] = ("RCDT", "ESCT")


def node(name: str, *within: Node | str, **attributes: str) -> Node:
    """Make an element of the message with what it holds, in that order."""
    made = etree.Element(f"{{{NAMESPACE}}}{name}", attributes, nsmap={None: NAMESPACE})  # type: ignore[dict-item]
    for one in within:
        if isinstance(one, str):
            made.text = one
        else:
            made.append(one)
    return made


def iban_of(number: int) -> str:
    """Make an IBAN of the right form at a bank that does not exist."""
    account = f"99999{number:05d}{number:011d}00"
    return f"FR{98 - residue(f'{account}FR00'):02d}{account}"


def file_of(iban: str, first_on: date, last_on: date, entries: Iterable[Entry]) -> bytes:
    """Write one statement of the account, as its bank would."""
    moved = sorted(entries, key=lambda entry: (entry.day, entry.cents))
    closing = OPENING_CENTS + sum(entry.cents for entry in moved)
    document = node(
        "Document",
        node(
            "BkToCstmrStmt",
            node("GrpHdr", node("MsgId", "DEMONSTRATION"), node("CreDtTm", f"{last_on}T22:00:00")),
            node(
                "Stmt",
                node("Id", "DEMONSTRATION"),
                node("CreDtTm", f"{last_on}T22:00:00"),
                node("Acct", node("Id", node("IBAN", iban)), node("Ccy", "EUR")),
                balance("OPBD", OPENING_CENTS, first_on),
                balance("CLBD", closing, last_on),
                *(written(entry, number) for number, entry in enumerate(moved)),
            ),
        ),
    )
    written_out: bytes = etree.tostring(document, xml_declaration=True, encoding="UTF-8")
    return written_out


def balance(code: str, cents: int, day: date) -> Node:
    kind = node("Tp", node("CdOrPrtry", node("Cd", code)))
    return node("Bal", kind, *amount(cents), node("Dt", node("Dt", f"{day}")))


def amount(cents: int) -> tuple[Node, Node]:
    whole, rest = divmod(abs(cents), 100)
    side = "DBIT" if cents < 0 else "CRDT"
    return node("Amt", f"{whole}.{rest:02d}", Ccy="EUR"), node("CdtDbtInd", side)


def written(entry: Entry, number: int) -> Node:
    day, (family, subfamily) = f"{entry.day}", entry.family
    role = "Cdtr" if entry.cents < 0 else "Dbtr"
    details = [
        node("Refs", node("EndToEndId", "NOTPROVIDED")),
        *amount(entry.cents),
        node(
            "RltdPties",
            node(role, node("Pty", node("Nm", entry.name))),
            node(f"{role}Acct", node("Id", node("IBAN", entry.iban))),
        ),
    ]
    if entry.words:
        details.append(node("RmtInf", node("Ustrd", entry.words)))
    return node(
        "Ntry",
        *amount(entry.cents),
        node("Sts", node("Cd", "BOOK")),
        node("BookgDt", node("Dt", day)),
        node("ValDt", node("Dt", day)),
        node("AcctSvcrRef", f"DEMO{number:05d}"),
        node(
            "BkTxCd",
            node(
                "Domn",
                node("Cd", "PMNT"),
                node("Fmly", node("Cd", family), node("SubFmlyCd", subfamily)),
            ),
        ),
        node("NtryDtls", node("TxDtls", *details)),
    )
