"""Whatever is asked, by whomever, in whatever order: nobody is active who was not certified."""

import random
from collections.abc import Sequence
from datetime import datetime
from typing import Any, get_args
from uuid import UUID

from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from ledger.calendar import LAST_DAY
from ledger.decider import Refused
from ledger.partners.agreements import AgreementCommand, AgreementEvent, agreement
from ledger.partners.certifications.commands import (
    ApproveDecision,
    CertificationCommand,
    Judgement,
    ProposeDecision,
    RejectDecision,
)
from ledger.partners.certifications.decider import certification
from ledger.partners.certifications.events import (
    AppealAccepted,
    AppealFiled,
    ApplicationFiled,
    CertificationEvent,
    CertificationGranted,
    CertificationRenewed,
    CertificationRevoked,
    CertificationSuspended,
    ConflictDeclared,
    DecisionProposed,
    EvidenceAdded,
    Measure,
    ReviewRecorded,
)
from ledger.partners.facts import StandingEvent, facts_of
from ledger.partners.register import PartnerActivated, PartnerRegistered, PartnerSuspended
from ledger.partners.standing import RULES, standing, timeline
from tests.ledger.partners.papers import (
    ANNE,
    APPEAL,
    APPLICATION,
    BRUNO,
    CHLOE,
    DAVID,
    KEYS,
    NOON,
    OTHER_SANCTION,
    PEOPLE,
    RENEWAL,
    REVIEWER,
    SANCTION,
    SHOP,
    SHOPKEEPER,
    account,
    add,
    amend,
    appeal,
    apply,
    approve,
    conflict,
    end,
    on,
    propose,
    reject,
    review,
    sign,
    terminate,
    withdraw,
)

MEMBERS = (ANNE, BRUNO, CHLOE, DAVID)
PERSONS = (SHOPKEEPER, REVIEWER, *MEMBERS, "console:anne")
APPLICATIONS = (APPLICATION, RENEWAL)
SANCTIONS = (SANCTION, OTHER_SANCTION)
CASES = (*APPLICATIONS, *SANCTIONS, APPEAL)
MEASURES: tuple[Measure, ...] = get_args(Measure)
STEPS_MAX = 30
# Days that a decision may name: left out, soon, next year, and as far as the calendar goes.
FAR = (LAST_DAY - NOON.date()).days
FIRSTS = (None, None, None, 20, 400, FAR)


def life(seed: int) -> list[CertificationCommand]:
    """Some thirty steps of a partner's life: often the next one that is right, often any other.

    Clocks jump, forwards and back. Hypothesis gives the seed: drawn from it step by step, so long
    a life would hardly ever reach a certification.
    """
    dice = random.Random(seed)
    day = 0
    committee = set(MEMBERS)
    commands: list[CertificationCommand] = []
    for _ in range(dice.randint(4, STEPS_MAX)):
        day += dice.choice([0, 0, 0, 1, 3, 20, 300, -1, -30])
        for step in wild(dice) if dice.random() < 0.3 else in_order(dice):
            # A seat is lost or won again at any time, between two signatures as well.
            if dice.random() < 0.1:
                committee ^= {dice.choice(MEMBERS)}
            seats = {"committee": tuple(sorted(committee))} if isinstance(step, Judgement) else {}
            commands.append(step.model_copy(update={"at": shifted(day)} | seats))
    return commands


def in_order(dice: random.Random) -> list[CertificationCommand]:
    """Steps that belong together, by people who mostly may take them."""
    first, second = dice.choice(MEMBERS), dice.choice(MEMBERS)
    application, sanction = dice.choice(APPLICATIONS), dice.choice(SANCTIONS)
    match dice.randrange(5):
        case 0 | 1:
            reviewer = dice.choice([REVIEWER, REVIEWER, REVIEWER, first, SHOPKEEPER])
            measure: Measure = dice.choice(["grant", "grant", "refuse"])
            against = dice.random() < 0.15
            reviewed = review(
                reviewer,
                case_id=application,
                unmet=KEYS[0] if against else "",
                recommendation="refuse" if against else "grant",
            )
            return [apply(application), reviewed, *signed(measure, application, first, second)]
        case 2 | 3:
            sanctioned: Measure = dice.choice(["suspend", "revoke", "reinstate"])
            return signed(sanctioned, sanction, first, second, dice.choice(FIRSTS))
        case _:
            judged: Measure = dice.choice(["accept_appeal", "dismiss_appeal"])
            filed = appeal(dice.choice([application, sanction]))
            return [filed, *signed(judged, APPEAL, first, second)]


def signed(
    measure: Measure, case_id: UUID, one: str, other: str, first: int | None = None
) -> list[CertificationCommand]:
    return [propose(measure, one, case_id=case_id, first=first), approve(other, case_id=case_id)]


def wild(dice: random.Random) -> list[CertificationCommand]:
    """One command by anybody on anything."""
    case_id, person, number = dice.choice(CASES), dice.choice(PERSONS), dice.choice([1, 1, 2])
    match dice.randrange(20):
        case 0:
            return [conflict(person)]
        case 1:
            return [end(ended_on=dice.choice([0, 9, 200, 360, 700]))]
        case 2:
            return [withdraw(case_id)]
        case 3:
            return [add(case_id)]
        case 4 | 5 | 6:
            return [apply(case_id)]
        case 7 | 8 | 9:
            return [reject(person, case_id=case_id, number=number)]
        case 10 | 11:
            return [appeal(case_id, dice.choice(CASES))]
        case 12 | 13 | 14:
            return [approve(person, case_id=case_id, number=number)]
        case _:
            return [propose(dice.choice(MEASURES), person, case_id=case_id)]


CONTRACTS: st.SearchStrategy[list[AgreementCommand]] = st.lists(
    st.sampled_from(
        [sign(), sign(0, 200), sign(0, FAR), amend(30, 900), amend(FAR), terminate(500)]
    ),
    max_size=4,
)


def shifted(day: int) -> datetime:
    return datetime.fromtimestamp(NOON.timestamp() + 86_400 * day, NOON.tzinfo)


def carried_out(commands: Sequence[CertificationCommand]) -> list[CertificationEvent]:
    history: list[CertificationEvent] = []
    for command in commands:
        try:
            fresh = certification.decide(command, certification.fold(history))
        except Refused:
            continue
        assert seated(command, fresh)
        history += fresh
        # What was carried out can be asked for again.
        assert not certification.decide(command, certification.fold(history))
    return history


def seated(command: CertificationCommand, fresh: Sequence[CertificationEvent]) -> bool:
    """Tell whether all that a command decides is signed by people with a seat on that day."""
    signed_by = {event.actor for event in fresh if not isinstance(event, ReviewRecorded)}
    signed_by |= {str(getattr(event, "proposed_by", command.actor)) for event in fresh}
    if not fresh or not isinstance(command, ProposeDecision | ApproveDecision | RejectDecision):
        return True
    return signed_by <= set(command.committee)


def signatures(commands: list[AgreementCommand]) -> list[AgreementEvent]:
    history: list[AgreementEvent] = []
    for command in commands:
        try:
            history += agreement.decide(command, agreement.fold(history))
        except Refused:
            continue
    return history


def test_such_lives_know_every_event() -> None:
    reached = {type(event) for seed in range(600) for event in carried_out(life(seed))}
    assert reached == set(get_args(CertificationEvent))


@for_all(st.integers(0, 2**32), CONTRACTS, st.booleans())
@settings(max_examples=300, deadline=None)
def test_no_sequence_of_commands_makes_an_uncertified_partner_active(
    seed: int, papers: list[AgreementCommand], old: bool
) -> None:
    history = carried_out(life(seed))
    contract = signatures(papers)
    before: list[StandingEvent] = [
        PartnerRegistered(
            recorded_at=NOON, actor="console:anne", partner_id=SHOP, name="x", siret="x"
        )
    ]
    if old:
        who: dict[str, Any] = {"recorded_at": NOON, "actor": "console:anne", "partner_id": SHOP}
        before.append(PartnerSuspended(**who, reason="x"))
        before.append(PartnerActivated(**who, valid_from=NOON.date()))
    periods = timeline(facts_of(list(enumerate([*before, *contract, *history], 1))))
    given = [
        (place, event)
        for place, event in enumerate(history)
        if isinstance(event, CertificationGranted | CertificationRenewed)
    ]
    assert all(earned(event, history[:place]) for place, event in given)
    for period in periods:
        if period.standing.status == "active":
            assert contract
            assert period.last is not None
            assert any(
                one.valid_from <= period.first and period.last <= one.valid_until
                for _, one in given
            )
    for event in history:
        if isinstance(event, CertificationSuspended | CertificationRevoked):
            assert event.actor != event.proposed_by


@for_all(st.integers(0, 2**32), st.integers(0, 400))
@settings(max_examples=300, deadline=None)
def test_whoever_is_active_can_be_suspended_by_two_people(seed: int, later: int) -> None:
    history = carried_out(life(seed))
    registered = PartnerRegistered(
        recorded_at=NOON, actor="console:anne", partner_id=SHOP, name="x", siret="x"
    )
    before: list[StandingEvent] = [registered, *signatures([sign()])]
    known = list(enumerate([*before, *history], 1))
    if standing(facts_of(known), on(later), RULES[0]).status != "active":
        return
    one, other = account(900), account(901)
    about: dict[str, Any] = {"case_id": UUID(int=902), "day": later, "committee": [one, other]}
    proposed = certification.decide(propose("suspend", one, **about), certification.fold(history))
    (suspended,) = certification.decide(
        approve(other, **about), certification.fold([*history, *proposed])
    )
    known.append((len(known) + 1, suspended))
    assert standing(facts_of(known), on(later), RULES[0]).status == "suspended"


def earned(
    event: CertificationGranted | CertificationRenewed, before: list[CertificationEvent]
) -> bool:
    """Tell in another way than the ledger's whether a certification was earned."""
    two = {event.proposed_by, event.actor}
    case_ids: set[UUID] = {event.case_id}
    partial: set[str] = set()
    for one in before:
        match one:
            case AppealFiled(appeal_id=appeal_id) if appeal_id == event.case_id:
                case_ids.add(one.against_case_id)
            case _:
                pass
    for one in before:
        match one:
            case ConflictDeclared() | AppealFiled() | ApplicationFiled() | EvidenceAdded():
                partial.add(one.actor)
            case ReviewRecorded(application_id=application_id) if application_id in case_ids:
                partial.add(one.actor)
            case DecisionProposed(case_id=case_id) if case_id in case_ids - {event.case_id}:
                partial.add(one.actor)
            case _:
                pass
    reviews = [
        one.recommendation
        for one in before
        if isinstance(one, ReviewRecorded) and one.application_id in case_ids
    ]
    won = any(isinstance(one, AppealAccepted) for one in before)
    reviewed = bool(reviews) and (reviews[-1] == "grant" if len(case_ids) == 1 else won)
    apart = not two & (partial | set(PEOPLE))
    return len(two) == 2 and reviewed and apart and event.valid_from >= event.decided_on
