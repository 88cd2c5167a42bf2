"""The journal: every event that everybody may read, newest first, and its JSON twin."""

from datetime import date
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from psycopg import Connection
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response

from api.auth import public
from api.home import JSON, PAGE, UNCHANGED
from api.openapi import refusals
from api.pages import Address, public_page
from api.snapshots import snapshot
from projections import journal, partners
from projections.journal import PAGE_LINES_MAX, position_of
from projections.read_model import as_of

router = APIRouter()

MODELS = ("journal", "partners")
PAGE_LINES = 50
JSON_LINES = 100
POSITION_MAX = 2**53  # Beyond it JavaScript cannot count, and no village gives so often.

Before = Annotated[int | None, Query(ge=1, le=POSITION_MAX)]
Limit = Annotated[int, Query(ge=1, le=PAGE_LINES_MAX)]


class EntryOut(BaseModel):
    """One event; further fields depend on its kind.

    A gift, a reversal, a closed day, an explained gap or a statement names its partner, and has
    its own id, only where that partner let its own figures be published when it was recorded.
    """

    model_config = ConfigDict(extra="allow")

    position: int
    kind: Literal[
        "DonationRecorded",
        "DonationReversed",
        "PartnerRegistered",
        "PartnerActivated",
        "PartnerSuspended",
        "PartnerDescribed",
        "ContactNamed",
        "ContactRemoved",
        "PublicationConsented",
        "PublicationConsentWithdrawn",
        "AgreementSigned",
        "AgreementAmended",
        "AgreementEnded",
        "ApplicationFiled",
        "EvidenceAdded",
        "ApplicationWithdrawn",
        "ConflictDeclared",
        "ReviewRecorded",
        "DecisionProposed",
        "DecisionRejected",
        "CertificationGranted",
        "CertificationRenewed",
        "ApplicationRefused",
        "CertificationSuspended",
        "CertificationReinstated",
        "CertificationRevoked",
        "CertificationEnded",
        "AppealFiled",
        "AppealAccepted",
        "AppealDismissed",
        "ComplaintOpened",
        "ComplaintAnswered",
        "ComplaintClosed",
        "TillEnrolled",
        "TillKeyRotated",
        "TillRevoked",
        "EnrolmentOffered",
        "GapExplained",
        "DayClosed",
        "AccountOpened",
        "RolesChanged",
        "AccountDisabled",
        "AccountEnabled",
        "RoundDrafted",
        "RoundApproved",
        "RoundOpened",
        "ProjectStruck",
        "RoundClosed",
        "RoundTallied",
        "CountFailed",
        "ResultApproved",
        "ResultSentBack",
        "RoundAdopted",
        "CancellationProposed",
        "RoundCancelled",
        "LeftoverCarried",
        "LeftoverReleased",
        "RoundAwarded",
        "BallotCast",
        "BallotChanged",
        "BallotEntered",
        "EntryDiscarded",
        "WalletOpened",
        "StandingChoiceMade",
        "StandingChoiceWithdrawn",
        "GiftAdded",
        "FoundationDescribed",
        "CollectionAccountProposed",
        "CollectionAccountApproved",
        "CollectionAccountDiscarded",
        "SettlementTermsSet",
        "CardFeeSet",
        "StatementClosed",
        "StatementReminded",
        "WriteOffProposed",
        "WriteOffApproved",
        "WriteOffDiscarded",
        "CreditSetOff",
        "SetOffTakenBack",
        "StatementFellOverdue",
        "OverdueCleared",
        "BankFileRead",
        "BankTransactionBooked",
        "TransactionMatched",
        "TransactionUnmatched",
        "RemittanceDeclared",
        "RemittanceApproved",
        "RemittanceDiscarded",
        "RemittanceReturned",
        "PledgeMade",
        "PledgeCalled",
        "PledgeUsed",
        "PledgeWithdrawn",
        "CheckoutStarted",
        "PaymentProcessing",
        "PaymentSucceeded",
        "PaymentFailed",
        "PaymentRefunded",
        "RefundFailed",
        "DisputeOpened",
        "DisputeFundsWithdrawn",
        "DisputeFundsReinstated",
        "DisputeClosed",
        "SubscriptionEnded",
        "PayoutPaid",
        "PayoutListed",
        "PayoutFailed",
    ]
    recorded_on: date


class JournalOut(BaseModel):
    """Ask again with `before` set to `next_before` for older entries; null when none is left."""

    entries: list[EntryOut]
    next_before: int | None
    as_of_position: int


def query_of(before: int | None, limit: int) -> dict[str, str]:
    """Give the query of a page's address: only what is not the default."""
    query = {} if before is None else {"before": str(before)}
    return query if limit == PAGE_LINES else query | {"limit": str(limit)}


def journal_page(connection: Connection[Any], before: int | None, limit: int) -> dict[str, Any]:
    """Gather one page of entries, and the addresses of the pages beside it."""
    entries = journal.page(connection, before=before, limit=limit + 1)
    shown = entries[:limit]
    now = as_of(connection, *MODELS)
    older = newer = None
    if len(entries) > limit:
        older = query_of(shown[-1].position, limit)
    if before is not None:
        # Positions may have gaps: the newer page may repeat entries of this one, and skips none.
        first = shown[0].position + limit + 1 if shown else before + limit
        newer = query_of(first if first <= now.position else None, limit)
    return {
        "days": [(day, list(same)) for day, same in groupby(shown, attrgetter("recorded_on"))],
        "as_of": now,
        "names": {str(shop.partner_id): shop.name for shop in partners.every(connection)},
        "older": None if older is None else f"/journal?{urlencode(older)}",
        "newer": None if newer is None else f"/journal?{urlencode(newer)}".rstrip("?"),
    }


def journal_json(connection: Connection[Any], before: int | None, limit: int) -> bytes:
    """Join the lines as they are stored: each is an entry's JSON already."""
    lines = journal.lines_before(connection, before, limit + 1)
    shown = lines[:limit]
    more = "null" if len(lines) <= limit else str(position_of(shown[-1]))
    position = as_of(connection, "journal").position
    entries = ",".join(shown)
    return f'{{"entries":[{entries}],"next_before":{more},"as_of_position":{position}}}'.encode()


def whole_number(text: str | None, most: int) -> int | None:
    """Read a number of an address, None when it is none: a page forgives what an API refuses."""
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > len(str(most)):
        return None
    return min(max(int(text), 1), most)


@router.api_route("/journal", **PAGE)
@public()
async def show_journal(request: Request) -> Response:
    before = whole_number(request.query_params.get("before"), POSITION_MAX)
    limit = whole_number(request.query_params.get("limit"), PAGE_LINES_MAX) or PAGE_LINES
    gather = partial(journal_page, before=before, limit=limit)
    return await public_page(
        request, "journal.html", gather, Address(query=query_of(before, limit))
    )


@router.get("/api/v1/journal", response_model=JournalOut, responses=UNCHANGED | refusals(422))
@public()
async def list_entries(
    request: Request, before: Before = None, limit: Limit = JSON_LINES
) -> Response:
    """Give the public events, newest first, in pages by position."""
    build = partial(journal_json, before=before, limit=limit)
    return await snapshot(request, JSON, build, variant=f"{before} {limit}")
