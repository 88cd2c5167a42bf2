from datetime import date
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from ledger.events import decode, encode
from ledger.partners.certifications.commands import (
    AppealTooLate,
    ApplicationDiffers,
    ApplicationNotReviewed,
    ApplicationOpen,
    ApplicationReviewed,
    CaseIsClosed,
    CaseNotFound,
    CertificationCommand,
    ChecklistUnknown,
    ConflictOfInterest,
    DecidedBefore,
    EndCertification,
    EndIsSet,
    EndTooLate,
    JudgeSpeaksForPartner,
    JudgeWithoutAccount,
    MeasureNotPossible,
    NotCertified,
    NothingToAppeal,
    NothingToReinstate,
    OvertakenByDecision,
    ProposalNotPending,
    ProposalPending,
    ProposeDecision,
    RequirementUnmet,
    ReviewerDecides,
    ReviewIncomplete,
    ReviewSpeaksAgainst,
    SamePersonTwice,
)
from ledger.partners.certifications.decider import certification
from ledger.partners.certifications.decisions import last_day
from ledger.partners.certifications.events import (
    AppealAccepted,
    AppealDismissed,
    AppealFiled,
    ApplicationFiled,
    ApplicationRefused,
    ApplicationWithdrawn,
    CertificationEnded,
    CertificationEvent,
    CertificationGranted,
    CertificationReinstated,
    CertificationRenewed,
    CertificationRevoked,
    CertificationSuspended,
    ConflictDeclared,
    DecisionProposed,
    DecisionRejected,
    EvidenceAdded,
    Measure,
    ReviewRecorded,
)
from ledger.partners.words import ValidityReversed
from tests.ledger.partners.papers import (
    ANNE,
    APPEAL,
    APPLICATION,
    BRUNO,
    CHARTER,
    CHLOE,
    DAVID,
    KEYS,
    NOON,
    OTHER_SANCTION,
    PLAN,
    RENEWAL,
    REVIEWER,
    SANCTION,
    SHOP,
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
    granted,
    on,
    propose,
    reject,
    review,
    when,
    withdraw,
)
from tests.spec import When, given

THREE_YEARS = last_day(TODAY)


def after(*commands: CertificationCommand) -> "After":
    return After(*commands)


class After:
    """The file as these commands, all carried out, leave it."""

    def __init__(self, *commands: CertificationCommand) -> None:
        self.history = done(*commands)

    def when(
        self, command: CertificationCommand
    ) -> When[CertificationCommand, Any, CertificationEvent]:
        return given(certification, *self.history).when(command)


def told(person: str, day: int = 0) -> dict[str, Any]:
    return {"recorded_at": when(day), "actor": person, "partner_id": SHOP}


def outcome(case_id: UUID = APPLICATION, day: int = 0) -> dict[str, Any]:
    return told(BRUNO, day) | {"case_id": case_id, "proposed_by": ANNE, "decided_on": on(day)}


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


class TestProposed:
    PROPOSED = (apply(), review(), propose("grant"))

    def test_a_second_person_grants(self) -> None:
        certified = CertificationGranted(**outcome(), valid_from=TODAY, valid_until=THREE_YEARS)
        after(*self.PROPOSED).when(approve()).then(certified)

    def test_the_first_person_is_not_the_second(self) -> None:
        after(*self.PROPOSED).when(approve(ANNE)).then_refused(SamePersonTwice)
        after(*self.PROPOSED).when(reject(ANNE)).then_refused(SamePersonTwice)

    def test_it_waits_for_its_answer(self) -> None:
        other = propose("refuse", BRUNO)
        after(*self.PROPOSED).when(other).then_refused(ProposalPending, number=1)

    def test_a_second_person_rejects(self) -> None:
        rejected = DecisionRejected(**told(BRUNO), case_id=APPLICATION, number=1)
        after(*self.PROPOSED).when(reject()).then(rejected)

    def test_another_proposal_is_not_approved_unread(self) -> None:
        again = (*self.PROPOSED, reject(), propose("refuse", BRUNO))
        after(*again).when(approve(CHLOE, number=1)).then_refused(ProposalNotPending)
        assert done(*again, approve(CHLOE, number=2))

    def test_a_proposer_who_declares_a_conflict_leaves_no_proposal(self) -> None:
        late = (*self.PROPOSED, conflict(ANNE))
        after(*late).when(approve()).then_refused(ProposalNotPending)
        assert done(*late, propose("grant", CHLOE), approve(number=2))

    def test_a_proposer_found_to_speak_for_the_partner_is_no_first_person(self) -> None:
        command = approve(people=[SHOPKEEPER, ANNE])
        after(*self.PROPOSED).when(command).then_refused(JudgeSpeaksForPartner, actor=ANNE)

    def test_a_decision_is_never_backdated(self) -> None:
        late = CertificationGranted(**outcome(day=9), valid_from=on(9), valid_until=THREE_YEARS)
        after(*self.PROPOSED).when(approve(day=9)).then(late)

    def test_a_grant_that_is_over_is_not_approved(self) -> None:
        short = (apply(), review(), propose("grant", last=3))
        after(*short).when(approve(day=4)).then_refused(ValidityReversed)

    def test_a_refusal_is_approved(self) -> None:
        refused = ApplicationRefused(
            **told(BRUNO),
            case_id=APPLICATION,
            proposed_by=ANNE,
            reason="requirements_unmet",
            refused_on=TODAY,
        )
        after(apply(), review(), propose("refuse")).when(approve()).then(refused)

    def test_a_withdrawn_application_is_not_decided(self) -> None:
        after(*self.PROPOSED, withdraw()).when(approve()).then_refused(CaseIsClosed)


class TestGranted:
    def test_each_signature_again_is_a_repeat(self) -> None:
        after(*granted()).when(propose("grant")).then()
        after(*granted()).when(approve()).then()

    def test_another_signature_comes_too_late(self) -> None:
        after(*granted()).when(approve(CHLOE)).then_refused(CaseIsClosed)
        after(*granted()).when(propose("refuse", CHLOE)).then_refused(CaseIsClosed)
        after(*granted()).when(withdraw()).then_refused(CaseIsClosed)

    def test_it_is_renewed_by_another_application(self) -> None:
        again = (apply(RENEWAL, day=900), review(case_id=RENEWAL, day=900))
        proposed = propose("grant", case_id=RENEWAL, day=900, first=1096)
        renewed = CertificationRenewed(
            **outcome(RENEWAL, day=901), valid_from=on(1096), valid_until=last_day(on(1096))
        )
        ready = (*granted(), *again, proposed)
        after(*ready).when(approve(case_id=RENEWAL, day=901)).then(renewed)

    def test_one_person_alone_suspends_nobody(self) -> None:
        proposed = (*granted(), propose("suspend", case_id=SANCTION, last=30))
        after(*proposed).when(approve(ANNE, case_id=SANCTION)).then_refused(SamePersonTwice)
        suspended = CertificationSuspended(
            **outcome(SANCTION, day=2),
            reason="statements_overdue",
            suspended_from=on(2),
            suspended_until=on(30),
        )
        after(*proposed).when(approve(case_id=SANCTION, day=2)).then(suspended)

    def test_it_is_revoked(self) -> None:
        revoked = CertificationRevoked(
            **outcome(SANCTION), reason="charter_breached", revoked_on=TODAY
        )
        proposed = (*granted(), propose("revoke", case_id=SANCTION))
        after(*proposed).when(approve(case_id=SANCTION)).then(revoked)

    def test_the_partner_ends_it(self) -> None:
        ended = CertificationEnded(**told(SHOPKEEPER, 3), ended_on=on(10))
        after(*granted()).when(end(3, ended_on=10)).then(ended)

    def test_it_can_be_sanctioned_until_the_end_it_chose(self) -> None:
        leaving = (*granted(), end(ended_on=300))
        for measure in ("suspend", "revoke"):
            assert done(*leaving, *decision(measure, case_id=SANCTION, day=9))
            late = propose(measure, case_id=SANCTION, day=300)
            after(*leaving).when(late).then_refused(NotCertified)

    def test_an_end_chosen_between_the_two_signatures_stops_neither(self) -> None:
        proposed = (*granted(), propose("revoke", case_id=SANCTION), end(ended_on=300))
        revoked = CertificationRevoked(
            **outcome(SANCTION), reason="charter_breached", revoked_on=TODAY
        )
        after(*proposed).when(approve(case_id=SANCTION)).then(revoked)

    def test_an_earlier_end_takes_the_place_of_a_later_one(self) -> None:
        leaving = (*granted(), end(ended_on=300))
        ended = CertificationEnded(**told(SHOPKEEPER, 3), ended_on=on(10))
        after(*leaving).when(end(3, ended_on=10)).then(ended)
        after(*leaving).when(end(3, ended_on=301)).then_refused(EndIsSet, ended_on=on(300))
        after(*leaving).when(end(3, ended_on=300)).then()
        after(*leaving).when(end(300, ended_on=310)).then_refused(NotCertified)

    def test_it_ends_within_a_year(self) -> None:
        assert done(*granted(), end(3, ended_on=368))
        after(*granted()).when(end(3, ended_on=369)).then_refused(EndTooLate, last_on=on(368))

    def test_what_is_asked_while_it_leaves_is_a_new_certification(self) -> None:
        history = done(*granted(), end(ended_on=300), apply(RENEWAL, day=5))
        assert isinstance(history[-1], ApplicationFiled)
        assert not history[-1].renewal

    def test_an_end_is_not_backdated(self) -> None:
        ended = CertificationEnded(**told(SHOPKEEPER, 3), ended_on=on(3))
        after(*granted()).when(end(3, ended_on=1)).then(ended)

    def test_a_grant_is_not_appealed(self) -> None:
        after(*granted()).when(appeal(APPLICATION)).then_refused(NothingToAppeal)


class TestSuspended:
    SUSPENDED = (*granted(), *decision("suspend", case_id=SANCTION))

    def test_two_people_reinstate_it(self) -> None:
        proposed = (*self.SUSPENDED, propose("reinstate", case_id=OTHER_SANCTION, day=5))
        back = CertificationReinstated(**outcome(OTHER_SANCTION, day=5), reinstated_on=on(5))
        after(*proposed).when(approve(case_id=OTHER_SANCTION, day=5)).then(back)

    def test_what_ended_by_itself_is_not_reinstated(self) -> None:
        short = (*granted(), *decision("suspend", case_id=SANCTION, last=10))
        late = propose("reinstate", case_id=OTHER_SANCTION, day=11)
        after(*short).when(late).then_refused(NothingToReinstate)


class TestRevoked:
    REVOKED = (*granted(), *decision("revoke", case_id=SANCTION))

    def test_before_its_day_it_is_suspended_at_once_or_revoked_earlier(self) -> None:
        later = (*granted(), *decision("revoke", case_id=SANCTION, first=30))
        assert done(*later, *decision("suspend", case_id=OTHER_SANCTION, day=2))
        assert done(*later, *decision("revoke", case_id=OTHER_SANCTION, day=2))
        again = propose("suspend", case_id=OTHER_SANCTION, day=30)
        after(*later).when(again).then_refused(NotCertified)

    @pytest.mark.parametrize("measure", ["suspend", "revoke"])
    def test_it_is_not_sanctioned_again(self, measure: Measure) -> None:
        again = propose(measure, case_id=OTHER_SANCTION)
        after(*self.REVOKED).when(again).then_refused(NotCertified)

    def test_it_is_not_reinstated_without_an_appeal(self) -> None:
        back = propose("reinstate", case_id=OTHER_SANCTION)
        after(*self.REVOKED).when(back).then_refused(NothingToReinstate)

    def test_it_may_apply_anew_but_not_renew(self) -> None:
        history = done(*self.REVOKED, apply(RENEWAL))
        assert isinstance(history[-1], ApplicationFiled)
        assert not history[-1].renewal

    def test_a_renewal_under_way_does_not_undo_it(self) -> None:
        under_way = (*granted(), apply(RENEWAL), review(case_id=RENEWAL))
        revoked = (*under_way, *decision("revoke", case_id=SANCTION))
        proposed = (*revoked, propose("grant", case_id=RENEWAL))
        after(*proposed).when(approve(case_id=RENEWAL)).then_refused(OvertakenByDecision)


class TestAppeal:
    REFUSED = (apply(), review(), *decision("refuse"))
    SUSPENDED = (*granted(), *decision("suspend", case_id=SANCTION))
    REVOKED = (*granted(), *decision("revoke", case_id=SANCTION))
    OTHERS = (CHLOE, DAVID)

    def test_a_refusal_is_appealed_in_time_and_once(self) -> None:
        filed = AppealFiled(
            **told(SHOPKEEPER, 60),
            appeal_id=APPEAL,
            against_case_id=APPLICATION,
            grounds=(PLAN,),
            filed_on=on(60),
        )
        after(*self.REFUSED).when(appeal(APPLICATION, day=60)).then(filed)
        after(*self.REFUSED).when(appeal(APPLICATION, day=61)).then_refused(AppealTooLate)
        twice = appeal(APPLICATION, OTHER_SANCTION)
        after(*self.REFUSED, appeal(APPLICATION)).when(twice).then_refused(NothingToAppeal)

    @pytest.mark.parametrize("person", [ANNE, BRUNO, REVIEWER])
    def test_who_took_part_before_does_not_decide_it(self, person: str) -> None:
        filed = (*self.REFUSED, appeal(APPLICATION))
        again = propose("dismiss_appeal", person, case_id=APPEAL)
        after(*filed).when(again).then_refused(DecidedBefore, actor=person)
        proposed = (*filed, propose("dismiss_appeal", CHLOE, case_id=APPEAL))
        after(*proposed).when(approve(person, case_id=APPEAL)).then_refused(DecidedBefore)

    def test_who_rejected_the_decision_took_part_as_well(self) -> None:
        rejected = (apply(), review(), propose("grant"), reject(CHLOE))
        refused = (*rejected, propose("refuse"), approve(number=2))
        again = propose("accept_appeal", CHLOE, case_id=APPEAL)
        after(*refused, appeal(APPLICATION)).when(again).then_refused(DecidedBefore)

    def test_two_others_dismiss_it(self) -> None:
        proposed = (
            *self.REFUSED,
            appeal(APPLICATION),
            propose("dismiss_appeal", CHLOE, case_id=APPEAL),
        )
        dismissed = AppealDismissed(
            **told(DAVID),
            appeal_id=APPEAL,
            against_case_id=APPLICATION,
            proposed_by=CHLOE,
            decided_on=TODAY,
        )
        after(*proposed).when(approve(CHLOE, case_id=APPEAL)).then_refused(SamePersonTwice)
        after(*proposed).when(approve(DAVID, case_id=APPEAL)).then(dismissed)

    def test_an_appeal_won_against_a_refusal_certifies(self) -> None:
        won = (*decision("accept_appeal", case_id=APPEAL, by=self.OTHERS, day=4),)
        *_, accepted, certified = done(*self.REFUSED, appeal(APPLICATION), *won)
        assert isinstance(accepted, AppealAccepted)
        assert isinstance(certified, CertificationGranted)
        assert (certified.valid_from, certified.valid_until) == (on(4), last_day(on(4)))

    @pytest.mark.parametrize("history", [SUSPENDED, REVOKED])
    def test_an_appeal_won_against_a_sanction_lifts_that_sanction(
        self, history: tuple[CertificationCommand, ...]
    ) -> None:
        won = (*decision("accept_appeal", case_id=APPEAL, by=self.OTHERS, day=4),)
        *_, accepted, lifted = done(*history, appeal(SANCTION), *won)
        assert isinstance(accepted, AppealAccepted)
        assert isinstance(lifted, CertificationReinstated)
        assert (lifted.lifted_case_id, lifted.reinstated_on) == (SANCTION, on(4))

    def test_a_revocation_is_not_undone_by_an_application_from_before_it(self) -> None:
        beside = (apply(RENEWAL), review(case_id=RENEWAL))
        won = decision("accept_appeal", case_id=APPEAL, by=self.OTHERS)
        revoked = decision("revoke", case_id=SANCTION)
        proposed = propose("grant", case_id=RENEWAL)
        late = (*self.REFUSED, appeal(APPLICATION), *beside, *won, *revoked, proposed)
        after(*late).when(approve(case_id=RENEWAL)).then_refused(OvertakenByDecision)
        # Once the revocation is lifted, nothing stands in its way.
        lifted = (
            *late,
            appeal(SANCTION, OTHER_SANCTION),
            *decision("accept_appeal", case_id=OTHER_SANCTION, by=self.OTHERS),
        )
        assert done(*lifted, approve(case_id=RENEWAL))

    def test_a_later_revocation_is_not_undone_by_an_older_appeal(self) -> None:
        anew = (
            apply(RENEWAL),
            review(case_id=RENEWAL),
            *decision("grant", case_id=RENEWAL),
            *decision("revoke", case_id=SANCTION),
        )
        proposed = propose("accept_appeal", CHLOE, case_id=APPEAL)
        late = (*self.REFUSED, appeal(APPLICATION), *anew, proposed)
        after(*late).when(approve(DAVID, case_id=APPEAL)).then_refused(OvertakenByDecision)


def test_a_sanction_is_opened_on_the_day_it_is_proposed() -> None:
    history = done(*granted(), propose("suspend", case_id=SANCTION, day=3, first=900))
    assert certification.fold(history).cases[SANCTION].opened_on == on(3)


@pytest.mark.parametrize("day", [date.min, date(1999, 12, 31), date(2201, 1, 1), date.max])
def test_no_command_takes_a_day_outside_of_the_calendar(day: date) -> None:
    suspension = propose("suspend", case_id=SANCTION).model_dump()
    for name in ("first_on", "last_on"):
        with pytest.raises(ValidationError):
            ProposeDecision(**suspension | {name: day})
    with pytest.raises(ValidationError):
        EndCertification(**end().model_dump() | {"ended_on": day})
    with pytest.raises(ValidationError):
        apply(evidence=[CHARTER.model_copy(update={"dated_on": day})])


def test_a_paper_is_titled_in_one_line_and_stays_readable_where_it_was_not() -> None:
    spoilt = CHARTER.model_copy(update={"title": "Charte\x00signée"})
    with pytest.raises(ValidationError):
        apply(evidence=[spoilt])
    filed = done(apply())[0].model_copy(update={"evidence": (spoilt,)})
    assert decode(*encode(filed)) == filed


def test_three_years_end_on_the_eve_of_their_day() -> None:
    assert last_day(NOON.date()).isoformat() == "2029-11-22"
    assert last_day(NOON.date().replace(year=2028, month=2, day=29)).isoformat() == "2031-02-28"
