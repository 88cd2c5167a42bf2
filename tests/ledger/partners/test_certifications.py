from datetime import date

import pytest
from pydantic import ValidationError

from ledger.events import decode, encode
from ledger.partners.certifications.commands import (
    CaseIsClosed,
    EndCertification,
    EndIsSet,
    EndTooLate,
    JudgeSpeaksForPartner,
    NotCertified,
    NothingToAppeal,
    ProposalNotPending,
    ProposalPending,
    ProposeDecision,
    SamePersonTwice,
)
from ledger.partners.certifications.decider import certification
from ledger.partners.certifications.decisions import last_day
from ledger.partners.certifications.events import (
    ApplicationFiled,
    ApplicationRefused,
    CertificationEnded,
    CertificationGranted,
    CertificationRenewed,
    CertificationRevoked,
    CertificationSuspended,
    DecisionRejected,
)
from ledger.partners.words import ValidityReversed
from tests.ledger.partners.case_files import THREE_YEARS, after, outcome, told
from tests.ledger.partners.papers import (
    ANNE,
    APPLICATION,
    BRUNO,
    CHARTER,
    CHLOE,
    NOON,
    RENEWAL,
    SANCTION,
    SHOPKEEPER,
    TODAY,
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
    withdraw,
)


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
