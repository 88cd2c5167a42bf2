import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from stdnum import iso11649

from ledger.references import in_groups, is_creditor_reference, reference_of

BODIES = st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=21)


@pytest.mark.parametrize(
    "reference", ["RF18539007547034", "RF45G72UUR", "RF90DON2026000001", "RF712348231"]
)
def test_known_references_are_valid_and_made_again(reference: str) -> None:
    assert is_creditor_reference(reference)
    assert reference_of(reference[4:]) == reference


@pytest.mark.parametrize(
    "text", ["RF19539007547034", "RF", "RF18", "", "rf45g72uur", "RF45G72UU R", "XX45G72UUR"]
)
def test_others_are_not(text: str) -> None:
    assert not is_creditor_reference(text)


@for_all(BODIES)
def test_another_reader_agrees(body: str) -> None:
    reference = reference_of(body)
    assert is_creditor_reference(reference)
    assert iso11649.validate(in_groups(reference)) == reference


@for_all(BODIES, st.integers(0, 20), st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
def test_one_wrong_character_is_noticed(body: str, place: int, other: str) -> None:
    reference = reference_of(body)
    at = 4 + place % len(body)
    if reference[at] != other:
        assert not is_creditor_reference(reference[:at] + other + reference[at + 1 :])


@pytest.mark.parametrize("body", ["", "A" * 22, "é", "a", "1 2"])
def test_what_no_reference_holds_is_refused(body: str) -> None:
    with pytest.raises(ValueError, match="21"):
        reference_of(body)
