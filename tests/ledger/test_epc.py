"""The text of the transfer's QR code, line by line as EPC069-12 numbers them."""

import pytest

from ledger.epc import NotPayable, credit_transfer

IBAN, BIC, REFERENCE = "FR7630006000011234567890189", "AGRIFRPPXXX", "RF18539007547034"


def test_each_line_is_the_agreed_one() -> None:
    text = credit_transfer("Fondation d’été", IBAN, BIC, 1_230, REFERENCE)
    assert text.split("\n") == [
        "BCD",  # service tag
        "002",  # version: without a BIC it is valid in the European Economic Area
        "1",  # character set: UTF-8
        "SCT",  # identification
        BIC,
        "Fondation d’été",
        IBAN,
        "EUR12.30",
        "",  # purpose
        REFERENCE,  # structured remittance; the unstructured line is left out
    ]
    assert "\r" not in text


def test_the_bic_may_be_absent() -> None:
    assert credit_transfer("Fondation", IBAN, None, 1, REFERENCE).split("\n")[4] == ""


@pytest.mark.parametrize(
    ("cents", "written"), [(1, "EUR0.01"), (99, "EUR0.99"), (99_999_999_999, "EUR999999999.99")]
)
def test_amounts_are_exact(cents: int, written: str) -> None:
    assert credit_transfer("Fondation", IBAN, None, cents, REFERENCE).split("\n")[7] == written


@pytest.mark.parametrize("cents", [0, -1, 100_000_000_000])
def test_what_no_transfer_carries_has_no_code(cents: int) -> None:
    with pytest.raises(NotPayable):
        credit_transfer("Fondation", IBAN, None, cents, REFERENCE)


def test_a_code_has_its_limits() -> None:
    assert len(credit_transfer("F" * 70, IBAN, BIC, 1, REFERENCE).encode()) <= 331
    with pytest.raises(NotPayable):
        credit_transfer("F" * 71, IBAN, BIC, 1, REFERENCE)
    with pytest.raises(NotPayable):
        credit_transfer("🎁" * 70, IBAN, BIC, 1, REFERENCE)
