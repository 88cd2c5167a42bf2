"""What is asked of a round, and how it is refused."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from ledger.decider import Command, Refused
from ledger.rounds.definition import Definition, Pot
from ledger.rounds.events import Award, CancelReason, SentBackReason, StruckReason, Tally


class DraftRound(Command):
    """Draft, or draft anew: approvals of another definition do not hold for this one."""

    definition: Definition


class Judgement(Command):
    """What only people decide who have no interest in a project of the round.

    `lapsed` are those whose earlier word counts no more: their account was disabled since, or they
    are not on the committee today.
    """

    interested: tuple[str, ...] = ()
    lapsed: tuple[str, ...] = ()

    def counts(self, actor: str) -> bool:
        """Tell whether what somebody approved or proposed before still counts."""
        return actor not in self.interested and actor not in self.lapsed


class ApproveRound(Judgement):
    round_id: UUID
    definition_sha256: str


class OpenRound(Command):
    """`open_pots` are of the open rounds; earlier ones set `carried_cents` aside for this one.

    `lapsed` are those whose approval counts no more.
    """

    round_id: UUID
    lapsed: tuple[str, ...] = ()
    open_pots: tuple[Pot, ...] = ()
    carried_cents: int = 0


class StrikeProject(Command):
    """Take a project that died out of the round; its votes follow the declared rule.

    `ended` is how the project's own record says that it ended: nobody strikes a living one.
    """

    round_id: UUID
    project_id: UUID
    reason: StruckReason
    ended: Literal["completed", "abandoned"] | None = None


class CloseRound(Command):
    round_id: UUID


class RecordTally(Command):
    round_id: UUID
    tally: Tally


class RecordFailure(Command):
    """Note that a count was tried and could not be made; `why` names what forbade it."""

    round_id: UUID
    why: Annotated[str, Field(pattern=r"^[A-Za-z]{1,80}$")]


class ApproveResult(Judgement):
    round_id: UUID
    result_sha256: str


class SendBack(Judgement):
    round_id: UUID
    result_sha256: str
    reason: SentBackReason
    words_sha256: str | None = None


class CancelRound(Judgement):
    round_id: UUID
    reason: CancelReason


class CarryLeftover(Command):
    """Give what this round left to another, once."""

    round_id: UUID
    to_round_id: UUID


class ReleaseLeftover(Command):
    """Take back what this round left to one that was cancelled or drafted anew."""

    round_id: UUID
    to_round_id: UUID


class CompleteAwards(Command):
    """`withheld` are the awards of projects that ended: their money goes to the next round."""

    round_id: UUID
    withheld: tuple[Award, ...] = ()


OutcomeCommand = (
    RecordTally
    | RecordFailure
    | ApproveResult
    | SendBack
    | CancelRound
    | CarryLeftover
    | ReleaseLeftover
    | CompleteAwards
)
RoundCommand = DraftRound | ApproveRound | OpenRound | StrikeProject | CloseRound | OutcomeCommand


class RoundNotFound(Refused):
    """No round has this id."""


class RoundIsFrozen(Refused):
    """The round was opened or cancelled: its definition cannot change any more."""


class DefinitionDiffers(Refused):
    """What is approved is not the round's definition as it stands."""


class RoundNotApproved(Refused):
    """Two members of the committee must approve the definition before the round opens."""


class DrafterApproves(Refused):
    """Whoever drafted a definition is not one of the two who approve it."""


class ApproverHasInterest(Refused):
    """Who has an interest in a project of a round leaves all decisions on it to others."""


class ApproverWithoutAccount(Refused):
    """Only a person with an account of her own approves, adopts, sends back or cancels."""


class DeadlineTooSoon(Refused):
    """The round would close before it opens."""


class PotsOverlap(Refused):
    """Another open round is about some of the same gifts."""


class GoalDiffers(Refused):
    """A project asks for another amount than the definition says: draft it anew."""


class CarriedDiffers(Refused):
    """Earlier rounds have not set aside the money that the definition counts on."""


class RoundNotOpened(Refused):
    """The round was not opened."""


class RoundNotClosed(Refused):
    """Only a round that is closed is counted."""


class RoundNotDue(Refused):
    """The round is open until its deadline, and a little longer for ballots on their way."""


class CandidateUnknown(Refused):
    """This project is not in the round."""


class ProjectNotAbandoned(Refused):
    """Only a project that was abandoned is taken out of a round."""


class ResultStands(Refused):
    """There is a result already: send it back before another is recorded."""


class TallyDiffers(Refused):
    """The tally does not belong to this round's definition, or does not add up."""


class ResultNotPending(Refused):
    """No such result waits for a decision."""


class SentBackBefore(Refused):
    """Who sent this very result back leaves it to another member to send it back again."""


class RoundNotCancellable(Refused):
    """A round is cancelled before it opens, if it cannot be counted, or once it was sent back."""


class CountNotTried(Refused):
    """Nobody says that a round cannot be counted before a count of it was tried, and failed."""


class CountImpossible(Refused):
    """These ballots cannot be counted by this rule: two members of the committee may cancel it."""


class ResultNotAdopted(Refused):
    """The result was not adopted."""


class NotAwarded(Refused):
    """Before the awards are made, it is not known what is left."""


class NothingLeft(Refused):
    """The round left nothing to a next one."""


class LeftoverTaken(Refused):
    """What the round left was given to another round before."""
