import pytest

from ledger.partners.certifications.commands import (
    AppealTooLate,
    CertificationCommand,
    DecidedBefore,
    NotCertified,
    NothingToAppeal,
    NothingToReinstate,
    OvertakenByDecision,
    SamePersonTwice,
)
from ledger.partners.certifications.decisions import last_day
from ledger.partners.certifications.events import (
    AppealAccepted,
    AppealDismissed,
    AppealFiled,
    ApplicationFiled,
    CertificationGranted,
    CertificationReinstated,
    Measure,
)
from tests.ledger.partners.case_files import after, outcome, told
from tests.ledger.partners.papers import (
    ANNE,
    APPEAL,
    APPLICATION,
    BRUNO,
    CHLOE,
    DAVID,
    OTHER_SANCTION,
    PLAN,
    RENEWAL,
    REVIEWER,
    SANCTION,
    SHOPKEEPER,
    TODAY,
    appeal,
    apply,
    approve,
    decision,
    done,
    granted,
    on,
    propose,
    reject,
    review,
)


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
