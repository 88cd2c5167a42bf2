"""What happened to a round. These names and fields are what is stored: add a new version."""

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict

from ledger.decider import Event

StruckReason = Literal["abandoned", "withdrawn", "not_eligible"]
SentBackReason = Literal["ballots_missing", "ballots_wrong", "gifts_wrong", "program_wrong"]
CancelReason = Literal["not_opened", "count_impossible", "irregular"]


class Award(BaseModel):
    """What a project gets from a round."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    project_id: UUID
    cents: int


class Tally(BaseModel):
    """What the count came to, in figures that add up, and the hashes of the published files.

    `pot_cents` = awards + `foundation_cents` + `next_round_cents`, to the cent.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    closed_position: int
    definition_sha256: str
    election_sha256: str
    rule_sha256: str
    result_sha256: str
    trace_sha256: str
    ballots: int
    standing_ballots: int
    suppressed_ballots: int
    voted_cents: int
    unused_gifts: int
    unused_cents: int
    matched_cents: int
    carried_cents: int
    pot_cents: int
    foundation_cents: int
    next_round_cents: int
    awards: tuple[Award, ...]
    # The projects that had ended, as the count knew them; None where none had.
    struck: tuple[UUID, ...] | None = None


class RoundDrafted(Event):
    """`definition` is its canonical JSON, so that what was hashed is what is kept."""

    round_id: UUID
    definition: str
    definition_sha256: str


class RoundApproved(Event):
    round_id: UUID
    definition_sha256: str


class RoundOpened(Event):
    round_id: UUID
    definition_sha256: str
    closes_at: AwareDatetime
    sealed: bool


class ProjectStruck(Event):
    round_id: UUID
    project_id: UUID
    reason: StruckReason


class RoundClosed(Event):
    round_id: UUID
    closes_at: AwareDatetime


class RoundTallied(Event):
    round_id: UUID
    tally: Tally


class CountFailed(Event):
    """These ballots could not be counted by the rule; `why` is the name of what forbade it."""

    round_id: UUID
    why: str


class ResultApproved(Event):
    round_id: UUID
    result_sha256: str


class ResultSentBack(Event):
    """`words_sha256` names the public words that say why; they are kept outside of the events."""

    round_id: UUID
    result_sha256: str
    reason: SentBackReason
    words_sha256: str | None = None


class RoundAdopted(Event):
    round_id: UUID
    result_sha256: str


class CancellationProposed(Event):
    round_id: UUID
    reason: CancelReason


class RoundCancelled(Event):
    round_id: UUID
    reason: CancelReason


class LeftoverCarried(Event):
    round_id: UUID
    to_round_id: UUID
    cents: int


class LeftoverReleased(Event):
    """The round it was given to never used it: it can be given to another one."""

    round_id: UUID
    to_round_id: UUID
    cents: int


class RoundAwarded(Event):
    """Every project of the result has its grant, but `withheld` ones of projects that ended."""

    round_id: UUID
    result_sha256: str
    withheld: tuple[Award, ...] = ()


RoundEvent = (
    RoundDrafted
    | RoundApproved
    | RoundOpened
    | ProjectStruck
    | RoundClosed
    | RoundTallied
    | CountFailed
    | ResultApproved
    | ResultSentBack
    | RoundAdopted
    | CancellationProposed
    | RoundCancelled
    | LeftoverCarried
    | LeftoverReleased
    | RoundAwarded
)
