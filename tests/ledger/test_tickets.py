from collections import Counter
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.ids import stream_of
from ledger.tickets import ALPHABET, MalformedCode, TicketCodes, parse, places

CODES = TicketCodes(b"k" * 32)
GIFT = UUID("7d0c29a1-6a4e-4c5e-8a10-111111111111")


def test_the_same_gift_has_the_same_code_for_ever() -> None:
    # A change of this value breaks every ticket that was ever printed.
    assert CODES.code(GIFT) == "8AEP-8SBP-APS2"


def test_another_key_makes_another_code_that_lies_in_the_same_place() -> None:
    other = TicketCodes(b"l" * 32).code(GIFT)
    assert other != CODES.code(GIFT)
    assert other[:4] == CODES.code(GIFT)[:4]
    assert not CODES.opens(other, GIFT)


@given(st.uuids())
def test_a_code_is_twelve_plain_letters_and_leads_to_its_gift(donation_id: UUID) -> None:
    code = CODES.code(donation_id)
    assert [len(group) for group in code.split("-")] == [4, 4, 4]
    assert set(code) <= set(ALPHABET) | {"-"}
    assert parse(code) == code
    assert CODES.opens(code, donation_id)
    where = places(code)
    assert where.first <= stream_of("donation", donation_id) <= where.last


@pytest.mark.parametrize("code", ["2222-2222-2222", "ZZZZ-2222-2222", "ZZZZ-ZZZZ-ZZZZ"])
def test_the_places_of_a_code_lie_within_all_streams(code: str) -> None:
    where = places(code)
    assert UUID(int=0) <= where.first <= where.last <= UUID(int=2**128 - 1)


def test_neighbouring_places_neither_overlap_nor_leave_a_gap() -> None:
    for first, second in [("2222", "2223"), ("222Z", "2232"), ("ZZZY", "ZZZZ")]:
        before, after = places(f"{first}-2222-2222"), places(f"{second}-2222-2222")
        assert before.last.int + 1 == after.first.int
    assert places("ZZZZ-2222-2222").last.int == 2**128 - 1


@given(st.uuids())
def test_typing_it_carelessly_does_not_matter(donation_id: UUID) -> None:
    code = CODES.code(donation_id)
    for typed in (code.lower(), code.replace("-", ""), code.replace("-", " "), f"  {code}\n"):
        assert parse(typed) == code


@given(st.uuids(), st.integers(0, 11), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_always_caught(donation_id: UUID, at: int, letter: str) -> None:
    plain = CODES.code(donation_id).replace("-", "")
    if plain[at] != letter:
        with pytest.raises(MalformedCode) as refused:
            parse(plain[:at] + letter + plain[at + 1 :])
        assert refused.value.fields["problem"] == "check"


@given(st.uuids(), st.integers(0, 11), st.integers(0, 11))
def test_two_exchanged_characters_are_always_caught(donation_id: UUID, one: int, two: int) -> None:
    letters = list(CODES.code(donation_id).replace("-", ""))
    if letters[one] != letters[two]:
        letters[one], letters[two] = letters[two], letters[one]
        with pytest.raises(MalformedCode):
            parse("".join(letters))


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("", "length"),
        ("K7QM-2XWD", "length"),
        ("K7QM-2XWD-9TBC2", "length"),
        ("K7QM-2XWD-9TB0", "character"),
        ("K7QM-2XWD-9TBÉ", "character"),
        ("K7QM_2XWD_9TBC", "character"),
    ],
)
def test_what_is_wrong_is_named(typed: str, problem: str) -> None:
    with pytest.raises(MalformedCode) as refused:
        parse(typed)
    assert refused.value.fields["problem"] == problem


def test_codes_are_spread_evenly() -> None:
    codes = [CODES.code(UUID(int=number)).replace("-", "") for number in range(31 * 200)]
    assert len(set(codes)) == len(codes)
    for at in range(12):
        counts = Counter(code[at] for code in codes)
        assert set(counts) == set(ALPHABET)
        assert max(counts.values()) < 300
