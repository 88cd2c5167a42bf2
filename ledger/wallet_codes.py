"""The wallet's code: the secret by which a customer finds her tickets together again.

24 letters in six groups, of the same alphabet as tickets and with the same check letter, so that
it can be typed from paper. The other 23 are random: 113 bits, which nobody guesses, so that the
ledger may name a wallet by a plain hash of its code.
"""

from ledger.tickets import ALPHABET, BASE, check_value, checked, grouped

RANDOM_LETTERS = 23
CODES = BASE**RANDOM_LETTERS


def code_of(number: int) -> str:
    """Write a random number below `CODES` as a code."""
    text = ""
    for _ in range(RANDOM_LETTERS):
        number, value = divmod(number, BASE)
        text += ALPHABET[value]
    return grouped(text + ALPHABET[check_value(text)])


def parse(text: str) -> str:
    """Give the canonical form of a code as typed. Raises MalformedCode, as that of a ticket."""
    return grouped(checked(text, RANDOM_LETTERS + 1))
