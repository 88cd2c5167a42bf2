import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.bank.amounts import references_in
from ledger.references import in_groups, reference_of

RF = "RF18539007547034"
OTHER = reference_of("732829320000740007")


@pytest.mark.parametrize(
    "text",
    [
        RF,
        RF.lower(),
        f"don octobre {RF}",
        f"/RFB/{RF}/",
        in_groups(RF),
        f"REF {in_groups(RF)} MERCI",
        f"facture n°12;{RF};boulangerie",
    ],
)
def test_a_reference_is_found_in_free_text(text: str) -> None:
    assert RF in references_in([], text)


@pytest.mark.parametrize(
    "text",
    ["", "RF", "RF19539007547034", f"X{RF}", f"{RF}9", "RF18 don", "surf18539007547034"],
)
def test_what_is_none_is_not(text: str) -> None:
    assert RF not in references_in([], text)


def test_the_field_made_for_it_comes_first_and_each_counts_once() -> None:
    assert references_in([in_groups(OTHER), RF], f"{RF} et {OTHER}") == (OTHER, RF)


def test_an_invalid_one_in_the_field_made_for_it_is_left_to_an_officer() -> None:
    assert references_in(["2026-11-0007"], "") == ()


@given(st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=21), st.text())
def test_any_reference_is_found_as_we_print_it(body: str, before: str) -> None:
    reference = reference_of(body)
    assert reference in references_in([], f"{before} {in_groups(reference)}")
    assert reference in references_in([], f"{before} {reference}")
