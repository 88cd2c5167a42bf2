"""What the offline till asks of the service: its key, tickets made beforehand, a day's close."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Final
from uuid import UUID, uuid4

import segno
from fastapi import APIRouter
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.auth import public, till_key
from api.bodies import body_of, parsed
from api.day import Claim, close_day
from api.deps import Context, context_of, till_of, till_of_key
from api.enrolment import accept_code
from api.intake import Body
from api.login import address_of
from api.openapi import body_schema, refusals, repeated
from api.refusals import json_answer
from api.till import remember_key
from ledger.calendar import Day
from ledger.closes import Count, Sum
from ledger.devices import DeviceNumber
from ledger.donations import Recorded, donation
from projections import gaps
from projections.chains import Chain

router = APIRouter(prefix="/api/v1/till", tags=["tills"])

BYTES_MAX: Final = 4_096
# A hundred ids, however a client spaces them; their number is checked on its own.
KNOWN_BYTES_MAX: Final = 65_536
TICKETS_MAX: Final = 100
# Readers take any of the eight masks; trying them all would cost a gift's time for each ticket.
QR_MASK: Final = 2


class CodeIn(Body):
    """The code that the partner gave out: letters of any case, dashes or not."""

    code: Annotated[str, Field(min_length=1, max_length=40)]


class EnrolmentOut(Body):
    """The till that this device is from now on. The key is told once."""

    till_id: UUID
    partner_id: UUID
    name: str
    shop: str
    key: str


class TillOut(Body):
    """The till that holds the key, and the highest number known of its gifts; 0 for none."""

    till_id: UUID
    partner_id: UUID
    name: str
    shop: str
    last_number: int


class TicketsIn(Body):
    count: Annotated[int, Field(ge=1, le=TICKETS_MAX)] = TICKETS_MAX


class TicketOut(Body):
    """A ticket for a gift that is not made yet; one that is never used costs nothing."""

    donation_id: UUID = Field(description="Give the gift this id, and its ticket has this code.")
    code: str
    choose_url: str
    qr: list[int] = Field(
        description="The QR code of choose_url: a number for each row, its highest bit leftmost."
    )


class TicketsOut(Body):
    tickets: list[TicketOut]


class KnownIn(Body):
    """Gifts that were perhaps sent: the device never heard what became of them."""

    donation_ids: Annotated[list[UUID], Field(min_length=1, max_length=TICKETS_MAX)]


class KnownGift(Body):
    """A gift as the ledger has it: of which till, and in which place of a device's chain."""

    donation_id: UUID
    till_id: UUID
    hash: str | None = Field(description="The hash of its link; null where it was not numbered.")


class KnownOut(Body):
    """Those that are recorded for this till's shop; of others nothing is said."""

    known: list[KnownGift]


class CloseIn(Body):
    """What the till counted on a day; the numbers are those of its first and last gift."""

    day: Day
    gifts: Count
    cents: Sum
    first_number: DeviceNumber | None = None
    last_number: DeviceNumber | None = None


class GapOut(Body):
    first_number: int
    last_number: int


class CloseOut(Body):
    """What the till and the ledger counted, and which numbers of this till the ledger misses."""

    day: date
    recorded_at: datetime
    gifts: int
    cents: int
    ledger_gifts: int
    ledger_cents: int
    agrees: bool
    gaps: list[GapOut]


def without_key(schema: dict[str, Any]) -> dict[str, Any]:
    """Describe a body that comes without a till's key."""
    return {name: part for name, part in schema.items() if name != "security"}


@router.post(
    "/enrolments",
    status_code=201,
    response_model=EnrolmentOut,
    responses=refusals(404, 409, 413, 422, 429, 503),
    openapi_extra=without_key(body_schema(CodeIn)),
)
@public()
async def enrol(request: Request) -> Response:
    """Make this device the till that a code was given out for: once for each code."""
    context = context_of(request)
    body = parsed(CodeIn, await body_of(request, BYTES_MAX))
    enrolment = await run_in_threadpool(accept_code, context, body.code, address_of(request))
    # The key is known here before the device uses it, and the shop's name with it.
    await till_of_key(context, enrolment.key)
    response = json_answer(
        201,
        {
            "till_id": enrolment.till_id,
            "partner_id": enrolment.partner_id,
            "name": enrolment.name,
            "shop": context.admission.partner_name(enrolment.partner_id),
            "key": enrolment.key,
        },
    )
    remember_key(request, response, enrolment.key)
    return response


@router.get(
    "",
    response_model=TillOut,
    responses=refusals(401, 503),
    openapi_extra={"security": [{"till": []}]},
)
@till_key()
async def who(request: Request) -> Response:
    """Tell a till which one it is."""
    context = context_of(request)
    till = await till_of(context, request)
    known = {
        "till_id": till.till_id,
        "partner_id": till.partner_id,
        "name": till.name,
        "shop": context.admission.partner_name(till.partner_id),
        "last_number": await run_in_threadpool(last_number, context, till.till_id),
    }
    return json_answer(200, known)


def last_number(context: Context, till_id: UUID) -> int:
    with context.pool.connection() as connection:
        return gaps.last_number(connection, till_id)


@router.post(
    "/tickets",
    response_model=TicketsOut,
    responses=refusals(401, 413, 422, 503),
    openapi_extra=body_schema(TicketsIn),
)
@till_key()
async def tickets(request: Request) -> Response:
    """Make tickets beforehand, for gifts that the till will make without network."""
    await till_of(context_of(request), request)
    body = parsed(TicketsIn, await body_of(request, BYTES_MAX))
    made = await run_in_threadpool(make_tickets, context_of(request), body.count)
    return json_answer(200, {"tickets": made})


def make_tickets(context: Context, count: int) -> list[dict[str, Any]]:
    made = []
    for _ in range(count):
        donation_id = uuid4()
        code = context.tickets.code(donation_id)
        address = f"{context.settings.public_url}/g/{code}"
        made.append(
            {
                "donation_id": donation_id,
                "code": code,
                "choose_url": address,
                "qr": qr_rows(address),
            }
        )
    return made


def qr_rows(address: str) -> list[int]:
    """Draw an address as the rows of a QR code."""
    drawn = segno.make(address, error="m", micro=False, mask=QR_MASK)
    return [int("".join(map(str, row)), 2) for row in drawn.matrix]


@router.post(
    "/known",
    response_model=KnownOut,
    responses=refusals(401, 413, 422, 503),
    openapi_extra=body_schema(KnownIn),
)
@till_key()
async def known(request: Request) -> Response:
    """Tell which gifts the shop has in the ledger: a device that became another till asks first."""
    till = await till_of(context_of(request), request)
    body = parsed(KnownIn, await body_of(request, KNOWN_BYTES_MAX))
    found = await run_in_threadpool(
        known_gifts, context_of(request), till.partner_id, body.donation_ids
    )
    return json_answer(200, {"known": found})


def known_gifts(
    context: Context, partner_id: UUID, donation_ids: Sequence[UUID]
) -> list[dict[str, Any]]:
    """Look gifts up in their streams, not in a projection: true right after they are recorded."""
    found = []
    for donation_id in dict.fromkeys(donation_ids):
        state = donation.fold(one.event for one in context.ledger.history(donation, donation_id))
        if isinstance(state, Recorded) and state.gift.partner_id == partner_id:
            gift = state.gift
            found.append(
                {"donation_id": donation_id, "till_id": gift.till_id, "hash": gift.device_hash}
            )
    return found


@router.post(
    "/closes",
    status_code=201,
    response_model=CloseOut,
    responses=repeated(CloseOut) | refusals(401, 413, 422, 503),
    openapi_extra=body_schema(CloseIn),
)
@till_key()
async def close(request: Request) -> Response:
    """Close a day: keep what the till counted beside what the ledger has counted by now."""
    till = await till_of(context_of(request), request)
    body = parsed(CloseIn, await body_of(request, BYTES_MAX))
    claim = Claim(body.day, body.gifts, body.cents, body.first_number, body.last_number)
    closed, chain, fresh = await close_day(context_of(request), till, claim)
    told = {
        "day": closed.day,
        "recorded_at": closed.recorded_at,
        "gifts": closed.gifts,
        "cents": closed.cents,
        "ledger_gifts": closed.ledger_gifts,
        "ledger_cents": closed.ledger_cents,
        "agrees": closed.agrees,
        "gaps": missing(chain),
    }
    return json_answer(201 if fresh else 200, told)


def missing(chain: Chain) -> list[dict[str, int]]:
    """Give the gaps that are not explained: a till that has these gifts sends them again."""
    return [
        {"first_number": gap.first_number, "last_number": gap.last_number}
        for gap in chain.open_gaps
    ]
