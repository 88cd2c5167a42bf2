"""What waits for somebody in the office, from reviews to appeals, and what was decided lately."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, Literal, cast, get_args
from uuid import UUID

from psycopg import Connection, Cursor
from psycopg.rows import class_row

from ledger.calendar import civil_day
from ledger.decider import Event
from ledger.partners.certifications.events import (
    AppealAccepted,
    AppealDismissed,
    AppealFiled,
    ApplicationFiled,
    ApplicationRefused,
    ApplicationWithdrawn,
    CertificationEvent,
    CertificationGranted,
    CertificationReinstated,
    CertificationRenewed,
    CertificationRevoked,
    CertificationSuspended,
    ConflictDeclared,
    DecisionProposed,
    DecisionRejected,
    Measure,
    ReviewRecorded,
)
from ledger.partners.complaints import (
    ComplaintAnswered,
    ComplaintClosed,
    ComplaintEvent,
    ComplaintOpened,
)
from ledger.partners.deadlines import RECENTLY, RENEWAL_GIVEN_UP_AFTER, RENEWAL_WITHIN
from projections.read_model import InOrder, ReadModel
from projections.sql import queries

SQL = queries("cases.sql")
CASE_EVENTS = (*get_args(CertificationEvent), *get_args(ComplaintEvent))
# The office's first page is no archive: each partner's page has all of its cases.
DECIDED_MAX = 30

Queue = Literal["reviews", "decisions", "second_decisions", "renewals", "complaints", "appeals"]
QUEUES: tuple[Queue, ...] = get_args(Queue)
Kind = Literal["application", "renewal", "sanction", "appeal", "complaint"]
# What became of a proposal, or of a complaint. `void`: its proposer, or the reviewer it leaned on,
# declared an interest in the partner.
Outcome = Literal[
    "adopted",
    "rejected",
    "void",
    "withdrawn",
    "upheld",
    "partly_upheld",
    "not_upheld",
]


def write(cursor: Cursor[Any], event: CertificationEvent | ComplaintEvent) -> None:
    if isinstance(event, get_args(ComplaintEvent)):
        write_complaint(cursor, cast(ComplaintEvent, event))
    else:
        write_certification(cursor, cast(CertificationEvent, event))


def write_certification(cursor: Cursor[Any], event: CertificationEvent) -> None:
    match event:
        case ApplicationFiled(application_id=case_id, filed_on=day):
            open_case(
                cursor,
                event.partner_id,
                case_id,
                "renewal" if event.renewal else "application",
                day,
            )
        case AppealFiled(appeal_id=case_id, filed_on=day):
            open_case(cursor, event.partner_id, case_id, "appeal", day)
        case ReviewRecorded(application_id=case_id, recommendation=recommended):
            row = {"case_id": case_id, "review_by": event.actor, "recommended": recommended}
            cursor.execute(SQL["review"], row)
        case DecisionProposed():
            propose(cursor, event)
        case DecisionRejected(case_id=case_id):
            decide(cursor, event, case_id, "rejected")
            cursor.execute(SQL["reject"], {"case_id": case_id})
        case ConflictDeclared(partner_id=partner_id, actor=person):
            row = {"partner_id": partner_id, "person": person, "decided_at": event.recorded_at}
            cursor.execute(SQL["note_void"], row)
            cursor.execute(SQL["void"], row)
        case ApplicationWithdrawn(application_id=case_id):
            close(cursor, event, case_id, "withdrawn")
        case AppealAccepted(appeal_id=case_id) | AppealDismissed(appeal_id=case_id):
            close(cursor, event, case_id, "adopted")
        case CertificationGranted() | CertificationRenewed():
            row = {"partner_id": event.partner_id, "valid_until": event.valid_until}
            cursor.execute(SQL["certify"], row)
            close(cursor, event, event.case_id, "adopted")
        case (
            ApplicationRefused()
            | CertificationSuspended()
            | CertificationReinstated()
            | CertificationRevoked()
        ):
            close(cursor, event, event.case_id, "adopted")
        case _:
            pass


def decide(cursor: Cursor[Any], event: Event, case_id: UUID, outcome: Outcome) -> None:
    """Note what became of an open case; an event more of the same decision notes nothing."""
    decided = {"decided_by": event.actor, "decided_at": event.recorded_at}
    cursor.execute(SQL["decide"], decided | {"case_id": case_id, "outcome": outcome})


def close(cursor: Cursor[Any], event: Event, case_id: UUID, outcome: Outcome) -> None:
    decide(cursor, event, case_id, outcome)
    cursor.execute(SQL["close"], {"case_id": case_id})


def propose(cursor: Cursor[Any], event: DecisionProposed) -> None:
    """Note a proposal; that of a sanction opens its case."""
    open_case(cursor, event.partner_id, event.case_id, "sanction", civil_day(event.recorded_at))
    proposal = {
        "case_id": event.case_id,
        "number": event.number,
        "measure": event.measure,
        "reason": event.reason,
        "first_on": event.first_on,
        "last_on": event.last_on,
        "proposed_by": event.actor,
    }
    cursor.execute(SQL["propose"], proposal)


def write_complaint(cursor: Cursor[Any], event: ComplaintEvent) -> None:
    match event:
        case ComplaintOpened(partner_id=partner_id, complaint_id=case_id, opened_on=day):
            due = {"due_on": event.answer_due_on, "topic": event.topic}
            open_case(cursor, partner_id, case_id, "complaint", day, **due)
        case ComplaintAnswered(complaint_id=case_id, answered_on=day):
            cursor.execute(SQL["answer"], {"case_id": case_id, "answered_on": day})
        case ComplaintClosed(complaint_id=case_id, outcome=outcome):
            close(cursor, event, case_id, outcome)


def open_case(
    cursor: Cursor[Any],
    partner_id: UUID,
    case_id: UUID,
    kind: Kind,
    day: date,
    **due: Any,
) -> None:
    opened = {"case_id": case_id, "partner_id": partner_id, "kind": kind, "opened_on": day}
    cursor.execute(SQL["open"], opened | {"due_on": None, "topic": None} | due)


@dataclass(frozen=True, slots=True)
class OpenCase:
    """Something that waits. `case_id` is the partner's own id in the queue of renewals.

    `number`, `measure`, `reason`, `first_on`, `last_on`, `proposed_by` describe the pending
    proposal. `overdue`: a complaint is not answered in time, or a certification is over.
    """

    case_id: UUID
    partner_id: UUID
    kind: Kind
    opened_on: date
    due_on: date | None
    topic: str | None
    review_by: str | None
    recommended: str | None
    number: int | None
    measure: Measure | None
    reason: str | None
    first_on: date | None
    last_on: date | None
    proposed_by: str | None
    answered_on: date | None
    partner_name: str | None
    overdue: bool


def queue(connection: Connection[Any], kind: Queue, today: date | None = None) -> list[OpenCase]:
    """Give what waits in one queue, the oldest or the one due first on top."""
    asked = {
        "today": today or civil_day(datetime.now(UTC)),
        "within": RENEWAL_WITHIN.days,
        "given_up": RENEWAL_GIVEN_UP_AFTER.days,
    }
    with connection.cursor(row_factory=class_row(OpenCase)) as cursor:
        return cursor.execute(SQL[kind], asked).fetchall()


def of_partner(
    connection: Connection[Any], partner_id: UUID, today: date | None = None
) -> list[OpenCase]:
    """Give all that waits about one partner."""
    asked = {"partner_id": partner_id, "today": today or civil_day(datetime.now(UTC))}
    with connection.cursor(row_factory=class_row(OpenCase)) as cursor:
        return cursor.execute(SQL["of_partner"], asked).fetchall()


@dataclass(frozen=True, slots=True)
class DecidedCase:
    """One decision, or the end of one complaint; a case whose proposals fail has several."""

    case_id: UUID
    number: int
    partner_id: UUID
    kind: Kind
    topic: str | None
    measure: Measure | None
    reason: str | None
    first_on: date | None
    last_on: date | None
    proposed_by: str | None
    outcome: Outcome
    decided_by: str
    decided_at: datetime
    partner_name: str | None


def decided(connection: Connection[Any], today: date | None = None) -> list[DecidedCase]:
    """Give what was decided lately, the newest first."""
    since = (today or civil_day(datetime.now(UTC))) - RECENTLY
    with connection.cursor(row_factory=class_row(DecidedCase)) as cursor:
        return cursor.execute(SQL["decided"], {"since": since, "limit": DECIDED_MAX}).fetchall()


cases = ReadModel(
    name="cases",
    tables=("open_case", "certified_until", "decided_case"),
    ddl=SQL["table"],
    fold=partial(InOrder, CASE_EVENTS, write),
)
