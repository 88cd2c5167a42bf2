from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from ledger.decider import Refused
from ledger.rounds import round_
from ledger.rounds.commands import (
    ApproveResult,
    ApproverHasInterest,
    ApproveRound,
    ApproverWithoutAccount,
    CancelRound,
    CandidateUnknown,
    CarriedDiffers,
    CarryLeftover,
    CloseRound,
    CompleteAwards,
    DeadlineTooSoon,
    DefinitionDiffers,
    DrafterApproves,
    DraftRound,
    LeftoverTaken,
    NotAwarded,
    NothingLeft,
    OpenRound,
    PotsOverlap,
    ProjectNotAbandoned,
    RecordTally,
    ReleaseLeftover,
    ResultNotAdopted,
    ResultNotPending,
    ResultStands,
    RoundCommand,
    RoundIsFrozen,
    RoundNotApproved,
    RoundNotCancellable,
    RoundNotDue,
    RoundNotFound,
    RoundNotOpened,
    SendBack,
    StrikeProject,
    TallyDiffers,
)
from ledger.rounds.definition import definition_of
from ledger.rounds.events import (
    Award,
    CancellationProposed,
    CountFailed,
    LeftoverCarried,
    LeftoverReleased,
    ProjectStruck,
    ResultApproved,
    ResultSentBack,
    RoundAdopted,
    RoundApproved,
    RoundAwarded,
    RoundCancelled,
    RoundClosed,
    RoundDrafted,
    RoundEvent,
    RoundOpened,
    RoundTallied,
    Tally,
)
from ledger.rounds.life import CLOSE_AFTER
from ledger.rounds.state import Adopted, Cancelled
from tests.rounds import ANNE, BIKES, BRUNO, CHLOE, DIRECTED, DORA, SHADE, definition, terms
from tests.spec import given

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MADE = definition(closes_at=NOON + timedelta(days=1))
OTHER = definition(round_id=MADE.round_id, closes_at=NOON + timedelta(days=2))
ID = MADE.round_id
RESULT = "b" * 64
POT = {"sources": ["customer"], "last_on": date(2027, 1, 1)}


def tally(**changes: Any) -> Tally:
    figures: dict[str, Any] = {
        "closed_position": 9,
        "definition_sha256": MADE.sha256,
        "election_sha256": "a" * 64,
        "rule_sha256": MADE.parsed_rule.sha256,
        "result_sha256": RESULT,
        "trace_sha256": "c" * 64,
        "ballots": 3,
        "standing_ballots": 0,
        "suppressed_ballots": 3,
        "voted_cents": 90,
        "unused_gifts": 1,
        "unused_cents": 10,
        "matched_cents": 0,
        "carried_cents": 0,
        "pot_cents": 100,
        "foundation_cents": 0,
        "next_round_cents": 5,
        "awards": (Award(project_id=BIKES, cents=95),),
    }
    return Tally(**figures | changes)


def by(actor: str, at: datetime = NOON) -> dict[str, Any]:
    return {"at": at, "actor": actor, "round_id": ID}


def of(actor: str, at: datetime = NOON) -> dict[str, Any]:
    return {"recorded_at": at, "actor": actor, "round_id": ID}


def drafted(made: Any = MADE) -> RoundDrafted:
    text = made.canonical().decode()
    return RoundDrafted(definition=text, definition_sha256=made.sha256, **of(ANNE))


def approved(actor: str) -> RoundApproved:
    return RoundApproved(definition_sha256=MADE.sha256, **of(actor))


LATER = MADE.closes_at + CLOSE_AFTER
OPENED = RoundOpened(
    definition_sha256=MADE.sha256, closes_at=MADE.closes_at, sealed=True, **of(ANNE)
)
APPROVED: list[RoundEvent] = [drafted(), approved(BRUNO), approved(CHLOE)]
OPEN = [*APPROVED, OPENED]
CLOSED = [*OPEN, RoundClosed(closes_at=MADE.closes_at, **of("clock", LATER))]
TALLIED = [*CLOSED, RoundTallied(tally=tally(), **of("clock"))]
YES_BRUNO, YES_CHLOE = (ResultApproved(result_sha256=RESULT, **of(p)) for p in (BRUNO, CHLOE))
ADOPTED = [*TALLIED, YES_BRUNO, YES_CHLOE, RoundAdopted(result_sha256=RESULT, **of(CHLOE))]
AWARDED = [*ADOPTED, RoundAwarded(result_sha256=RESULT, **of(ANNE))]
BACK = ResultSentBack(result_sha256=RESULT, reason="gifts_wrong", **of(DORA))
SENT_BACK = [*TALLIED, BACK]
PROPOSED = CancellationProposed(reason="irregular", **of(ANNE))
CANCELLED = RoundCancelled(reason="irregular", **of(BRUNO))

DRAFT = DraftRound(at=NOON, actor=ANNE, definition=MADE)
APPROVE = ApproveRound(definition_sha256=MADE.sha256, **by(BRUNO))
CANCEL = CancelRound(reason="irregular", **by(BRUNO))
RECORD = RecordTally(tally=tally(), **by("clock"))
YES = ApproveResult(result_sha256=RESULT, **by(BRUNO))
SEND_BACK = SendBack(result_sha256=RESULT, reason="gifts_wrong", **by(DORA))
STRIKE = StrikeProject(project_id=BIKES, reason="abandoned", ended="abandoned", **by(ANNE))
STRUCK = ProjectStruck(project_id=BIKES, reason="abandoned", **of(ANNE))
# Its count knows that the bikes are struck; their award goes to the next round.
WITHOUT_BIKES = tally(struck=(BIKES,), awards=(), next_round_cents=100)
GIVEN = LeftoverCarried(to_round_id=SHADE, cents=5, **of(ANNE))
RELEASE = ReleaseLeftover(to_round_id=SHADE, **by(ANNE))
CARRY = CarryLeftover(to_round_id=SHADE, **by(ANNE))
AWARD = CompleteAwards(**by(ANNE))


@pytest.mark.parametrize(
    ("history", "command", "events"),
    [
        ([], DRAFT, [drafted()]),
        ([drafted()], DraftRound(at=NOON, actor=ANNE, definition=OTHER), [drafted(OTHER)]),
        ([drafted()], APPROVE, [approved(BRUNO)]),
        (APPROVED, OpenRound(**by(ANNE)), [OPENED]),
        (OPEN, STRIKE, [STRUCK]),
        (CLOSED, STRIKE, [STRUCK]),
        (
            [*CLOSED, STRUCK],
            RecordTally(tally=WITHOUT_BIKES, **by("clock")),
            [RoundTallied(tally=WITHOUT_BIKES, **of("clock"))],
        ),
        ([*AWARDED, GIVEN], RELEASE, [LeftoverReleased(to_round_id=SHADE, cents=5, **of(ANNE))]),
        (AWARDED, RELEASE, []),
        ([*AWARDED, GIVEN], RELEASE.model_copy(update={"to_round_id": BIKES}), []),
        (
            [*AWARDED, GIVEN, LeftoverReleased(to_round_id=SHADE, cents=5, **of(ANNE))],
            CARRY,
            [GIVEN],
        ),
        (OPEN, CloseRound(**by("clock", LATER)), [CLOSED[-1]]),
        (CLOSED, RECORD, [TALLIED[-1]]),
        (SENT_BACK, RECORD, [TALLIED[-1]]),
        (TALLIED, YES, [YES_BRUNO]),
        ([*TALLIED, YES_BRUNO], YES.model_copy(update={"actor": CHLOE}), ADOPTED[-2:]),
        (TALLIED, SEND_BACK, [BACK]),
        ([drafted(), PROPOSED], CANCEL, [CANCELLED]),
        ([*SENT_BACK, PROPOSED], CANCEL, [CANCELLED]),
        (ADOPTED, AWARD, [AWARDED[-1]]),
        (AWARDED, CARRY, [GIVEN]),
    ],
)
def test_a_round_goes_on(
    history: list[RoundEvent], command: RoundCommand, events: list[RoundEvent]
) -> None:
    given(round_, *history).when(command).then(*events)


@pytest.mark.parametrize(
    ("history", "command", "refusal"),
    [
        ([], APPROVE, RoundNotFound),
        ([drafted()], APPROVE.model_copy(update={"actor": ANNE}), DrafterApproves),
        ([drafted()], APPROVE.model_copy(update={"actor": "console:a"}), ApproverWithoutAccount),
        ([drafted(OTHER)], APPROVE, DefinitionDiffers),
        ([*APPROVED, drafted(OTHER)], OpenRound(**by(ANNE)), RoundNotApproved),
        ([*APPROVED[:2], approved(BRUNO)][:2], OpenRound(**by(ANNE)), RoundNotApproved),
        (APPROVED, OpenRound(**by(ANNE, MADE.closes_at)), DeadlineTooSoon),
        (APPROVED, OpenRound(open_pots=(OTHER.pot,), **by(ANNE)), PotsOverlap),
        (APPROVED, OpenRound(carried_cents=1, **by(ANNE)), CarriedDiffers),
        (OPEN, DraftRound(at=NOON, actor=ANNE, definition=OTHER), RoundIsFrozen),
        (OPEN, APPROVE, RoundIsFrozen),
        (OPEN, CloseRound(**by("clock", MADE.closes_at)), RoundNotDue),
        ([drafted()], CloseRound(**by("clock", LATER)), RoundNotOpened),
        (OPEN, STRIKE.model_copy(update={"project_id": ID}), CandidateUnknown),
        # Nobody chooses which project dies: its own record says so, or it stays.
        (OPEN, STRIKE.model_copy(update={"ended": None}), ProjectNotAbandoned),
        (OPEN, STRIKE.model_copy(update={"ended": "completed"}), ProjectNotAbandoned),
        (OPEN, STRIKE.model_copy(update={"reason": "withdrawn"}), ProjectNotAbandoned),
        (CLOSED, STRIKE.model_copy(update={"ended": None}), ProjectNotAbandoned),
        # A count that was under way when a project was struck is not of this round any more.
        ([*CLOSED, STRUCK], RECORD, TallyDiffers),
        (CLOSED, RecordTally(tally=WITHOUT_BIKES, **by("clock")), TallyDiffers),
        ([drafted()], APPROVE.model_copy(update={"interested": (BRUNO,)}), ApproverHasInterest),
        (TALLIED, YES.model_copy(update={"interested": (BRUNO,)}), ApproverHasInterest),
        (TALLIED, SEND_BACK.model_copy(update={"interested": (DORA,)}), ApproverHasInterest),
        ([drafted()], CANCEL.model_copy(update={"interested": (BRUNO,)}), ApproverHasInterest),
        # Whoever knows the result cannot choose another one by striking a winner.
        (SENT_BACK, STRIKE, RoundIsFrozen),
        (TALLIED, STRIKE, RoundNotOpened),
        (OPEN, RECORD, RoundNotOpened),
        (TALLIED, RecordTally(tally=tally(ballots=4), **by("clock")), ResultStands),
        (CLOSED, RecordTally(tally=tally(next_round_cents=6), **by("clock")), TallyDiffers),
        (CLOSED, RecordTally(tally=tally(rule_sha256=RESULT), **by("clock")), TallyDiffers),
        (CLOSED, YES, ResultNotPending),
        (ADOPTED, SEND_BACK, ResultNotPending),
        (TALLIED, YES.model_copy(update={"actor": "clock"}), ApproverWithoutAccount),
        (OPEN, CANCEL, RoundNotCancellable),
        (CLOSED, CANCEL, RoundNotCancellable),
        (TALLIED, CANCEL, RoundNotCancellable),
        (TALLIED, CANCEL.model_copy(update={"reason": "count_impossible"}), RoundNotCancellable),
        (ADOPTED, CANCEL, RoundNotCancellable),
        (TALLIED, AWARD, ResultNotAdopted),
        (ADOPTED, CARRY, NotAwarded),
        (
            [*AWARDED, LeftoverCarried(to_round_id=BIKES, cents=5, **of(ANNE))],
            CARRY,
            LeftoverTaken,
        ),
        (
            [
                *CLOSED,
                RoundTallied(tally=tally(next_round_cents=0, foundation_cents=5), **of("clock")),
                *AWARDED[-4:],
            ],
            CARRY,
            NothingLeft,
        ),
    ],
)
def test_the_impossible_is_refused_by_name(
    history: list[RoundEvent], command: RoundCommand, refusal: type[Refused]
) -> None:
    given(round_, *history).when(command).then_refused(refusal)


def test_what_was_struck_is_known_to_the_end() -> None:
    tallied = [*CLOSED, STRUCK, RoundTallied(tally=WITHOUT_BIKES, **of("clock"))]
    adopted = round_.fold([*tallied, *ADOPTED[-3:]])
    assert isinstance(adopted, Adopted)
    cancelled = round_.fold([*tallied, BACK, PROPOSED, CANCELLED])
    assert isinstance(cancelled, Cancelled)
    assert adopted.struck == cancelled.struck == (BIKES,)


def test_what_cannot_be_counted_is_cancelled_by_two_without_a_result() -> None:
    why = {"reason": "count_impossible"}
    first, second = CANCEL.model_copy(update=why), CANCEL.model_copy(update=why | {"actor": CHLOE})
    proposed = PROPOSED.model_copy(update=why | {"actor": BRUNO})
    tried = [*CLOSED, CountFailed(why="AmountOutOfBounds", **of("clock"))]
    given(round_, *tried).when(first).then(proposed)
    given(round_, *tried, proposed).when(first).then()
    cancelled = CANCELLED.model_copy(update=why | {"actor": CHLOE})
    given(round_, *tried, proposed).when(second).then(cancelled)


def test_nobody_cancels_alone() -> None:
    given(round_, drafted()).when(CANCEL).then(PROPOSED.model_copy(update={"actor": BRUNO}))


def test_one_person_approving_twice_is_one() -> None:
    given(round_, drafted(), approved(BRUNO)).when(APPROVE).then()
    given(round_, *TALLIED, YES_BRUNO).when(YES).then()


def test_what_was_frozen_is_read_back_to_the_byte() -> None:
    assert definition_of(MADE.canonical().decode()).canonical() == MADE.canonical()


@pytest.mark.parametrize(
    "changes",
    [
        {"picks_max": 2},
        {"picks_max": 11},
        {"picks_invited": 4},
        {"rule": {**DIRECTED, "more": 1}},
        {"rule": {"rule": "lottery"}},
        {"weight": "purchase"},
        {"weight": "purchase", "purchases_per_partner_max": 9},
        {"projects": terms()["projects"] * 2},
        {"pot": {**POT, "first_on": date(2027, 1, 2)}},
        {"pot": {"sources": ["customer", "customer"], "last_on": date(2027, 1, 1)}},
        {"unknown": 1},
    ],
)
def test_a_definition_that_cannot_be_followed_is_none(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        definition(**changes)
