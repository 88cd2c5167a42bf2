from typing import Any

import pytest
from pydantic import ValidationError

from ledger.partners.certifications.commands import (
    ApplicationDiffers,
    ApplicationNotReviewed,
    ApplicationOpen,
    ApplicationReviewed,
    CaseNotFound,
    CertificationCommand,
    ChecklistUnknown,
    ConflictOfInterest,
    JudgeSpeaksForPartner,
    JudgeWithoutAccount,
    MeasureNotPossible,
    NotCertified,
    NothingToReinstate,
    RequirementUnmet,
    ReviewerDecides,
    ReviewIncomplete,
    ReviewSpeaksAgainst,
)
from ledger.partners.certifications.decider import certification
from ledger.partners.certifications.events import (
    ApplicationFiled,
    ApplicationWithdrawn,
    ConflictDeclared,
    DecisionProposed,
    EvidenceAdded,
    Measure,
    ReviewRecorded,
)
from ledger.partners.words import ValidityReversed
from tests.ledger.partners.case_files import THREE_YEARS, after, told
from tests.ledger.partners.papers import (
    ANNE,
    APPLICATION,
    CHARTER,
    CHLOE,
    KEYS,
    PLAN,
    RENEWAL,
    REVIEWER,
    SANCTION,
    SHOPKEEPER,
    TODAY,
    add,
    appeal,
    apply,
    approve,
    conflict,
    decision,
    done,
    end,
    propose,
    reject,
    review,
    withdraw,
)
from tests.spec import given


class TestNothingYet:
    def test_an_application_is_filed_with_its_evidence(self) -> None:
        filed = ApplicationFiled(
            **told(SHOPKEEPER),
            application_id=APPLICATION,
            renewal=False,
            evidence=(CHARTER,),
            filed_on=TODAY,
        )
        after().when(apply()).then(filed)

    @pytest.mark.parametrize(
        "command", [add(), withdraw(), review(), propose("grant"), approve(), reject()]
    )
    def test_there_is_no_case_to_work_on(self, command: CertificationCommand) -> None:
        after().when(command).then_refused(CaseNotFound, case_id=APPLICATION)

    @pytest.mark.parametrize("measure", ["suspend", "revoke"])
    def test_nobody_is_sanctioned_who_was_never_certified(self, measure: Measure) -> None:
        after().when(propose(measure, case_id=SANCTION)).then_refused(NotCertified)

    def test_there_is_nothing_to_reinstate_end_or_appeal(self) -> None:
        after().when(propose("reinstate", case_id=SANCTION)).then_refused(NothingToReinstate)
        after().when(end()).then_refused(NotCertified)
        after().when(appeal(APPLICATION)).then_refused(CaseNotFound)


class TestFiled:
    def test_the_same_again_is_a_repeat(self) -> None:
        after(apply()).when(apply()).then()

    def test_it_stays_a_repeat_after_papers_were_added(self) -> None:
        after(apply(), add()).when(apply()).then()

    def test_other_papers_under_its_id_are_refused(self) -> None:
        after(apply()).when(apply(evidence=[PLAN])).then_refused(ApplicationDiffers)

    def test_a_second_one_waits_for_the_first(self) -> None:
        after(apply()).when(apply(RENEWAL)).then_refused(ApplicationOpen, case_id=APPLICATION)

    def test_papers_are_added(self) -> None:
        added = EvidenceAdded(**told(SHOPKEEPER), application_id=APPLICATION, evidence=(PLAN,))
        after(apply()).when(add()).then(added)

    def test_it_is_withdrawn(self) -> None:
        gone = ApplicationWithdrawn(
            **told(SHOPKEEPER), application_id=APPLICATION, withdrawn_on=TODAY
        )
        after(apply()).when(withdraw()).then(gone)

    def test_it_is_reviewed_with_a_declaration(self) -> None:
        command = review()
        recorded = ReviewRecorded(
            **told(REVIEWER),
            application_id=APPLICATION,
            checklist_version=1,
            findings=command.findings,
            recommendation="grant",
            declaration="no_conflict",
            reviewed_on=TODAY,
        )
        after(apply()).when(command).then(recorded)

    @pytest.mark.parametrize("keys", [KEYS[1:], (*KEYS, "more"), KEYS[::-1], (*KEYS[:-1], KEYS[0])])
    def test_a_review_answers_each_requirement_once(self, keys: tuple[str, ...]) -> None:
        after(apply()).when(review(keys=keys)).then_refused(ReviewIncomplete)

    def test_a_review_names_a_published_checklist(self) -> None:
        after(apply()).when(review(version=2)).then_refused(ChecklistUnknown, version=2)

    def test_a_review_does_not_recommend_against_its_findings(self) -> None:
        unmet = review(unmet=KEYS[0])
        after(apply()).when(unmet).then_refused(RequirementUnmet, requirements=[KEYS[0]])
        assert len(done(apply(), review(unmet=KEYS[0], recommendation="refuse"))) == 2
        assert len(done(apply(), review(unmet=KEYS[-1]))) == 2

    @pytest.mark.parametrize(
        "person", ["console:anne", "public", "clock", "till:" + REVIEWER[8:], REVIEWER.upper()]
    )
    def test_only_a_person_with_an_account_reviews(self, person: str) -> None:
        after(apply()).when(review(person)).then_refused(JudgeWithoutAccount)

    def test_who_applied_does_not_review(self) -> None:
        alone = review(SHOPKEEPER, people=())
        after(apply()).when(alone).then_refused(JudgeSpeaksForPartner)

    def test_a_contact_of_the_partner_does_not_review(self) -> None:
        after(apply()).when(review(people=[REVIEWER])).then_refused(JudgeSpeaksForPartner)

    def test_who_declared_a_conflict_does_not_review(self) -> None:
        after(apply(), conflict(REVIEWER)).when(review()).then_refused(ConflictOfInterest)

    @pytest.mark.parametrize("measure", ["grant", "refuse"])
    def test_it_is_not_decided_before_its_review(self, measure: Measure) -> None:
        after(apply()).when(propose(measure)).then_refused(ApplicationNotReviewed)


class TestReviewed:
    READY = (apply(), review())

    def test_a_second_review_is_refused(self) -> None:
        after(*self.READY).when(review(CHLOE)).then_refused(ApplicationReviewed)

    def test_a_reviewer_who_declares_a_conflict_leaves_no_review(self) -> None:
        declared = ConflictDeclared(**told(REVIEWER))
        after(*self.READY).when(conflict(REVIEWER)).then(declared)
        late = (*self.READY, conflict(REVIEWER))
        after(*late).when(propose("grant")).then_refused(ApplicationNotReviewed)
        assert done(*late, review(CHLOE))

    def test_a_first_person_proposes_for_three_years(self) -> None:
        proposed = DecisionProposed(
            **told(ANNE),
            case_id=APPLICATION,
            number=1,
            measure="grant",
            first_on=TODAY,
            last_on=THREE_YEARS,
            declaration="no_conflict",
        )
        after(*self.READY).when(propose("grant")).then(proposed)

    @pytest.mark.parametrize("unmet", ["", KEYS[0]])
    def test_it_is_not_granted_against_its_review(self, unmet: str) -> None:
        against = (apply(), review(unmet=unmet, recommendation="refuse"))
        named = [unmet] if unmet else []
        refused = after(*against).when(propose("grant"))
        refused.then_refused(ReviewSpeaksAgainst, requirements=named)
        assert done(*against, *decision("refuse"))

    def test_a_grant_proposed_before_this_was_a_rule_is_not_approved(self) -> None:
        filed, reviewed, proposed = done(*self.READY, propose("grant"))
        assert isinstance(reviewed, ReviewRecorded)
        against = reviewed.model_copy(update={"recommendation": "refuse"})
        stored = given(certification, filed, against, proposed)
        stored.when(approve()).then_refused(ReviewSpeaksAgainst)
        assert certification.decide(reject(), certification.fold([filed, against, proposed]))

    def test_a_refusal_needs_a_reason_and_a_grant_has_none(self) -> None:
        whole = propose("grant").model_dump()
        for wrong in ({"measure": "refuse"}, {"reason": "charter_breached"}):
            with pytest.raises(ValidationError):
                type(propose("grant"))(**whole | wrong)

    @pytest.mark.parametrize("measure", ["suspend", "revoke", "reinstate", "dismiss_appeal"])
    def test_it_is_granted_or_refused_and_nothing_else(self, measure: Measure) -> None:
        after(*self.READY).when(propose(measure)).then_refused(MeasureNotPossible)

    def test_its_last_day_does_not_come_first(self) -> None:
        wrong = propose("grant", first=5, last=4)
        after(*self.READY).when(wrong).then_refused(ValidityReversed)

    @pytest.mark.parametrize(
        ("person", "refusal"),
        [
            (REVIEWER, ReviewerDecides),
            (SHOPKEEPER, JudgeSpeaksForPartner),
            (CHLOE, ConflictOfInterest),
            ("console:anne", JudgeWithoutAccount),
        ],
    )
    def test_some_people_neither_propose_nor_approve_nor_reject(
        self, person: str, refusal: type[Any]
    ) -> None:
        ready = (*self.READY, conflict(CHLOE))
        after(*ready).when(propose("grant", person)).then_refused(refusal)
        proposed = (*ready, propose("grant"))
        after(*proposed).when(approve(person)).then_refused(refusal)
        after(*proposed).when(reject(person)).then_refused(refusal)

    def test_a_reviewer_found_to_speak_for_the_partner_spoils_the_decision(self) -> None:
        command = propose("grant", people=[SHOPKEEPER, REVIEWER])
        after(*self.READY).when(command).then_refused(JudgeSpeaksForPartner, actor=REVIEWER)
