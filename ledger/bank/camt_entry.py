"""One entry of a camt.053 file: what it says in each version from .02 to .14."""

import re
from datetime import date
from typing import Final

from ledger.bank.amounts import CURRENCY, cents_of, day_of, given, references_in
from ledger.bank.camt_fields import Fields
from ledger.bank.codes import kind_of
from ledger.bank.entries import BankFileMalformed, Detail, Entry, ForeignCurrency, Passed
from ledger.bank.events import Kind

BOOKED: Final = "BOOK"
TEXT_MAX, NAME_MAX, ID_MAX = 1_000, 140, 70
# What an event may keep of why money came back is a code: words may name people.
REASON: Final = re.compile(r"[A-Z0-9]{1,4}")
DETAILS_MAX: Final = 100_000
YES: Final = frozenset({"true", "1"})
INSTRUCTED: Final = "AmtDtls/InstdAmt/Amt"
# Where a transaction's amount in euros stands, by how near it is to what was booked.
AMOUNTS: Final = ("Amt", "AmtDtls/TxAmt/Amt", INSTRUCTED)
# Ids that banks give, by which an entry without a reference of its own is known again.
IDS: Final = tuple(
    f"Refs/{name}" for name in ("AcctSvcrRef", "InstrId", "TxId", "UETR", "ChqNb", "MndtId")
)
# Where the name of a party stands, before .07 and since, and that of whom it acted for.
PARTIES: Final = {
    role: tuple(
        f"RltdPties/{one}/{path}" for one in (role, f"Ultmt{role}") for path in ("Pty/Nm", "Nm")
    )
    for role in ("Dbtr", "Cdtr")
}


def entry_of(fields: Fields, statement: int) -> Entry | Passed:
    """Read an entry; what is not booked, or moves nothing, is passed over."""
    if (currency := fields.currencies.get("Amt", CURRENCY)) != CURRENCY:
        raise ForeignCurrency(currency=currency[:3])
    direction = fields.text("CdtDbtInd")
    cents = cents_of(fields.text("Amt"), direction)
    if fields.text("Sts", "Sts/Cd") != BOOKED or not cents:
        return Passed(statement)
    value_on = day_at(fields, "ValDt")
    booked_on = day_at(fields, "BookgDt") or value_on
    if booked_on is None:
        raise BankFileMalformed(problem="an entry has no day")
    reversal = fields.text("RvslInd") in YES
    charge_cents, included = charges_of(fields)
    details = fields.all("NtryDtls/TxDtls")
    if len(details) > DETAILS_MAX:
        raise BankFileMalformed(problem="an entry has too many details")
    return Entry(
        statement=statement,
        cents=cents,
        booked_on=booked_on,
        value_on=value_on,
        kind=code_of(fields, reversal=reversal) or "other",
        bank_reference=given(fields.text("AcctSvcrRef")),
        charge_cents=charge_cents,
        included=included,
        text=shortened(fields.text("AddtlNtryInf"), TEXT_MAX),
        details=tuple(detail_of(one, direction, reversal=reversal) for one in details),
    )


def day_at(fields: Fields, path: str) -> date | None:
    return day_of(fields.text(f"{path}/Dt", f"{path}/DtTm"))


def code_of(fields: Fields, *, reversal: bool) -> Kind | None:
    """Give the kind that a bank transaction code stands for, None where there is none."""
    family = fields.text("BkTxCd/Domn/Fmly/Cd")
    subfamily = fields.text("BkTxCd/Domn/Fmly/SubFmlyCd")
    if family is None and subfamily is None and not reversal:
        return None
    return kind_of(family, subfamily, reversal=reversal)


def charges_of(fields: Fields) -> tuple[int, bool]:
    """Add up the charges in euros; say whether the amount stands after them.

    In .02 each charge is an element of its own, later a record in one.
    """
    total = 0
    included = False
    for charges in fields.all("Chrgs"):
        for one in charges.all("Rcrd") or [charges]:
            total += cents_at(one, "Amt", one.text("CdtDbtInd") or "DBIT") or 0
            included = included or one.text("ChrgInclInd") in YES
    return total, included


def detail_of(fields: Fields, direction: str | None, *, reversal: bool) -> Detail:
    direction = fields.text("CdtDbtInd") or direction
    free = " ".join(fields.texts("RmtInf/Ustrd"))
    more = fields.texts("RmtInf/Strd/AddtlRmtInf") + fields.texts("AddtlTxInf")
    more += fields.texts("RtrInf/Rsn/Prtry")
    structured = fields.texts("RmtInf/Strd/CdtrRefInf/Ref")
    charge_cents, included = charges_of(fields)
    returned = reversal or fields.has("RtrInf/")
    name, iban = counterparty(fields, direction, returned=returned)
    return Detail(
        cents=next(
            (cents for path in AMOUNTS if (cents := cents_at(fields, path, direction)) is not None),
            None,
        ),
        instructed_cents=cents_at(fields, INSTRUCTED, direction),
        charge_cents=charge_cents,
        included=included,
        kind=code_of(fields, reversal=returned),
        end_to_end_id=shortened(given(fields.text("Refs/EndToEndId")), ID_MAX),
        bank_references=tuple(
            known for one in IDS if (known := given(fields.first.get(one))) is not None
        ),
        references=references_in(structured, free),
        name=shortened(name, NAME_MAX),
        iban=iban,
        text=shortened(" ".join([free, *structured, *more]), TEXT_MAX),
        return_reason=reason_in(fields.text("RtrInf/Rsn/Cd")),
    )


def reason_in(text: str | None) -> str | None:
    return text if text and REASON.fullmatch(text) else None


def cents_at(fields: Fields, path: str, direction: str | None) -> int | None:
    """Give an amount where it is in euros."""
    if fields.currencies.get(path) != CURRENCY:
        return None
    return cents_of(fields.first[path], direction)


def counterparty(
    fields: Fields, direction: str | None, *, returned: bool
) -> tuple[str | None, str | None]:
    """Give the name and IBAN of who paid, or was paid.

    A return keeps the roles of what it returns, so the sides are the other way round.
    """
    role = "Dbtr" if (direction == "CRDT") != returned else "Cdtr"
    name = fields.text(*PARTIES[role])
    iban = fields.text(f"RltdPties/{role}Acct/Id/IBAN")
    return name, None if iban is None else iban.replace(" ", "").upper()


def shortened(text: str | None, limit: int) -> str | None:
    """Give a text in one line and of bounded length, None for an empty one."""
    return " ".join((text or "").split())[:limit] or None
