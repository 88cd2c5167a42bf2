from datetime import date
from itertools import pairwise
from typing import Any
from uuid import UUID

from hypothesis import given as for_all
from hypothesis import strategies as st

from ledger.decider import Refused
from ledger.partners.agreements import (
    AgreementAmended,
    AgreementEnded,
    AgreementEvent,
    AgreementSigned,
)
from ledger.partners.certifications.commands import CertificationCommand
from ledger.partners.certifications.events import (
    CertificationEnded,
    CertificationGranted,
    CertificationReinstated,
    CertificationRevoked,
    CertificationSuspended,
)
from ledger.partners.facts import StandingEvent, facts_of
from ledger.partners.standing import Period, rule_on, standing, timeline
from tests.ledger.partners.lives import REGISTERED, facts, on_day
from tests.ledger.partners.papers import (
    ANNE,
    CONTRACT,
    NOON,
    OTHER_SANCTION,
    RENEWAL,
    SANCTION,
    SHOP,
    TERMS,
    agreed,
    amend,
    apply,
    decision,
    done,
    end,
    granted,
    on,
    review,
    sign,
    terminate,
    withdraw,
)

LIVES = st.lists(
    st.sampled_from(
        [
            granted(),
            granted(last=40),
            (apply(day=3),),
            (withdraw(day=5),),
            decision("suspend", case_id=SANCTION, day=5),
            decision("suspend", case_id=SANCTION, day=5, first=8, last=20),
            decision("reinstate", case_id=OTHER_SANCTION, day=9),
            decision("revoke", case_id=UUID(int=77), day=12),
            decision("revoke", case_id=UUID(int=78), day=7, first=22),
            (end(4, ended_on=360),),
            (end(14, ended_on=18),),
            (apply(RENEWAL, day=20), review(case_id=RENEWAL, day=21)),
            decision("grant", case_id=RENEWAL, day=25, first=30),
        ]
    ),
    max_size=8,
)
CONTRACTS = st.sampled_from(
    [[], agreed(sign()), agreed(sign(6, 33)), agreed(sign(0, 9), amend(15, 50), terminate(35))]
)


@for_all(LIVES, CONTRACTS, st.integers(-3, 1200))
def test_the_timeline_says_what_the_standing_says(
    lives: list[tuple[CertificationCommand, ...]], contract: list[AgreementEvent], day: int
) -> None:
    found = facts(*possible(lives), agreements=contract)
    periods = timeline(found)
    covering = [period for period in periods if covers(period, on(day))]
    assert [period.standing for period in covering] == ([on_day(found, day)] if day >= 0 else [])
    assert periods[-1].last is None
    for before, period in pairwise(periods):
        assert before.last is not None
        assert (period.first - before.last).days == 1
        assert before.standing != period.standing
        same = before.standing.status == period.standing.status
        assert period.since == (before.since if same else period.first)


ANY_DAY = st.one_of(st.dates(), st.sampled_from([date.min, date.max, on(0), on(1)]))
ANY_LAST = st.none() | ANY_DAY
WHO: dict[str, Any] = {"recorded_at": NOON, "actor": ANNE, "partner_id": SHOP}
CASE: dict[str, Any] = WHO | {"case_id": SANCTION, "proposed_by": ANNE, "decided_on": on(0)}
PAPER: dict[str, Any] = {"recorded_at": NOON} | TERMS
# What was stored is told, whatever days it names: commands were not always held to any.
STORED = st.lists(
    st.one_of(
        st.builds(
            lambda first, last: AgreementSigned(
                number="1", signed_on=first, valid_from=first, valid_until=last, **PAPER
            ),
            ANY_DAY,
            ANY_LAST,
        ),
        st.builds(
            lambda day, last: AgreementAmended(amended_on=day, valid_until=last, **PAPER),
            ANY_DAY,
            ANY_LAST,
        ),
        st.builds(
            lambda day: AgreementEnded(agreement_id=CONTRACT, ended_on=day, ended_by="both", **WHO),
            ANY_DAY,
        ),
        st.builds(
            lambda first, last: CertificationGranted(valid_from=first, valid_until=last, **CASE),
            ANY_DAY,
            ANY_DAY,
        ),
        st.builds(
            lambda first, last: CertificationSuspended(
                reason="charter_breached", suspended_from=first, suspended_until=last, **CASE
            ),
            ANY_DAY,
            ANY_LAST,
        ),
        st.builds(
            lambda day: CertificationReinstated(lifted_case_id=SANCTION, reinstated_on=day, **CASE),
            ANY_DAY,
        ),
        st.builds(
            lambda day: CertificationRevoked(reason="charter_breached", revoked_on=day, **CASE),
            ANY_DAY,
        ),
        st.builds(lambda day: CertificationEnded(ended_on=day, **WHO), ANY_DAY),
    ),
    max_size=8,
)


@for_all(STORED, ANY_DAY)
def test_whatever_days_were_stored_every_day_has_one_standing(
    stored: list[StandingEvent], day: date
) -> None:
    found = facts_of(list(enumerate([REGISTERED, *stored], 1)))
    periods = timeline(found)
    covering = [period.standing for period in periods if covers(period, day)]
    told = standing(found, day, rule_on(day))
    assert covering == ([told] if day >= on(0) else [])


def covers(period: Period, day: date) -> bool:
    return period.first <= day and (period.last is None or day <= period.last)


def possible(lives: list[tuple[CertificationCommand, ...]]) -> list[CertificationCommand]:
    """Those commands that the ones before do not make impossible."""
    kept: list[CertificationCommand] = []
    for command in (command for life in lives for command in life):
        try:
            done(*kept, command)
        except Refused:
            continue
        kept.append(command)
    return kept
