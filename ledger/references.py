"""Creditor references (ISO 11649): what a payer copies, and a bank carries to us unchanged."""

import re
from string import ascii_letters
from typing import Final

# RF, two check digits, then at most 21 letters and digits.
BODY: Final = re.compile(r"[0-9A-Z]{1,21}")
GROUP: Final = 4
# Letters of either case as the numbers that they stand for.
NUMBERS: Final = {ord(letter): str(int(letter, 36)) for letter in ascii_letters}


def reference_of(body: str) -> str:
    """Give the reference of a body, without spaces. Raises ValueError for what it cannot hold."""
    if BODY.fullmatch(body) is None:
        raise ValueError("a reference holds 1 to 21 digits and capital letters")
    return f"RF{98 - residue(f'{body}RF00'):02d}{body}"


def is_creditor_reference(text: str) -> bool:
    """Tell whether a text without spaces is a valid reference."""
    return (
        text[:2] == "RF"
        and BODY.fullmatch(text[4:]) is not None
        and BODY.fullmatch(text[2:4]) is not None
        and residue(text[4:] + text[:4]) == 1
    )


def residue(text: str) -> int:
    """Give the remainder by 97 of a text whose letters stand for 10 to 35 (ISO 7064)."""
    return int(text.translate(NUMBERS)) % 97


def in_groups(reference: str) -> str:
    """Write a reference or an IBAN as people read it: four by four."""
    return " ".join(reference[at : at + GROUP] for at in range(0, len(reference), GROUP))
