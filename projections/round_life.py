"""What everybody may read of the events of rounds, ballots and wallets.

A ballot's line says in which round, and nothing by which the gift, the choice or the wallet could
be found again. Nobody's name is told: not who drafted, approved or sent back.
"""

from typing import assert_never

from ledger.ballots import (
    BallotCast,
    BallotChanged,
    BallotEntered,
    BallotEvent,
    EntryDiscarded,
)
from ledger.rounds.events import (
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
)
from ledger.wallets import (
    GiftAdded,
    StandingChoiceMade,
    StandingChoiceWithdrawn,
    WalletEvent,
    WalletOpened,
)

Public = dict[str, str | int | None]
VoteEvent = RoundEvent | BallotEvent | WalletEvent | GiftAdded


def public_of_vote(event: VoteEvent) -> Public:
    """Give the public form of an event of a round, a ballot or a wallet."""
    match event:
        case WalletOpened() | StandingChoiceMade() | StandingChoiceWithdrawn() | GiftAdded():
            return {}
        case BallotCast() | BallotChanged() | BallotEntered() | EntryDiscarded():
            return {"round_id": str(event.round_id)}
        case _:
            return public_of_round(event)


def public_of_round(event: RoundEvent) -> Public:
    """Give the public form of an event of a round."""
    whose: Public = {"round_id": str(event.round_id)}
    match event:
        case RoundDrafted() | RoundApproved() | RoundOpened():
            return whose | {"definition_sha256": event.definition_sha256}
        case ProjectStruck():
            return whose | {"project_id": str(event.project_id), "reason": event.reason}
        case RoundTallied(tally=tally):
            return whose | {
                "result_sha256": tally.result_sha256,
                "ballots": tally.ballots,
                "pot_cents": tally.pot_cents,
            }
        case ResultSentBack():
            return whose | {"result_sha256": event.result_sha256, "reason": event.reason}
        case ResultApproved() | RoundAdopted() | RoundAwarded():
            return whose | {"result_sha256": event.result_sha256}
        case RoundCancelled():
            return whose | {"reason": event.reason}
        case CountFailed(why=why):
            return whose | {"why": why}
        case LeftoverCarried() | LeftoverReleased():
            return whose | {"to_round_id": str(event.to_round_id), "cents": event.cents}
        case RoundClosed() | CancellationProposed():
            return whose
        case _:
            assert_never(event)
