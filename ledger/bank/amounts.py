"""Amounts, days and references as a bank's file writes them."""

import re
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import Final

from ledger.bank.entries import BankFileMalformed
from ledger.calendar import FIRST_DAY, LAST_DAY
from ledger.references import is_creditor_reference

CURRENCY: Final = "EUR"
# ISO 20022 writes up to five decimals; a movement in euros has two that may differ from zero.
AMOUNT: Final = re.compile(r"\+?([0-9]{0,13})(?:\.([0-9]{0,5}))?")
# A hundred billion euros: what is beyond is no amount of a foundation's account.
CENTS_MAX: Final = 10_000_000_000_000
DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# A reference in free text: in one piece, or four by four as people print it.
IN_ONE: Final = re.compile(r"(?<![0-9A-Z])RF[0-9]{2}[0-9A-Z]{1,21}(?![0-9A-Z])")
IN_GROUPS: Final = re.compile(
    r"(?<![0-9A-Z])RF[0-9]{2}(?: [0-9A-Z]{4}){0,5}(?: [0-9A-Z]{1,4})?(?![0-9A-Z])"
)
# What payers' banks write where nobody gave an id.
NO_ID: Final = frozenset({"", "NOTPROVIDED", "NOT PROVIDED", "NONREF", "NONE"})


def cents_of(text: str | None, direction: str | None) -> int:
    """Read an amount with its side: negative for a debit. Raises BankFileMalformed."""
    found = AMOUNT.fullmatch((text or "").strip())
    whole, decimals = found.groups("") if found is not None else ("", "")
    if not whole and not decimals:
        raise BankFileMalformed(problem="an amount is no decimal number")
    if decimals[2:].strip("0"):
        raise BankFileMalformed(problem="an amount has fractions of a cent")
    cents = int(whole + decimals[:2].ljust(2, "0"))
    if cents > CENTS_MAX:
        raise BankFileMalformed(problem="an amount is beyond all bounds")
    match direction:
        case "CRDT":
            return cents
        case "DBIT":
            return -cents
        case _:
            raise BankFileMalformed(problem="an amount is neither credit nor debit")


@lru_cache(1_000)
def day_of(text: str | None) -> date | None:
    """Read a day, or the day of a moment as the bank's own clock shows it."""
    if text is None:
        return None
    written = text.strip()[: len("2026-11-23")]
    try:
        day = date.fromisoformat(written) if DAY.fullmatch(written) else None
    except ValueError:
        day = None
    if day is None or not FIRST_DAY <= day <= LAST_DAY:
        raise BankFileMalformed(problem="a day is none")
    return day


def given(text: str | None) -> str | None:
    """Give an id that somebody chose; None for those that say that nobody did."""
    return None if text is None or text.upper() in NO_ID else text


def references_in(structured: Iterable[str], free: str) -> tuple[str, ...]:
    """Find every valid creditor reference, first in the fields made for it, then in free text.

    Words that follow a reference printed in groups may seem to go on with it: every beginning that
    is valid is given, and the one that somebody made is known by whoever made it.
    """
    found = [text.replace(" ", "").upper() for text in structured]
    upper = free.upper()
    if "RF" in upper:  # Most words hold none, and looking for one costs more than this.
        found += IN_ONE.findall(upper)
        for grouped in IN_GROUPS.findall(upper):
            groups = grouped.split(" ")
            found += ["".join(groups[:end]) for end in range(len(groups), 1, -1)]
    return tuple(dict.fromkeys(one for one in found if is_creditor_reference(one)))
