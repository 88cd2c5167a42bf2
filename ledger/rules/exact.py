"""Exact numbers as text, however long: Python bounds the digits of its own conversion."""

from decimal import Decimal
from fractions import Fraction


def written(value: Fraction) -> str:
    """Write an exact number: `7`, or `22/7`."""
    above = digits(value.numerator)
    return above if value.denominator == 1 else f"{above}/{digits(value.denominator)}"


def digits(number: int) -> str:
    return f"{Decimal(number):f}"


def read_exact(text: str) -> Fraction:
    """Read a number back. Raises ValueError when it is none, and ZeroDivisionError."""
    above, _, below = text.partition("/")
    return Fraction(whole_number(above), whole_number(below or "1"))


def whole_number(text: str) -> int:
    if not text.removeprefix("-").isdecimal():
        raise ValueError("no whole number")
    return int(Decimal(text))
