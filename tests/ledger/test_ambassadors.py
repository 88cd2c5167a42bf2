from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from ledger.ambassadors import (
    AmbassadorDiffers,
    AmbassadorEnrolled,
    AmbassadorIsRetired,
    AmbassadorNotFound,
    AmbassadorRetired,
    ChangeNaming,
    CreditedToAnother,
    CreditGiven,
    EnrolAmbassador,
    Enrolled,
    GiveCredit,
    OwnGift,
    RetireAmbassador,
    ambassador,
    ambassador_id_of,
    credit,
    credit_id_of,
    is_her_own,
)
from ledger.calendar import civil_day
from tests.spec import given

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = civil_day(NOON)
CODE = "K7QM2X"
WHO, SUBJECT, ACCOUNT, BALLOT, WALLET = ambassador_id_of(CODE), *(UUID(int=n) for n in range(2, 6))
BY: dict[str, Any] = {"at": NOON, "actor": "account:x", "ambassador_id": WHO}
STORED: dict[str, Any] = {"recorded_at": NOON, "actor": "account:x", "ambassador_id": WHO}
TOLD: dict[str, Any] = {"subject_id": SUBJECT, "code": CODE, "account_id": ACCOUNT, "named": True}
ENROLLED = AmbassadorEnrolled(**STORED, **TOLD, enrolled_on=TODAY)
RETIRED = AmbassadorRetired(**STORED, retired_on=TODAY)
CREDIT: dict[str, Any] = {
    "credit_id": credit_id_of("ballot", BALLOT),
    "kind": "ballot",
    "brought_id": BALLOT,
}
CREDITED = CreditGiven(**STORED, **CREDIT, credited_on=TODAY)


def give(**changes: Any) -> GiveCredit:
    return GiveCredit(**BY | CREDIT | {"enrolled": True, "her_own": False} | changes)


def test_she_is_enrolled_once_and_a_code_is_hers_alone() -> None:
    given(ambassador).when(EnrolAmbassador(**BY, **TOLD)).then(ENROLLED)
    other = EnrolAmbassador(**BY, **TOLD | {"subject_id": UUID(int=9)})
    given(ambassador, ENROLLED).when(other).then_refused(AmbassadorDiffers)


def test_nobody_is_retired_who_was_never_enrolled() -> None:
    given(ambassador).when(RetireAmbassador(**BY)).then_refused(AmbassadorNotFound)


def test_a_retired_one_is_not_named_any_more() -> None:
    given(ambassador, ENROLLED).when(RetireAmbassador(**BY)).then(RETIRED)
    name = ChangeNaming(**BY, named=True)
    given(ambassador, ENROLLED, RETIRED).when(name).then_refused(AmbassadorIsRetired)


def test_a_ballot_credits_one_ambassador_once() -> None:
    given(credit).when(give()).then(CREDITED)
    given(credit, CREDITED).when(give()).then()
    given(credit, CREDITED).when(give(ambassador_id=UUID(int=8))).then_refused(CreditedToAnother)


def test_never_her_own_nor_after_she_retired() -> None:
    given(credit).when(give(her_own=True)).then_refused(OwnGift)
    given(credit).when(give(enrolled=False)).then_refused(AmbassadorIsRetired)


@pytest.mark.parametrize(
    ("known", "own"),
    [
        ({}, False),
        ({"caster": f"account:{ACCOUNT}"}, True),
        ({"caster": f"account:{SUBJECT}"}, False),
        ({"wallet_id": WALLET}, True),
        ({"wallet_id": BALLOT}, False),
        ({"same_browser": True}, True),
    ],
)
def test_what_can_be_known_of_her_own_gifts(known: dict[str, Any], own: bool) -> None:
    hers = Enrolled(ENROLLED, named=True, wallets=(WALLET,))
    told: dict[str, Any] = {"caster": "public", "wallet_id": None, "same_browser": False}
    assert is_her_own(hers, **told | known) is own
