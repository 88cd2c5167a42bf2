"""Where tills record gifts, one or many a request, and give them back."""

from typing import Any
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import Response

from api.auth import till_key
from api.bodies import body_of, header_of, parsed
from api.deps import context_of, till_of
from api.intake import (
    Answer,
    DonationIn,
    DonationOut,
    ReversalIn,
    ReversalOut,
    keyed,
    record_gift,
    record_gifts,
    reverse_gift,
)
from api.openapi import body_schema, refusals, repeated
from api.refusals import UNCACHED, BatchTooLarge, BodyMalformed, error_of, status_of
from ledger.decider import Refused
from projections.admission import AdmittedTill

ONE = "/api/v1/donations"
router = APIRouter(prefix=ONE, tags=["tills"])

ONE_BYTES_MAX = 16_384
BATCH_ITEMS_MAX = 1_000
BATCH_BYTES_MAX = 2_097_152


class RawBatch(msgspec.Struct, forbid_unknown_fields=True):
    """A batch whose items are not decoded yet, so that a bad one does not spoil the others."""

    donations: list[msgspec.Raw]


class BatchIn(BaseModel):
    """Up to 1,000 gifts of one till."""

    donations: list[DonationIn]


class BatchResult(BaseModel):
    """One item's answer: `status` as if it had come alone, then a gift's fields or `error`."""

    status: int
    donation_id: UUID | None = None
    recorded_at: str | None = None
    position: int | None = None
    code: str | None = None
    choose_url: str | None = None
    error: dict[str, Any] | None = None


class BatchOut(BaseModel):
    """The answers, in the order of the items."""

    results: list[BatchResult]


@router.post(
    "",
    status_code=201,
    response_model=DonationOut,
    responses=repeated(DonationOut) | refusals(401, 409, 413, 422, 503),
    openapi_extra=body_schema(DonationIn, idempotency_key=True),
)
@till_key()
async def record(request: Request) -> Response:
    """Record a gift. 201 means durable; the same again gives 200 and the same answer."""
    context = context_of(request)
    till = await till_of(context, request)
    body = parsed(DonationIn, await body_of(request, ONE_BYTES_MAX))
    body = keyed(body, till, header_of(request, b"idempotency-key"))
    answer = await record_gift(context, till, body)
    return Response(answer.json(), 201 if answer.fresh else 200, UNCACHED, "application/json")


@router.post(
    "/batch",
    response_model=BatchOut,
    responses=refusals(401, 413, 422, 503),
    openapi_extra=body_schema(BatchIn),
)
@till_key()
async def record_batch(request: Request) -> Response:
    """Record up to 1,000 gifts in one commit, each answered as if it had come alone."""
    till = await till_of(context_of(request), request)
    raw = raw_batch(await body_of(request, BATCH_BYTES_MAX))
    results = await batch_results(request, till, raw.donations)
    return Response(b'{"results":[%b]}' % b",".join(results), 200, UNCACHED, "application/json")


def raw_batch(body: bytes) -> RawBatch:
    try:
        batch = msgspec.json.decode(body, type=RawBatch)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BodyMalformed(problems=[{"field": "body", "problem": str(error)}]) from None
    if not 1 <= len(batch.donations) <= BATCH_ITEMS_MAX:
        raise BatchTooLarge(items=len(batch.donations), items_max=BATCH_ITEMS_MAX)
    return batch


async def batch_results(
    request: Request, till: AdmittedTill, items: list[msgspec.Raw]
) -> list[bytes]:
    """Answer each item: those that are well formed go to the ledger together."""
    read: list[DonationIn | Refused] = []
    for item in items:
        try:
            read.append(keyed(parsed(DonationIn, bytes(item)), till, ""))
        except Refused as refusal:
            read.append(refusal)
    bodies = [body for body in read if isinstance(body, DonationIn)]
    recorded = iter(await record_gifts(context_of(request), till, bodies))
    answers = (next(recorded) if isinstance(body, DonationIn) else body for body in read)
    return [result_of(answer) for answer in answers]


def result_of(answer: Answer | Refused) -> bytes:
    if isinstance(answer, Refused):
        return msgspec.json.encode({"status": status_of(answer), "error": error_of(answer)})
    return b'{"status":%d,%b' % (201 if answer.fresh else 200, answer.json()[1:])


@router.post(
    "/{donation_id}/reversals",
    status_code=201,
    response_model=ReversalOut,
    responses=repeated(ReversalOut) | refusals(401, 404, 409, 413, 422, 503),
    openapi_extra=body_schema(ReversalIn),
)
@till_key()
async def reverse(request: Request, donation_id: UUID) -> Response:
    """Give a gift back in part or whole: never more than is left of it, and once for each id."""
    till = await till_of(context_of(request), request)
    body = parsed(ReversalIn, await body_of(request, ONE_BYTES_MAX))
    reversal, fresh = await reverse_gift(context_of(request), till, donation_id, body)
    return Response(reversal.model_dump_json(), 201 if fresh else 200, UNCACHED, "application/json")
