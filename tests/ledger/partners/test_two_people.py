"""Attacks on the rules of two people and of no interest: each is refused by its name.

One line of the list is one attack: what happened before, what is tried, and the refusal.
"""

from typing import Any, NamedTuple
from uuid import UUID

import pytest

from ledger.decider import Refused
from ledger.partners.certifications.commands import (
    ApplicationNotReviewed,
    CertificationCommand,
    ConflictOfInterest,
    DecidedBefore,
    JudgeDisabled,
    JudgeNotOnCommittee,
    JudgeSpeaksForPartner,
    JudgeWithoutAccount,
    ProposalNotPending,
    ReviewerDecides,
    ReviewSpeaksAgainst,
    SamePersonTwice,
)
from ledger.partners.certifications.decider import certification
from ledger.partners.complaints import (
    AnswerComplaint,
    CloseComplaint,
    ComplaintJudgedByPartner,
    ComplaintJudgedWithInterest,
    Handling,
    OpenComplaint,
    complaint,
)
from tests.ledger.partners.papers import (
    ANNE,
    APPEAL,
    APPLICATION,
    BRUNO,
    CHLOE,
    DAVID,
    KEYS,
    NOON,
    PEOPLE,
    REVIEWER,
    SANCTION,
    SHOP,
    SHOPKEEPER,
    account,
    appeal,
    apply,
    approve,
    conflict,
    decision,
    done,
    granted,
    propose,
    reject,
    review,
)
from tests.spec import given


def without_account(command: CertificationCommand, *disabled: str) -> CertificationCommand:
    """The same command where some accounts are disabled."""
    return command.model_copy(update={"disabled": disabled})


class Attack(NamedTuple):
    name: str
    before: tuple[CertificationCommand, ...]
    tried: CertificationCommand
    refusal: type[Refused]
    actor: str | None = None


FILED = (apply(),)
REVIEWED = (*FILED, review())
PROPOSED = (*REVIEWED, propose("grant", ANNE))
REFUSED = (*REVIEWED, *decision("refuse"))
SANCTIONED = (*granted(), propose("suspend", ANNE, case_id=SANCTION))
REVOKED = (*granted(), *decision("revoke", case_id=SANCTION))
APPEALED = (*REFUSED, appeal(APPLICATION))
APPEAL_PROPOSED = (*APPEALED, propose("accept_appeal", CHLOE, case_id=APPEAL))
SANCTION_APPEALED = (*REVOKED, appeal(SANCTION))
SIGNATORIES = {"proposed": ANNE, "approved": BRUNO}
DECIDERS = SIGNATORIES | {"reviewed": REVIEWER}

ATTACKS = (
    # The proposer signs twice.
    Attack("approves her own proposal", PROPOSED, approve(ANNE), SamePersonTwice),
    Attack("rejects her own proposal", PROPOSED, reject(ANNE), SamePersonTwice),
    Attack("sanctions alone", SANCTIONED, approve(ANNE, case_id=SANCTION), SamePersonTwice),
    Attack(
        "decides an appeal alone", APPEAL_PROPOSED, approve(CHLOE, case_id=APPEAL), SamePersonTwice
    ),
    Attack(
        "spells her account otherwise",
        (*REVIEWED, propose("grant", account(0xABCDEF), committee=[account(0xABCDEF)])),
        approve(account(0xABCDEF).replace("abcdef", "ABCDEF")),
        JudgeWithoutAccount,
    ),
    Attack("comes by the console", PROPOSED, approve("console:anne"), JudgeWithoutAccount),
    Attack("comes as a till", PROPOSED, approve(f"till:{UUID(int=9)}"), JudgeWithoutAccount),
    # One person, two roles.
    Attack("reviews, then proposes", REVIEWED, propose("grant", REVIEWER), ReviewerDecides),
    Attack("reviews, then approves", PROPOSED, approve(REVIEWER), ReviewerDecides),
    Attack("reviews, then rejects", PROPOSED, reject(REVIEWER), ReviewerDecides),
    Attack("applies, then reviews", FILED, review(SHOPKEEPER, people=()), JudgeSpeaksForPartner),
    Attack("applies, then approves", PROPOSED, approve(SHOPKEEPER), JudgeSpeaksForPartner),
    Attack(
        "became its contact, then approves",
        PROPOSED,
        approve(people=(*PEOPLE, BRUNO)),
        JudgeSpeaksForPartner,
        BRUNO,
    ),
    Attack(
        "proposed, and became its contact",
        PROPOSED,
        approve(people=(*PEOPLE, ANNE)),
        JudgeSpeaksForPartner,
        ANNE,
    ),
    # A declared conflict.
    Attack("reviews in spite of it", (*FILED, conflict(REVIEWER)), review(), ConflictOfInterest),
    Attack(
        "proposes in spite of it", (*REVIEWED, conflict(ANNE)), propose("grant"), ConflictOfInterest
    ),
    Attack("approves in spite of it", (*PROPOSED, conflict(BRUNO)), approve(), ConflictOfInterest),
    Attack("rejects in spite of it", (*PROPOSED, conflict(BRUNO)), reject(), ConflictOfInterest),
    Attack(
        "declared after the review: the review is void",
        (*REVIEWED, conflict(REVIEWER)),
        propose("grant"),
        ApplicationNotReviewed,
    ),
    Attack(
        "declared after the proposal on it: the proposal is void",
        (*PROPOSED, conflict(REVIEWER)),
        approve(),
        ProposalNotPending,
    ),
    Attack(
        "declared by the proposer: the proposal is void",
        (*PROPOSED, conflict(ANNE)),
        approve(),
        ProposalNotPending,
    ),
    Attack(
        "declared in the sanction: no part in the appeal",
        (*SANCTION_APPEALED, conflict(CHLOE)),
        propose("dismiss_appeal", CHLOE, case_id=APPEAL),
        ConflictOfInterest,
    ),
    # A disabled account.
    Attack("reviews", FILED, without_account(review(), REVIEWER), JudgeDisabled),
    Attack("proposes", REVIEWED, without_account(propose("grant"), ANNE), JudgeDisabled),
    Attack("approves", PROPOSED, without_account(approve(), BRUNO), JudgeDisabled),
    Attack("rejects", PROPOSED, without_account(reject(), BRUNO), JudgeDisabled),
    Attack("proposed before", PROPOSED, without_account(approve(), ANNE), JudgeDisabled, ANNE),
    # A seat on the committee that was lost, or never held.
    Attack(
        "proposes without a seat",
        REVIEWED,
        propose("grant", ANNE, committee=[BRUNO]),
        JudgeNotOnCommittee,
        ANNE,
    ),
    Attack(
        "approves without a seat",
        PROPOSED,
        approve(BRUNO, committee=[ANNE]),
        JudgeNotOnCommittee,
        BRUNO,
    ),
    Attack(
        "rejects without a seat",
        PROPOSED,
        reject(BRUNO, committee=[ANNE]),
        JudgeNotOnCommittee,
        BRUNO,
    ),
    Attack(
        "proposed, then lost the seat",
        PROPOSED,
        approve(BRUNO, committee=[BRUNO, CHLOE]),
        JudgeNotOnCommittee,
        ANNE,
    ),
    Attack(
        "proposed a sanction, then lost the seat",
        SANCTIONED,
        approve(BRUNO, case_id=SANCTION, committee=[BRUNO, CHLOE]),
        JudgeNotOnCommittee,
        ANNE,
    ),
    # A review that speaks against it.
    Attack(
        "certifies against the review",
        (*FILED, review(unmet=KEYS[0], recommendation="refuse")),
        propose("grant", ANNE),
        ReviewSpeaksAgainst,
    ),
    # An appeal before those who decided.
    *(
        Attack(
            f"decided on before, and proposes: {role}",
            APPEALED,
            propose("dismiss_appeal", person, case_id=APPEAL),
            DecidedBefore,
        )
        for role, person in DECIDERS.items()
    ),
    *(
        Attack(
            f"decided on before, and approves: {role}",
            APPEAL_PROPOSED,
            approve(person, case_id=APPEAL),
            DecidedBefore,
        )
        for role, person in DECIDERS.items()
    ),
    *(
        Attack(
            f"sanctioned before, and decides: {role}",
            SANCTION_APPEALED,
            propose("dismiss_appeal", person, case_id=APPEAL),
            DecidedBefore,
        )
        for role, person in SIGNATORIES.items()
    ),
    Attack(
        "rejected a proposal of it before",
        (*PROPOSED, reject(CHLOE), propose("refuse"), approve(number=2), appeal(APPLICATION)),
        propose("accept_appeal", CHLOE, case_id=APPEAL),
        DecidedBefore,
    ),
    Attack(
        "a proposal that changed",
        (*PROPOSED, reject(), propose("refuse", BRUNO)),
        approve(DAVID, number=1),
        ProposalNotPending,
    ),
)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda one: one.name)
def test_an_attack_is_refused_by_its_name(attack: Attack) -> None:
    facts = {} if attack.actor is None else {"actor": attack.actor}
    given(certification, *done(*attack.before)).when(attack.tried).then_refused(
        attack.refusal, **facts
    )


@pytest.mark.parametrize(
    ("before", "honest"),
    [
        (PROPOSED, approve()),
        (SANCTIONED, approve(case_id=SANCTION)),
        (APPEAL_PROPOSED, approve(DAVID, case_id=APPEAL)),
        # A disabled account can be answered, only not leaned on; its review before stays good.
        (PROPOSED, without_account(reject(), ANNE)),
        (PROPOSED, without_account(approve(), REVIEWER)),
        # Who lost the seat is answered as well, and the reviewer never needed one.
        (PROPOSED, reject(committee=[BRUNO])),
        (PROPOSED, approve(committee=[ANNE, BRUNO])),
    ],
)
def test_the_same_is_done_by_honest_people(
    before: tuple[CertificationCommand, ...], honest: CertificationCommand
) -> None:
    assert certification.decide(honest, certification.fold(done(*before)))


COMPLAINT = UUID(int=77)
JUDGES: dict[str, Any] = {"at": NOON, "complaint_id": COMPLAINT}


@pytest.mark.parametrize(
    ("kind", "more"),
    [(AnswerComplaint, {}), (CloseComplaint, {"outcome": "withdrawn"})],
)
def test_a_complaint_is_judged_without_interest(kind: type[Handling], more: dict[str, Any]) -> None:
    opening = OpenComplaint(
        actor="public", partner_id=SHOP, subject_id=UUID(int=78), topic="staff", **JUDGES
    )
    history = complaint.decide(opening, complaint.initial)

    def tried(**by: Any) -> Any:
        return kind(**JUDGES | more | {"actor": ANNE, "partner_people": ()} | by)

    before = given(complaint, *history)
    before.when(tried(partner_people=(ANNE,))).then_refused(ComplaintJudgedByPartner)
    before.when(tried(interested=(ANNE,))).then_refused(ComplaintJudgedWithInterest)
    assert complaint.decide(tried(interested=(BRUNO,)), complaint.fold(history))
