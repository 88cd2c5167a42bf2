"""The read models of a vote, from idea to grant: rebuilt they are the same, page by page or not."""

import random
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from api import demo_projects
from api.tally import counted_round
from ledger.ambassadors import (
    EnrolAmbassador,
    GiveCredit,
    RetireAmbassador,
    ambassador,
    ambassador_id_of,
    credit,
    credit_id_of,
)
from ledger.ballots import CastBallot, Channel, DiscardEntry, ballot, ballot_id_of
from ledger.donations import donation
from ledger.projects.project_events import AwardGrant, EnterRound
from ledger.projects.projects import project
from ledger.rounds import round_
from ledger.rounds.commands import (
    ApproveResult,
    ApproveRound,
    CancelRound,
    CarryLeftover,
    CompleteAwards,
    DraftRound,
    RecordTally,
    SendBack,
    StrikeProject,
)
from ledger.rounds.definition import Definition
from ledger.store import Ledger
from ledger.wallets import (
    AddGift,
    MakeStandingChoice,
    OpenWallet,
    WithdrawStandingChoice,
    place,
    wallet,
)
from projections import follow
from projections import rebuild as rebuilding
from projections.check import check
from projections.every import READ_MODELS
from projections.follow import catch_up
from projections.open_rounds import terms_of
from projections.rebuild import rebuild
from tests.projections.village import a_gift, found, its_reversal, reached, rows
from tests.rounds import ANNE, BRUNO, CHLOE, DORA, close_round, definition, open_round

KEY = bytes(32)
SEED = 17
OF_VOTES = (
    *("ideas", "projects", "ambassadors", "rounds", "turnout", "paper_ballots", "wallets"),
    "journal",
)
GIFTS = 24
CODES = ("ABCDEF", "K7QM2X")


class Town:
    """A town where rounds are played, each of its steps as the ledger takes it."""

    def __init__(self, ledger: Ledger, conninfo: str) -> None:
        self.ledger, self.dice = ledger, random.Random(SEED)
        self.shop, *_ = found(ledger, 40)
        with psycopg.connect(conninfo, autocommit=True) as connection:
            demo_projects.load(ledger, connection)
        self.projects = [demo_projects.project_id_of(plan) for plan in demo_projects.PLANS[:4]]
        self.conninfo = conninfo

    def opened(self, **changes: Any) -> Definition:
        goals = [{"project_id": one, "goal_cents": 1_000} for one in self.projects]
        made = open_round(self.ledger, projects=goals, **changes)
        for one in self.projects:
            enter = EnterRound(
                at=datetime.now(UTC), actor=ANNE, project_id=one, round_id=made.round_id
            )
            self.ledger.handle(project, one, enter)
        return made

    def gives(self) -> UUID:
        """Record a gift of a customer, who named a project at the till."""
        named = {"source": "customer", "project_id": self.dice.choice(self.projects)}
        given = a_gift(self.shop, self.dice).model_copy(update=named)
        self.ledger.handle(donation, given.donation_id, given)
        if self.dice.random() < 0.2:
            self.ledger.handle(donation, given.donation_id, its_reversal(given, self.dice))
        return given.donation_id

    def votes(
        self, made: Definition, donation_id: UUID, actor: str = "public", channel: Channel = "web"
    ) -> UUID:
        state = round_.fold(one.event for one in self.ledger.history(round_, made.round_id))
        terms = terms_of(made, state)
        ballot_id = ballot_id_of(KEY, made.round_id, donation_id)
        cast = CastBallot(
            at=datetime.now(UTC),
            actor=actor,
            ballot_id=ballot_id,
            donation_id=donation_id,
            terms=terms,
            picks=tuple(self.dice.sample(sorted(terms.project_ids), 2)),
            channel=channel,
        )
        self.ledger.handle(ballot, ballot_id, cast)
        return ballot_id

    def handles(self, made: Definition, kind: Any, actor: str, **fields: Any) -> None:
        command = kind(at=made.closes_at, actor=actor, round_id=made.round_id, **fields)
        self.ledger.handle(round_, made.round_id, command)

    def counts(self, made: Definition) -> str:
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            tally = counted_round(connection, made.round_id).tally
        self.handles(made, RecordTally, "clock", tally=tally)
        return tally.result_sha256

    def awards(self, made: Definition, result: str) -> None:
        for person in (BRUNO, CHLOE):
            self.handles(made, ApproveResult, person, result_sha256=result)
        for one in self.projects:
            grant = AwardGrant(
                at=made.closes_at,
                actor=ANNE,
                project_id=one,
                round_id=made.round_id,
                amount_cents=100,
                result_sha256=result,
            )
            self.ledger.handle(project, one, grant)
        self.handles(made, CompleteAwards, ANNE)


def keeps_wallets(town: Town, gifts: list[UUID]) -> None:
    """Keep gifts in wallets; one changes its standing choice, one withdraws it."""
    for number, donation_id in enumerate(gifts):
        who: dict[str, Any] = {"at": datetime.now(UTC), "actor": "public", "wallet_id": uuid4()}
        town.ledger.handle(wallet, who["wallet_id"], OpenWallet(**who))
        for picks in (town.projects[:2], town.projects[number:]):
            choice = MakeStandingChoice(picks=tuple(picks), **who)
            town.ledger.handle(wallet, who["wallet_id"], choice)
        if number == 1:
            town.ledger.handle(wallet, who["wallet_id"], WithdrawStandingChoice(**who))
        town.ledger.handle(place, donation_id, AddGift(donation_id=donation_id, **who))


def by_hand(at: datetime, code: str) -> dict[str, Any]:
    return {"at": at, "actor": ANNE, "ambassador_id": ambassador_id_of(code)}


def brings_ballots(town: Town, ballots: list[UUID]) -> None:
    """Enrol two ambassadors, credit one with ballots and retire the other."""
    at = datetime.now(UTC)
    hers, other = (by_hand(at, code) for code in CODES)
    for code, known in zip(CODES, (hers, other), strict=True):
        enrol = EnrolAmbassador(subject_id=uuid4(), code=code, named=True, **known)
        town.ledger.handle(ambassador, enrol.ambassador_id, enrol)
    retire = RetireAmbassador(**other)
    town.ledger.handle(ambassador, retire.ambassador_id, retire)
    for ballot_id in ballots:
        give = GiveCredit(
            credit_id=credit_id_of("ballot", ballot_id),
            kind="ballot",
            brought_id=ballot_id,
            enrolled=True,
            her_own=False,
            **hers,
        )
        town.ledger.handle(credit, give.credit_id, give)


@pytest.fixture
def town(ledger: Ledger, conninfo: str) -> Town:
    """A town after two rounds, one sealed and sent back once, one live and open; and two drafts."""
    made = Town(ledger, conninfo)
    first = made.opened(unused="next_round")
    gifts = [made.gives() for _ in range(GIFTS)]
    ballots = [made.votes(first, one) for one in gifts[: GIFTS // 2]]
    ballots += [made.votes(first, one) for one in gifts[: GIFTS // 4]]
    counter = gifts[-1]
    for person in (ANNE, BRUNO):
        # The second one ticks what the first did.
        made.dice.seed(5)
        made.votes(first, counter, person, "counter")
    keeps_wallets(made, gifts[-4:-1])
    brings_ballots(made, ballots[:3])
    close_round(ledger, first)
    words: dict[str, Any] = {"reason": "ballots_wrong", "words_sha256": "a" * 64}
    made.handles(first, SendBack, BRUNO, result_sha256=made.counts(first), **words)
    made.awards(first, made.counts(first))
    second = made.opened(tallies="live")
    made.handles(first, CarryLeftover, ANNE, to_round_id=second.round_id)
    struck = {"project_id": made.projects[3], "reason": "abandoned", "ended": "abandoned"}
    own = [made.gives() for _ in range(6)]
    for one in own[:3]:
        made.votes(second, one)
        made.votes(second, one)
    made.handles(second, StrikeProject, ANNE, **struck)
    for one in own[3:]:
        made.votes(second, one, ANNE, "counter")
    discarded = ballot_id_of(KEY, second.round_id, own[3])
    state = round_.fold(one.event for one in ledger.history(round_, second.round_id))
    discard = DiscardEntry(
        at=datetime.now(UTC), actor=BRUNO, ballot_id=discarded, terms=terms_of(second, state)
    )
    ledger.handle(ballot, discarded, discard)
    drafts(made)
    return made


def drafts(town: Town) -> None:
    """Draft three rounds: one waits, one is approved and drafted anew, one is cancelled."""
    at = datetime.now(UTC)
    for number, title in enumerate(("Été", "Automne", "Hiver")):
        made = definition(title=title)
        draft = DraftRound(at=at, actor=ANNE, definition=made)
        town.ledger.handle(round_, made.round_id, draft)
        if number == 1:
            for person in (BRUNO, CHLOE):
                town.handles(made, ApproveRound, person, definition_sha256=made.sha256)
            anew = made.model_copy(update={"title": "Toussaint"})
            town.ledger.handle(
                round_, made.round_id, DraftRound(at=at, actor=ANNE, definition=anew)
            )
        if number == 2:
            for person in (CHLOE, DORA):
                town.handles(made, CancelRound, person, reason="irregular")


def test_every_table_of_a_vote_has_rows(town: Town, conninfo: str) -> None:
    catch_up(conninfo, READ_MODELS)
    live = rows(conninfo, {name: READ_MODELS[name] for name in OF_VOTES})
    assert [table for table, found_rows in live.items() if not found_rows] == []


@pytest.mark.parametrize("names", [[name] for name in OF_VOTES] + [list(READ_MODELS)], ids=str)
def test_a_rebuild_equals_live(
    town: Town, conninfo: str, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    catch_up(conninfo, READ_MODELS)
    live, stood = rows(conninfo), reached(conninfo)
    monkeypatch.setattr(rebuilding, "PAGE_EVENTS", 7)
    rebuild(conninfo, {name: READ_MODELS[name] for name in names})
    assert rows(conninfo) == live
    assert reached(conninfo) == stood


def test_followed_a_few_events_at_a_time_it_is_the_same(
    town: Town, conninfo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "PAGE_EVENTS", 3)
    catch_up(conninfo, READ_MODELS)
    live = rows(conninfo)
    monkeypatch.undo()
    rebuild(conninfo, READ_MODELS)
    assert rows(conninfo) == live


def test_the_check_agrees(town: Town, conninfo: str) -> None:
    catch_up(conninfo, READ_MODELS)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        assert check(connection).differences == []
