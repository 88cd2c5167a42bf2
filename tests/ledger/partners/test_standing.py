from datetime import date
from uuid import UUID

import pytest

from ledger.partners.facts import Overdue, PartnerFacts, StandingEvent, facts_of
from ledger.partners.register import PartnerActivated, PartnerSuspended
from ledger.partners.standing import StandingRule, Status, timeline
from tests.ledger.partners.lives import REGISTERED, facts, on_day
from tests.ledger.partners.papers import (
    APPEAL,
    APPLICATION,
    CHLOE,
    DAVID,
    NOON,
    OTHER_SANCTION,
    RENEWAL,
    SANCTION,
    SHOP,
    agreed,
    amend,
    appeal,
    apply,
    decision,
    end,
    granted,
    on,
    review,
    sign,
    terminate,
    withdraw,
)

LAPSES = 1096  # The first day after three years.


def statuses(found: PartnerFacts, *days: int) -> list[Status]:
    return [on_day(found, day).status for day in days]


def reasons(found: PartnerFacts, day: int) -> list[str]:
    return [reason.name for reason in on_day(found, day).reasons]


class TestNeverCertified:
    def test_a_registered_partner_is_registered(self) -> None:
        assert statuses(facts(), -1, 0, 9) == ["registered"] * 3
        assert reasons(facts(), -1) == ["not_registered_yet"]
        assert reasons(facts(), 0) == ["no_application"]

    def test_what_was_stored_before_certifications_makes_nobody_active(self) -> None:
        who = {"recorded_at": NOON, "actor": "console:anne", "partner_id": SHOP}
        old: list[StandingEvent] = [
            REGISTERED,
            PartnerActivated(**who, valid_from=on(0)),  # type: ignore[arg-type]
        ]
        suspended = PartnerSuspended(**who, reason="x")  # type: ignore[arg-type]
        assert statuses(facts_of(list(enumerate(old))), 0, 9) == ["registered"] * 2
        assert statuses(facts_of(list(enumerate([*old, suspended]))), 9) == ["registered"]

    def test_it_is_a_candidate_from_its_application_to_its_decision(self) -> None:
        refused = (apply(day=3), review(day=4), *decision("refuse", day=8))
        assert statuses(facts(*refused), 2, 3, 7, 8, 99) == [
            *("registered", "candidate", "candidate", "refused", "refused")
        ]
        assert on_day(facts(*refused), 8).reasons[0].detail == "requirements_unmet"

    def test_a_withdrawn_application_leaves_no_trace_on_its_standing(self) -> None:
        gone = facts(apply(day=3), withdraw(day=5))
        assert statuses(gone, 3, 5) == ["candidate", "registered"]

    def test_a_second_application_makes_it_a_candidate_again(self) -> None:
        again = (apply(), review(), *decision("refuse"), apply(RENEWAL, day=9))
        assert statuses(facts(*again), 8, 9) == ["refused", "candidate"]


class TestCertified:
    def test_it_is_active_for_three_years_with_an_agreement(self) -> None:
        found = facts(*granted())
        assert statuses(found, 0, LAPSES - 1, LAPSES) == ["active", "active", "lapsed"]
        assert reasons(found, 0) == ["certified", "agreement_in_force"]
        assert on_day(found, 0).reasons[1].detail == "2026-014"

    def test_before_its_first_day_it_is_a_candidate(self) -> None:
        later = (apply(), review(), *decision("grant", first=10))
        assert statuses(facts(*later), 9, 10) == ["candidate", "active"]
        assert reasons(facts(*later), 9) == ["certification_to_come"]

    def test_it_is_not_active_without_an_agreement(self) -> None:
        found = facts(*granted(), agreements=[])
        assert statuses(found, 0) == ["registered"]
        assert reasons(found, 0) == ["certified", "agreement_missing"]

    def test_it_is_active_only_while_the_agreement_is_in_force(self) -> None:
        found = facts(*granted(), agreements=agreed(sign(5, 20)))
        assert statuses(found, 4, 5, 20, 21) == ["registered", "active", "active", "lapsed"]

    def test_an_amendment_prolongs_the_agreement(self) -> None:
        found = facts(*granted(), agreements=agreed(sign(0, 20), amend(15, 50)))
        assert statuses(found, 20, 21, 50, 51) == ["active", "active", "active", "lapsed"]

    def test_a_late_amendment_does_not_fill_the_gap_before_it(self) -> None:
        found = facts(*granted(), agreements=agreed(sign(0, 20), amend(30, 50)))
        assert statuses(found, 20, 21, 29, 30) == ["active", "lapsed", "lapsed", "active"]

    def test_what_is_amended_from_a_day_on_is_said_from_that_day_on(self) -> None:
        papers = agreed(sign(), amend(30, regime="own_money", at=NOON), amend(60, at=NOON))
        (contract,) = facts(agreements=papers).agreements
        regimes = [contract.terms_on(on(day)).regime for day in (-1, 0, 29, 30, 59, 60)]
        assert regimes == [*["mandate"] * 3, "own_money", "own_money", "mandate"]
        assert len(contract.spans) == 1

    def test_of_two_amendments_of_one_day_the_second_counts(self) -> None:
        papers = agreed(sign(), amend(5, regime="own_name"), amend(5, regime="own_money"))
        (contract,) = facts(agreements=papers).agreements
        assert contract.terms_on(on(5)).regime == "own_money"

    def test_the_end_of_the_agreement_ends_it(self) -> None:
        found = facts(*granted(), agreements=agreed(sign(), terminate(9)))
        assert statuses(found, 8, 9) == ["active", "lapsed"]
        assert reasons(found, 9) == ["certified", "agreement_over"]

    def test_a_renewal_in_time_leaves_no_gap(self) -> None:
        renewed = (
            *granted(),
            apply(RENEWAL, day=1000),
            review(case_id=RENEWAL, day=1000),
            *decision("grant", case_id=RENEWAL, day=1010, first=LAPSES),
        )
        found = facts(*renewed)
        assert statuses(found, 1000, LAPSES - 1, LAPSES, 2 * LAPSES - 1) == ["active"] * 4
        assert statuses(found, 2 * LAPSES) == ["lapsed"]

    def test_a_late_renewal_leaves_one(self) -> None:
        late = (
            *granted(),
            apply(RENEWAL, day=LAPSES),
            review(case_id=RENEWAL, day=LAPSES),
            *decision("grant", case_id=RENEWAL, day=LAPSES + 9),
        )
        found = facts(*late)
        assert statuses(found, LAPSES + 8, LAPSES + 9) == ["lapsed", "active"]
        assert reasons(found, LAPSES) == ["certification_over", "application_open"]


class TestSanctioned:
    def test_a_suspension_ends_by_itself(self) -> None:
        found = facts(*granted(), *decision("suspend", case_id=SANCTION, day=5, last=9))
        assert statuses(found, 4, 5, 9, 10) == ["active", "suspended", "suspended", "active"]
        assert reasons(found, 5)[0] == "certification_suspended"
        assert on_day(found, 5).reasons[0].detail == "statements_overdue"

    def test_without_a_last_day_it_ends_with_a_reinstatement(self) -> None:
        suspended = (*granted(), *decision("suspend", case_id=SANCTION, day=5))
        assert statuses(facts(*suspended), 500) == ["suspended"]
        back = (*suspended, *decision("reinstate", case_id=OTHER_SANCTION, day=9))
        assert statuses(facts(*back), 8, 9) == ["suspended", "active"]

    def test_a_renewal_does_not_lift_a_suspension(self) -> None:
        renewed = (
            *granted(),
            *decision("suspend", case_id=SANCTION, day=5),
            apply(RENEWAL, day=6),
            review(case_id=RENEWAL, day=6),
            *decision("grant", case_id=RENEWAL, day=7),
        )
        assert statuses(facts(*renewed), 7, 900) == ["suspended"] * 2

    def test_a_revoked_one_stays_so_until_it_is_certified_anew(self) -> None:
        revoked = (*granted(), *decision("revoke", case_id=SANCTION, day=5))
        anew = (
            apply(RENEWAL, day=20),
            review(case_id=RENEWAL, day=20),
            *decision("grant", case_id=RENEWAL, day=30, last=40),
        )
        assert statuses(facts(*revoked), 4, 5, 5000) == ["active", "revoked", "revoked"]
        found = facts(*revoked, *anew)
        assert statuses(found, 20, 29, 30, 40) == ["revoked", "revoked", "active", "active"]
        # The certification that was revoked would have gone on for years.
        assert statuses(found, 41, 900) == ["lapsed", "lapsed"]

    def test_one_that_ended_it_may_come_back(self) -> None:
        ended = (*granted(), end(3, ended_on=5))
        assert statuses(facts(*ended), 4, 5) == ["active", "ended"]
        anew = (apply(RENEWAL, day=6), review(case_id=RENEWAL, day=6))
        found = facts(*ended, *anew, *decision("grant", case_id=RENEWAL, day=8))
        assert statuses(found, 7, 8) == ["ended", "active"]

    def test_it_is_sanctioned_until_the_end_it_chose(self) -> None:
        leaving = (*granted(), end(ended_on=300))
        suspended = facts(*leaving, *decision("suspend", case_id=SANCTION, day=5))
        assert statuses(suspended, 4, 5, 299, 300) == ["active", "suspended", "suspended", "ended"]
        revoked = facts(*leaving, *decision("revoke", case_id=SANCTION, day=5))
        assert statuses(revoked, 4, 5, 300) == ["active", "revoked", "revoked"]

    def test_the_earlier_of_two_ends_counts(self) -> None:
        found = facts(*granted(), end(ended_on=300), end(2, ended_on=9))
        assert statuses(found, 8, 9, 300) == ["active", "ended", "ended"]
        assert on_day(found, 300).reasons[0].since == on(9)

    def test_nobody_leaves_a_revocation_by_ending_before_it(self) -> None:
        revoked = (*granted(), *decision("revoke", case_id=SANCTION, first=30))
        found = facts(*revoked, end(2, ended_on=9))
        assert statuses(found, 8, 9, 29, 30, 900) == ["active", *["ended"] * 2, *["revoked"] * 2]

    @pytest.mark.parametrize("measure", ["suspend", "revoke"])
    def test_an_appeal_won_lifts_it_from_then_on(self, measure: str) -> None:
        sanction = decision(measure, case_id=SANCTION, day=5)  # type: ignore[arg-type]
        won = decision("accept_appeal", case_id=APPEAL, by=(CHLOE, DAVID), day=9)
        found = facts(*granted(), *sanction, appeal(SANCTION, day=6), *won)
        status = "suspended" if measure == "suspend" else "revoked"
        assert statuses(found, 4, 5, 8, 9) == ["active", status, status, "active"]

    def test_a_revocation_lifted_does_not_lift_the_suspension_before_it(self) -> None:
        both = (
            *granted(),
            *decision("suspend", case_id=OTHER_SANCTION, day=2),
            *decision("revoke", case_id=SANCTION, day=5),
            appeal(SANCTION, day=6),
            *decision("accept_appeal", case_id=APPEAL, by=(CHLOE, DAVID), day=9),
        )
        assert statuses(facts(*both), 2, 5, 9) == ["suspended", "revoked", "suspended"]

    def test_an_appeal_won_against_a_refusal_certifies_from_then_on(self) -> None:
        refused = (apply(), review(), *decision("refuse"), appeal(APPLICATION, day=3))
        won = decision("accept_appeal", case_id=APPEAL, by=(CHLOE, DAVID), day=9)
        assert statuses(facts(*refused, *won), 8, 9) == ["refused", "active"]
        later = decision("accept_appeal", case_id=APPEAL, by=(CHLOE, DAVID), day=9, first=20)
        found = facts(*refused, *later)
        assert statuses(found, 8, 9, 19, 20) == ["refused", "candidate", "candidate", "active"]
        turning = [(one.first, one.standing.status) for one in timeline(found)]
        assert (on(9), "candidate") in turning


class TestOverdueStatements:
    LATE = Overdue(UUID(int=7), on(10), on(60))

    def found(self) -> PartnerFacts:
        known = facts(*granted())
        return PartnerFacts(
            known.registered_on,
            known.applications,
            known.grants,
            agreements=known.agreements,
            overdue=(self.LATE,),
        )

    def test_it_is_suspended_after_the_days_the_rule_allows(self) -> None:
        found = self.found()
        assert statuses(found, 40, 41, 59, 60) == ["active", "suspended", "suspended", "active"]
        assert reasons(found, 41)[0] == "statement_overdue"

    def test_a_later_rule_holds_from_its_first_day_on(self) -> None:
        rules = (StandingRule(1, date(2000, 1, 1), 300), StandingRule(2, on(45), 5))
        days = [(period.first, period.standing.status) for period in timeline(self.found(), rules)]
        assert days == [
            (on(0), "active"),
            (on(45), "suspended"),
            (on(60), "active"),
            (on(LAPSES), "lapsed"),
        ]
