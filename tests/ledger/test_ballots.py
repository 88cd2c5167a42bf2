from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from ledger.ballots import (
    CHANGES_MAX,
    BallotCast,
    BallotChanged,
    BallotCommand,
    BallotEntered,
    BallotEvent,
    BallotNotChangeable,
    CastBallot,
    CounterBallotDiffers,
    CounterNeedsAccount,
    DiscardEntry,
    EntryDiscarded,
    GiftNotEligible,
    NoPicks,
    NothingEntered,
    RoundIsClosed,
    RoundNotOpen,
    Terms,
    TooManyChanges,
    TooManyPicks,
    UnknownProject,
    ballot,
    ballot_id_of,
)
from ledger.decider import Refused
from tests.rounds import ANNE, BIKES, BRUNO, CHLOE, CHOIR, OVEN, SHADE
from tests.spec import given

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ROUND, GIFT, BALLOT = UUID(int=1), UUID(int=2), UUID(int=3)
TERMS = Terms(
    round_id=ROUND,
    standing="open",
    closes_at=NOON + timedelta(hours=1),
    project_ids=frozenset({BIKES, SHADE, CHOIR, OVEN}),
    picks_max=3,
    changeable=True,
)
FIXED = TERMS.model_copy(update={"changeable": False})
ABOUT: dict[str, Any] = {"ballot_id": BALLOT, "round_id": ROUND, "recorded_at": NOON}


def cast(*picks: UUID, **changes: Any) -> CastBallot:
    return CastBallot(
        **{
            "at": NOON,
            "actor": "public",
            "ballot_id": BALLOT,
            "donation_id": GIFT,
            "terms": TERMS,
            "picks": picks,
            "channel": "web",
            **changes,
        }
    )


def paper(actor: str, *picks: UUID, **changes: Any) -> CastBallot:
    return cast(*picks, channel="counter", actor=actor, **changes)


CAST = BallotCast(actor="public", donation_id=GIFT, picks=(BIKES, SHADE), channel="web", **ABOUT)
ENTERED = BallotEntered(actor=ANNE, donation_id=GIFT, picks=(BIKES,), **ABOUT)
CONFIRMED = BallotCast(actor=BRUNO, donation_id=GIFT, picks=(BIKES,), channel="counter", **ABOUT)
DISCARD = DiscardEntry(at=NOON, actor=BRUNO, ballot_id=BALLOT, terms=TERMS)


class TestBlank:
    def test_it_is_cast_with_its_picks_in_order(self) -> None:
        given(ballot).when(cast(SHADE, BIKES, SHADE)).then(CAST)

    @pytest.mark.parametrize(
        ("command", "refusal"),
        [
            (cast(), NoPicks),
            (cast(BIKES, SHADE, CHOIR, OVEN), TooManyPicks),
            (cast(UUID(int=99)), UnknownProject),
            (cast(BIKES, ineligible="taken"), GiftNotEligible),
            (cast(BIKES, terms=TERMS.model_copy(update={"standing": "not_open"})), RoundNotOpen),
            (cast(BIKES, terms=TERMS.model_copy(update={"standing": "closed"})), RoundIsClosed),
            (cast(BIKES, at=TERMS.closes_at), RoundIsClosed),
            (paper("public", BIKES), CounterNeedsAccount),
            (DISCARD, NothingEntered),
        ],
    )
    def test_a_wrong_one_is_refused_by_name(
        self, command: BallotCommand, refusal: type[Refused]
    ) -> None:
        given(ballot).when(command).then_refused(refusal)

    def test_the_last_moment_before_the_deadline_is_in_time(self) -> None:
        at = TERMS.closes_at - timedelta(microseconds=1)
        late = CAST.model_copy(update={"recorded_at": at})
        given(ballot).when(cast(BIKES, SHADE, at=at)).then(late)

    def test_a_first_entry_waits(self) -> None:
        given(ballot).when(paper(ANNE, BIKES)).then(ENTERED)


class TestCast:
    def test_the_same_is_a_repeat_even_where_nothing_may_be_changed(self) -> None:
        given(ballot, CAST).when(cast(BIKES, SHADE, terms=FIXED)).then()

    def test_it_is_changed(self) -> None:
        changed = BallotChanged(
            actor="public",
            donation_id=GIFT,
            picks=(OVEN,),
            replaced=(BIKES, SHADE),
            channel="web",
            **ABOUT,
        )
        given(ballot, CAST).when(cast(OVEN)).then(changed)

    @pytest.mark.parametrize("command", [cast(OVEN, terms=FIXED), paper(ANNE, OVEN, terms=FIXED)])
    def test_it_is_not_changed_where_the_round_says_so(self, command: CastBallot) -> None:
        given(ballot, CAST).when(command).then_refused(BallotNotChangeable)


class TestChangedOften:
    """A ballot that was changed as often as one may be."""

    @pytest.fixture
    def history(self) -> list[BallotEvent]:
        found: list[BallotEvent] = [CAST]
        for number in range(CHANGES_MAX):
            found += ballot.decide(cast((OVEN, CHOIR)[number % 2]), ballot.fold(found))
        return found

    def test_it_is_changed_no_more_and_the_choice_that_stands_counts(
        self, history: list[BallotEvent]
    ) -> None:
        assert len(history) == 1 + CHANGES_MAX
        for command in (cast(OVEN), paper(ANNE, OVEN)):
            given(ballot, *history).when(command).then_refused(
                TooManyChanges, changes_max=CHANGES_MAX
            )
        given(ballot, *history).when(cast(CHOIR)).then()

    def test_paper_that_was_entered_before_changes_no_more_than_that(
        self, history: list[BallotEvent]
    ) -> None:
        given(ballot, *history[:-1], ENTERED).when(paper(BRUNO, BIKES)).then(
            BallotChanged(
                actor=BRUNO,
                donation_id=GIFT,
                picks=(BIKES,),
                replaced=(OVEN,),
                channel="counter",
                **ABOUT,
            )
        )
        given(ballot, *history, ENTERED).when(paper(BRUNO, BIKES)).then_refused(
            TooManyChanges, changes_max=CHANGES_MAX
        )


class TestEntered:
    def test_the_same_from_another_person_counts(self) -> None:
        given(ballot, ENTERED).when(paper(BRUNO, BIKES)).then(CONFIRMED)

    def test_the_same_from_the_same_person_still_waits(self) -> None:
        given(ballot, ENTERED).when(paper(ANNE, BIKES)).then()

    def test_another_one_from_another_person_is_refused_with_the_difference(self) -> None:
        given(ballot, ENTERED).when(paper(BRUNO, SHADE)).then_refused(
            CounterBallotDiffers, picks_differ=[str(BIKES), str(SHADE)]
        )

    def test_whoever_entered_it_corrects_it(self) -> None:
        other = ENTERED.model_copy(update={"picks": (SHADE,)})
        given(ballot, ENTERED).when(paper(ANNE, SHADE)).then(other)

    def test_it_is_discarded(self) -> None:
        state = ballot.fold([ENTERED])
        discarded = EntryDiscarded(actor=BRUNO, **ABOUT)
        assert ballot.decide(DISCARD, state) == [discarded]
        given(ballot, ENTERED, discarded).when(paper(CHLOE, BIKES)).then(
            ENTERED.model_copy(update={"actor": CHLOE})
        )

    def test_a_ballot_from_the_web_stays_until_the_paper_is_confirmed(self) -> None:
        assert ballot.fold([CAST, ENTERED, EntryDiscarded(actor=BRUNO, **ABOUT)]) == ballot.fold(
            [CAST]
        )


def test_a_ballots_id_tells_nobody_whose_it_is() -> None:
    one, other = (ballot_id_of(bytes([key]) * 32, ROUND, GIFT) for key in (1, 2))
    assert one != other
    assert one == ballot_id_of(bytes([1]) * 32, ROUND, GIFT)


PICKS = st.lists(st.sampled_from([BIKES, SHADE, CHOIR, OVEN]), min_size=1, max_size=3)


@for_all(
    st.lists(
        st.one_of(
            PICKS.map(lambda picks: cast(*picks)),
            st.tuples(st.sampled_from([ANNE, BRUNO]), PICKS).map(lambda p: paper(p[0], *p[1])),
            st.just(DISCARD),
        ),
        max_size=12,
    )
)
def test_there_is_one_ballot_at_most_and_a_repeat_changes_nothing(
    commands: list[BallotCommand],
) -> None:
    history: list[BallotEvent] = []
    for command in commands:
        try:
            history += ballot.decide(command, ballot.fold(history))
        except Refused:
            continue
        if isinstance(command, CastBallot):
            assert not ballot.decide(command, ballot.fold(history))
    assert sum(isinstance(event, BallotCast) for event in history) <= 1
