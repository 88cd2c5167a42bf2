"""The text of a QR code that fills in a SEPA credit transfer (EPC069-12, version 002)."""

from typing import Final

CENTS_MAX: Final = 99_999_999_999
NAME_MAX: Final = 70
BYTES_MAX: Final = 331


class NotPayable(Exception):
    """No such code can hold this: no amount is asked, or a text is too long."""


def credit_transfer(name: str, iban: str, bic: str | None, cents: int, reference: str) -> str:
    """Write who is paid, how much, and under which ISO 11649 reference. Raises NotPayable.

    Lines end with LF, and the last one has none: the fields after the reference are left out.
    """
    if not 1 <= cents <= CENTS_MAX or len(name) > NAME_MAX:
        raise NotPayable
    lines = (
        "BCD",
        "002",
        "1",  # UTF-8
        "SCT",
        bic or "",
        name,
        iban,
        f"EUR{cents // 100}.{cents % 100:02d}",
        "",  # No purpose code.
        reference,
    )
    text = "\n".join(lines)
    if len(text.encode()) > BYTES_MAX:
        raise NotPayable
    return text
