"""The number of a bank account and that of its bank, checked as banks check them."""

from typing import Annotated

from pydantic import AfterValidator
from stdnum import bic as bic_standard
from stdnum import iban as iban_standard
from stdnum.exceptions import ValidationError


def checked_iban(text: str) -> str:
    """Give an IBAN without spaces, checked by its control digits and its country's form."""
    try:
        return iban_standard.validate(text)
    except ValidationError as invalid:
        raise ValueError("not an IBAN with valid control digits") from invalid


def checked_bic(text: str) -> str:
    """Give a BIC of 8 or 11 characters (ISO 9362)."""
    try:
        return bic_standard.validate(text)
    except ValidationError as invalid:
        raise ValueError("not a BIC of 8 or 11 characters") from invalid


Iban = Annotated[str, AfterValidator(checked_iban)]
Bic = Annotated[str, AfterValidator(checked_bic)]
