"""From what a till sends to what the ledger is asked, and back to what the till is told."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated
from uuid import UUID, uuid5

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from api.deps import Context
from api.refusals import BodyMalformed
from ledger.calendar import civil_day
from ledger.decider import Refused
from ledger.devices import DeviceLink
from ledger.donations import (
    AskId,
    Donation,
    DonationEvent,
    DonationNotFound,
    DonationRecorded,
    DonationReversed,
    RecordDonation,
    ReverseDonation,
    TillReason,
    Unrecorded,
    donation,
)
from ledger.giving import Source
from ledger.money import Cents
from ledger.store import Handled
from projections.admission import AdmittedTill

IDEMPOTENCY_KEY_MAX = 255
# Outside of these a date is a typing error, and arithmetic with it may overflow.
OCCURRED_FROM = datetime(1970, 1, 1, tzinfo=UTC)
OCCURRED_BEFORE = datetime(9000, 1, 1, tzinfo=UTC)


RFC_3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)


def _rfc_3339(value: object) -> object:
    """Let only RFC 3339 through: pydantic would also take seconds since 1970 for a time.

    JSON holds no datetime: one that is given was read by a page of ours.
    """
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or RFC_3339.fullmatch(value) is None:
        raise ValueError("not an RFC 3339 time with an offset, like 2026-11-23T07:08:00+01:00")
    return value


class Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class DonationIn(Body):
    """A gift as the till saw it. Cents of euros; times are RFC 3339 with an offset."""

    donation_id: UUID | None = Field(
        None, description="Made by the till. May be replaced by an Idempotency-Key header."
    )
    occurred_at: Annotated[
        AwareDatetime,
        Field(ge=OCCURRED_FROM, lt=OCCURRED_BEFORE, strict=False),
        BeforeValidator(_rfc_3339),
    ]
    amount_cents: Cents
    source: Source
    purchase_cents: Cents | None = None
    sale_ref: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        None, description="The shop's own reference of the sale; kept only as a keyed hash."
    )
    ask_id: AskId | None = None
    project_id: UUID | None = None
    device: DeviceLink | None = Field(
        None, description="The gift's place in the chain of a till that numbers its gifts."
    )


class ReversalIn(Body):
    """A gift given back, in part or whole."""

    reversal_id: UUID
    amount_cents: Cents
    reason: TillReason


class DonationOut(Body):
    """A recorded gift. The same request gives the same answer for ever."""

    donation_id: UUID
    recorded_at: AwareDatetime
    position: int = Field(description="The event's place in the feed; positions have gaps.")
    code: str = Field(description="The customer's ticket code: a secret of the customer.")
    choose_url: str = Field(description="Where the customer chooses, with the code in it.")


class ReversalOut(Body):
    """A recorded reversal, and what was left of the gift right after it."""

    donation_id: UUID
    reversal_id: UUID
    recorded_at: AwareDatetime
    position: int
    reversed_cents: int = Field(description="Given back so far, this reversal included.")
    remaining_cents: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What a till is told of a gift; `fresh` is False when it was recorded before."""

    donation_id: UUID
    recorded_at: datetime
    position: int
    code: str
    choose_url: str
    fresh: bool

    def json(self) -> bytes:
        """Write a DonationOut. Every value is ours and needs no escaping."""
        return (
            f'{{"donation_id":"{self.donation_id}","recorded_at":"{self.recorded_at.isoformat()}",'
            f'"position":{self.position},"code":"{self.code}","choose_url":"{self.choose_url}"}}'
        ).encode()


@dataclass(frozen=True, slots=True)
class Gift:
    """What a ticket tells of its gift."""

    donation_id: UUID
    partner_id: UUID
    till_id: UUID
    source: Source
    amount_cents: int
    reversed_cents: int
    purchase_cents: int | None
    occurred_at: datetime
    occurred_on: date
    recorded_at: datetime


def keyed(body: DonationIn, till: AdmittedTill, idempotency_key: str) -> DonationIn:
    """Give the body its donation id: its own, else one made of the till and the header.

    Raises BodyMalformed when it has neither, or a header longer than IDEMPOTENCY_KEY_MAX.
    """
    if len(idempotency_key) > IDEMPOTENCY_KEY_MAX:
        problem = f"at most {IDEMPOTENCY_KEY_MAX} characters"
        raise BodyMalformed(problems=[{"field": "Idempotency-Key", "problem": problem}])
    if body.donation_id is not None:
        return body
    if not idempotency_key:
        problem = "required: send it, or an Idempotency-Key header"
        raise BodyMalformed(problems=[{"field": "donation_id", "problem": problem}])
    return body.model_copy(update={"donation_id": uuid5(till.till_id, idempotency_key)})


def command_of(
    context: Context, till: AdmittedTill, body: DonationIn, at: datetime, actor: str
) -> tuple[UUID, RecordDonation]:
    """Make the command of a body that has its donation id. Raises ValueError when it has none."""
    if body.donation_id is None:
        raise ValueError("a gift without an id cannot be told from its repeat")
    occurred_on = civil_day(body.occurred_at)
    sale_ref_mac = None
    if body.sale_ref is not None:
        sale_ref_mac = context.keyring.sale_ref_mac(till.partner_id.bytes, body.sale_ref)
    return body.donation_id, RecordDonation(
        at=at,
        actor=actor,
        donation_id=body.donation_id,
        partner_id=till.partner_id,
        till_id=till.till_id,
        source=body.source,
        amount_cents=body.amount_cents,
        occurred_at=body.occurred_at,
        occurred_on=occurred_on,
        purchase_cents=body.purchase_cents,
        sale_ref_mac=sale_ref_mac,
        ask_id=body.ask_id,
        project_id=body.project_id,
        device=body.device,
        partner_standing=context.admission.standing(till.partner_id, occurred_on),
    )


def answer_of(context: Context, handled: Handled[DonationEvent]) -> Answer:
    """Tell of a recorded gift: always from its first event, so that a repeat hears the same."""
    first = handled.history[0]
    gift = first.event
    code = context.tickets.code(gift.donation_id)
    return Answer(
        donation_id=gift.donation_id,
        recorded_at=gift.recorded_at,
        position=first.position,
        code=code,
        choose_url=f"{context.settings.public_url}/g/{code}",
        fresh=handled.fresh > 0,
    )


async def record_gifts(
    context: Context, till: AdmittedTill, bodies: Sequence[DonationIn], actor: str | None = None
) -> list[Answer | Refused]:
    """Record gifts that have their donation ids; answer each, in order, after the commit.

    `actor` is who sends them when it is not the till itself.
    """
    at = datetime.now(UTC)
    actor = actor or f"till:{till.till_id}"
    commands = [command_of(context, till, body, at, actor) for body in bodies]
    handled = await context.ledger.submit_all(donation, commands, presume_new=True)
    return [
        result if isinstance(result, Refused) else answer_of(context, result) for result in handled
    ]


async def record_gift(context: Context, till: AdmittedTill, body: DonationIn) -> Answer:
    """Record one gift. Raises its refusal."""
    answer = (await record_gifts(context, till, [body]))[0]
    if isinstance(answer, Refused):
        raise answer
    return answer


async def reverse_gift(
    context: Context, till: AdmittedTill, donation_id: UUID, body: ReversalIn
) -> tuple[ReversalOut, bool]:
    """Give a gift back in part or whole; tell also whether this is new. Raises its refusal."""
    at = datetime.now(UTC)
    command = ReverseDonation(
        at=at,
        actor=f"till:{till.till_id}",
        donation_id=donation_id,
        reversal_id=body.reversal_id,
        partner_id=till.partner_id,
        till_id=till.till_id,
        amount_cents=body.amount_cents,
        reason=body.reason,
        reversed_on=civil_day(at),
    )
    handled = (await context.ledger.submit_all(donation, [(donation_id, command)]))[0]
    if isinstance(handled, Refused):
        raise handled
    return reversal_of(handled, body.reversal_id), handled.fresh > 0


def reversal_of(handled: Handled[DonationEvent], reversal_id: UUID) -> ReversalOut:
    """Tell of one reversal of a stream, as things stood right after it."""
    given_cents = reversed_cents = 0
    for recorded in handled.history:
        match recorded.event:
            case DonationRecorded(amount_cents=amount_cents):
                given_cents = amount_cents
            case DonationReversed() as event:
                reversed_cents += event.amount_cents
                if event.reversal_id == reversal_id:
                    return ReversalOut(
                        donation_id=event.donation_id,
                        reversal_id=reversal_id,
                        recorded_at=event.recorded_at,
                        position=recorded.position,
                        reversed_cents=reversed_cents,
                        remaining_cents=given_cents - reversed_cents,
                    )
    raise DonationNotFound(reversal_id=reversal_id)


def gift_of(context: Context, donation_id: UUID) -> Gift | None:
    """Read a gift from its stream, not from a projection: true right after it is recorded."""
    history = context.ledger.history(donation, donation_id)
    return gift_in(donation.fold(recorded.event for recorded in history))


def gift_in(state: Donation) -> Gift | None:
    if isinstance(state, Unrecorded):
        return None
    gift = state.gift
    return Gift(
        donation_id=gift.donation_id,
        partner_id=gift.partner_id,
        till_id=gift.till_id,
        source=gift.source,
        amount_cents=gift.amount_cents,
        reversed_cents=gift.amount_cents - state.remaining_cents,
        purchase_cents=gift.purchase_cents,
        occurred_at=gift.occurred_at,
        occurred_on=gift.occurred_on,
        recorded_at=gift.recorded_at,
    )
