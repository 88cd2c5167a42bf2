"""The ticket code: what the customer holds, to find her gift again and to choose.

A code is 12 characters in three groups, `K7QM-2XWD-9TBC`, of an alphabet of 31 without
look-alikes. The first group says where the gift's stream lies (so that no table of codes
exists anywhere), the next seven characters are a keyed hash of the donation id (so that
nobody can make one up), the last is a check character: a weighted sum modulo the prime 31,
which catches every single wrong character and every exchange of two.
"""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from hmac import compare_digest
from itertools import count
from operator import mul
from uuid import UUID

from ledger.decider import Refused
from ledger.ids import stream_bytes

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
BASE = len(ALPHABET)
VALUE = {letter: value for value, letter in enumerate(ALPHABET)}
PAIRS = [first + second for first in ALPHABET for second in ALPHABET]
PLACE_LETTERS, SECRET_LETTERS = 4, 7
PLACES = BASE**PLACE_LETTERS
SECRETS = BASE**SECRET_LETTERS
CODE_LETTERS = PLACE_LETTERS + SECRET_LETTERS + 1


class MalformedCode(Refused):
    """No ticket can have this code: a character is missing, foreign or mistyped."""


@dataclass(frozen=True, slots=True)
class Places:
    """The streams, from first to last, in which the gift of a code lies."""

    first: UUID
    last: UUID


class TicketCodes:
    """Makes and checks ticket codes under one key."""

    def __init__(self, key: bytes) -> None:
        """Take the 32-byte key that stays outside the database."""
        self._key = key

    def code(self, donation_id: UUID) -> str:
        """Give the code of a donation: always the same one."""
        head = int.from_bytes(stream_bytes("donation", donation_id)[:4], "big")
        place = head * PLACES >> 32
        digest = blake2b(donation_id.bytes, key=self._key, person=b"ticket", digest_size=8)
        secret = int.from_bytes(digest.digest(), "big") % SECRETS
        text = letters(place * SECRETS + secret)
        return grouped(text + ALPHABET[check_value(text)])

    def opens(self, code: str, donation_id: UUID) -> bool:
        """Tell in constant time whether a canonical code is that of a donation."""
        return compare_digest(self.code(donation_id), code)


def parse(text: str) -> str:
    """Give the canonical form of a code as typed: any case, with or without dashes and spaces.

    Raises MalformedCode, whose field `problem` is `length`, `character` or `check`.
    """
    return grouped(checked(text, CODE_LETTERS))


def checked(text: str, letters_count: int) -> str:
    """Give the letters of a code whose last one checks the others.

    Raises MalformedCode, with the place of a foreign character or how many letters were typed.
    A wrong letter of the alphabet is caught too, but nobody can tell which one it is.
    """
    typed = "".join(text.upper().replace("-", " ").split())
    foreign = next((place for place, letter in enumerate(typed, 1) if letter not in VALUE), None)
    if foreign is not None:
        raise MalformedCode(problem="character", place=foreign, letter=typed[foreign - 1])
    if len(typed) != letters_count:
        raise MalformedCode(problem="length", typed=len(typed), expected=letters_count)
    if VALUE[typed[-1]] != check_value(typed[:-1]):
        raise MalformedCode(problem="check")
    return typed


def places(code: str) -> Places:
    """Give the range of streams in which the gift of a canonical code must lie."""
    place = 0
    for letter in code[:PLACE_LETTERS]:
        place = place * BASE + VALUE[letter]
    first, after = (-(-(edge << 32) // PLACES) << 96 for edge in (place, place + 1))
    return Places(UUID(int=first), UUID(int=after - 1))


def letters(number: int) -> str:
    """Write a number below 31¹¹ as eleven letters, two at a time."""
    text = ""
    for _ in range(5):
        number, pair = divmod(number, BASE * BASE)
        text = PAIRS[pair] + text
    return ALPHABET[number] + text


def check_value(text: str) -> int:
    """Give the value that makes the sum of place times value over all letters 0 modulo 31."""
    weighted = sum(map(mul, count(1), map(VALUE.__getitem__, text)))
    return int(weighted * check_factor(len(text) + 1) % BASE)


@lru_cache
def check_factor(letters_count: int) -> int:
    return -pow(letters_count, -1, BASE)


def grouped(text: str) -> str:
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))
