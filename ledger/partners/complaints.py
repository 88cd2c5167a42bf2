"""A public complaint about a partner: opened, answered within a stated time, closed.

The words of both sides and who complained are in the vault, under the complaint's subject.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal, assert_never
from uuid import UUID

from ledger.calendar import civil_day
from ledger.decider import Command, Decider, Event, Refused
from ledger.partners.deadlines import ANSWER_WITHIN

Topic = Literal["asking", "gift_missing", "staff", "badge_misused", "refund", "other"]
Outcome = Literal["upheld", "partly_upheld", "not_upheld", "withdrawn"]

# Events. These names and fields are what is stored: add a new version, never edit.


class ComplaintOpened(Event):
    complaint_id: UUID
    partner_id: UUID
    subject_id: UUID
    topic: Topic
    opened_on: date
    answer_due_on: date


class ComplaintAnswered(Event):
    complaint_id: UUID
    partner_id: UUID
    answered_on: date


class ComplaintClosed(Event):
    complaint_id: UUID
    partner_id: UUID
    outcome: Outcome
    closed_on: date


ComplaintEvent = ComplaintOpened | ComplaintAnswered | ComplaintClosed

# Commands.


class OpenComplaint(Command):
    complaint_id: UUID
    partner_id: UUID
    subject_id: UUID
    topic: Topic


class Handling(Command):
    """`partner_people` speak for the partner, `interested` declared an interest in it.

    Neither judge it.
    """

    complaint_id: UUID
    partner_people: tuple[str, ...]
    interested: tuple[str, ...] = ()


class AnswerComplaint(Handling):
    pass


class CloseComplaint(Handling):
    outcome: Outcome


ComplaintCommand = OpenComplaint | AnswerComplaint | CloseComplaint

# State: only what the rules below need.


@dataclass(frozen=True, slots=True)
class Unopened:
    pass


@dataclass(frozen=True, slots=True)
class Opened:
    opening: ComplaintOpened


@dataclass(frozen=True, slots=True)
class Answered:
    opening: ComplaintOpened


@dataclass(frozen=True, slots=True)
class Closed:
    opening: ComplaintOpened
    outcome: Outcome
    answered: bool


Complaint = Unopened | Opened | Answered | Closed


class ComplaintNotFound(Refused):
    """No complaint has this id."""


class ComplaintDiffers(Refused):
    """The same complaint id was opened before about something else."""


class ComplaintNotAnswered(Refused):
    """A complaint is answered before it is closed, unless it is withdrawn."""


class ComplaintIsClosed(Refused):
    """A closed complaint is neither answered nor closed again."""


class ComplaintJudgedByPartner(Refused):
    """Who speaks for the partner does not answer or close a complaint about it."""


class ComplaintJudgedWithInterest(Refused):
    """Who declared an interest in the partner does not answer or close a complaint about it."""


def evolve(complaint: Complaint, event: ComplaintEvent) -> Complaint:
    match event:
        case ComplaintOpened():
            return Opened(event)
        case ComplaintAnswered():
            assert isinstance(complaint, Opened)  # noqa: S101 - what was stored says so.
            return Answered(complaint.opening)
        case ComplaintClosed(outcome=outcome):
            assert isinstance(complaint, Opened | Answered)  # noqa: S101 - what was stored says so.
            return Closed(complaint.opening, outcome, isinstance(complaint, Answered))
        case _:
            assert_never(event)


def decide(command: ComplaintCommand, complaint: Complaint) -> list[ComplaintEvent]:
    if isinstance(command, OpenComplaint):
        return open_complaint(command, complaint)
    if isinstance(complaint, Unopened):
        raise ComplaintNotFound(complaint_id=command.complaint_id)
    if command.actor in command.partner_people:
        raise ComplaintJudgedByPartner(complaint_id=command.complaint_id)
    if command.actor in command.interested:
        raise ComplaintJudgedWithInterest(complaint_id=command.complaint_id)
    match command:
        case AnswerComplaint():
            return answer(command, complaint)
        case CloseComplaint():
            return close(command, complaint)
        case _:
            assert_never(command)


def open_complaint(command: OpenComplaint, complaint: Complaint) -> list[ComplaintEvent]:
    if not isinstance(complaint, Unopened):
        before = complaint.opening
        asked = (command.partner_id, command.subject_id, command.topic)
        if (before.partner_id, before.subject_id, before.topic) != asked:
            raise ComplaintDiffers(complaint_id=command.complaint_id)
        return []
    today = civil_day(command.at)
    return [
        ComplaintOpened(
            recorded_at=command.at,
            actor=command.actor,
            complaint_id=command.complaint_id,
            partner_id=command.partner_id,
            subject_id=command.subject_id,
            topic=command.topic,
            opened_on=today,
            answer_due_on=today + ANSWER_WITHIN,
        )
    ]


def answer(command: AnswerComplaint, complaint: Opened | Answered | Closed) -> list[ComplaintEvent]:
    match complaint:
        case Opened(opening=opening):
            return [
                ComplaintAnswered(
                    recorded_at=command.at,
                    actor=command.actor,
                    complaint_id=command.complaint_id,
                    partner_id=opening.partner_id,
                    answered_on=civil_day(command.at),
                )
            ]
        case Answered() | Closed(answered=True):
            return []
        case Closed():
            raise ComplaintIsClosed(complaint_id=command.complaint_id)
        case _:
            assert_never(complaint)


def close(command: CloseComplaint, complaint: Opened | Answered | Closed) -> list[ComplaintEvent]:
    match complaint:
        case Opened() if command.outcome != "withdrawn":
            raise ComplaintNotAnswered(complaint_id=command.complaint_id)
        case Opened(opening=opening) | Answered(opening=opening):
            return [
                ComplaintClosed(
                    recorded_at=command.at,
                    actor=command.actor,
                    complaint_id=command.complaint_id,
                    partner_id=opening.partner_id,
                    outcome=command.outcome,
                    closed_on=civil_day(command.at),
                )
            ]
        case Closed(outcome=outcome) if outcome == command.outcome:
            return []
        case Closed():
            raise ComplaintIsClosed(complaint_id=command.complaint_id)
        case _:
            assert_never(complaint)


complaint: Decider[ComplaintCommand, Complaint, ComplaintEvent] = Decider(
    category="complaint", initial=Unopened(), decide=decide, evolve=evolve
)
