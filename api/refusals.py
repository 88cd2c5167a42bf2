"""How a refusal of the ledger is told over HTTP: its name, a sentence, its status."""

from typing import Any

import msgspec
from fastapi import Request
from pydantic import ValidationError
from starlette.responses import Response

from api.credentials import TooManyAttempts
from api.guesses import TooManyCodes
from ledger import (
    ambassadors,
    ballots,
    closes,
    donations,
    foundation,
    people,
    pledges,
    remittances,
    stripe_gateway,
    tickets,
    tills,
    wallets,
)
from ledger.bank import entries as bank_files
from ledger.bank import transactions
from ledger.committer import Closed, QueueFull
from ledger.decider import Refused
from ledger.partners import agreements, complaints, register, words
from ledger.partners.certifications import commands as certifications
from ledger.payments import commands as payments
from ledger.payments import fees
from ledger.projects import evaluation, ideas, sheet, state
from ledger.rounds import commands as rounds
from ledger.settlements import commands as settlements
from ledger.store import LedgerUnavailable

# Statuses that are not the 409 of a contradiction with what the ledger holds.
STATUS: dict[type[Refused], int] = {
    donations.OccurredInFuture: 422,
    donations.DonationNotFound: 404,
    register.PartnerNotRegistered: 404,
    register.ContactUnknown: 404,
    words.ValidityReversed: 422,
    agreements.AgreementNotSigned: 404,
    agreements.SignedInFuture: 422,
    agreements.AmendedInDisorder: 422,
    complaints.ComplaintNotFound: 404,
    complaints.ComplaintJudgedByPartner: 403,
    complaints.ComplaintJudgedWithInterest: 403,
    certifications.CaseNotFound: 404,
    certifications.ChecklistUnknown: 422,
    certifications.ReviewIncomplete: 422,
    certifications.RequirementUnmet: 422,
    certifications.EndTooLate: 422,
    certifications.JudgeWithoutAccount: 403,
    certifications.ConflictOfInterest: 403,
    certifications.JudgeSpeaksForPartner: 403,
    certifications.JudgeDisabled: 403,
    certifications.JudgeNotOnCommittee: 403,
    certifications.ReviewerDecides: 403,
    certifications.SamePersonTwice: 403,
    certifications.DecidedBefore: 403,
    tills.TillNotEnrolled: 404,
    tills.EnrolmentNotOffered: 404,
    tills.GapReversed: 422,
    closes.DayNotBegun: 422,
    closes.NumbersReversed: 422,
    tickets.MalformedCode: 422,
    ballots.UnknownProject: 422,
    ballots.TooManyPicks: 422,
    ballots.NoPicks: 422,
    ballots.CounterNeedsAccount: 403,
    wallets.WalletUnknown: 404,
    wallets.ChoiceNotPublished: 422,
    rounds.RoundNotFound: 404,
    rounds.DrafterApproves: 403,
    rounds.ApproverWithoutAccount: 403,
    rounds.ApproverHasInterest: 403,
    rounds.CandidateUnknown: 422,
    ambassadors.AmbassadorNotFound: 404,
    ideas.IdeaNotFound: 404,
    ideas.PlaceUnknown: 422,
    ideas.EvaluatorWithoutAccount: 403,
    ideas.EvaluatorHasInterest: 403,
    ideas.EvaluatorIsAuthor: 403,
    evaluation.CriteriaUnknown: 422,
    evaluation.ScoresIncomplete: 422,
    sheet.BudgetDiffersFromGoal: 422,
    sheet.MilestonesRepeated: 422,
    sheet.SheetPlaceUnknown: 422,
    state.ProjectNotFound: 404,
    state.ProposerAgrees: 403,
    remittances.RemittanceNotFound: 404,
    remittances.ReceivedInFuture: 422,
    remittances.AllocationsDiffer: 422,
    remittances.AllocationForeign: 422,
    remittances.ReturnedBeforeReceived: 422,
    remittances.ApproverSpeaksForPartner: 403,
    pledges.PledgeNotFound: 404,
    pledges.PledgedInFuture: 422,
    pledges.CallDueInPast: 422,
    pledges.WithdrawnInFuture: 422,
    foundation.TermsInPast: 422,
    fees.CardFeeInPast: 422,
    settlements.StatementNotFound: 404,
    settlements.WriteOffNotFound: 404,
    settlements.PeriodNotOver: 422,
    settlements.StatementEmpty: 422,
    settlements.ProposerApprovesWriteOff: 403,
    settlements.WriteOffWithInterest: 403,
    bank_files.BankFileMalformed: 422,
    bank_files.BankFileUnsafe: 422,
    bank_files.BankFileTooLarge: 413,
    bank_files.BankVersionUnknown: 422,
    bank_files.BankBalanceMissing: 422,
    bank_files.BankSchemaBroken: 422,
    bank_files.ForeignCurrency: 422,
    bank_files.BankFileAhead: 422,
    bank_files.BankFileUnbalanced: 422,
    bank_files.AccountNotOurs: 422,
    transactions.TransactionNotBooked: 404,
    transactions.MatchUnknown: 404,
    transactions.TargetUnknown: 422,
    transactions.AllocationMissing: 422,
    transactions.AllocationUnnamed: 422,
    transactions.AllocationAgainstSide: 422,
    state.MilestoneUnknown: 404,
    state.MetInFuture: 422,
    state.ActorHasInterest: 403,
    payments.CardsOff: 404,
    payments.PurposeUnclear: 422,
    stripe_gateway.SignatureRefused: 400,
    stripe_gateway.ModeRefused: 400,
    stripe_gateway.AnnouncementMalformed: 400,
    stripe_gateway.StripeRefuses: 502,
    stripe_gateway.StripeUnavailable: 503,
}

RETRY_SECONDS = 2
# No cache may keep an answer to a till, and no browser may guess what it is.
UNCACHED = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class KeyRefused(Refused):
    """No till holds this key: it is missing, unknown, rotated or revoked."""


class BodyMalformed(Refused):
    """The body does not have the form of the OpenAPI document."""


class BatchTooLarge(Refused):
    """The batch holds no item, or more than the limit."""


class FormMalformed(Refused):
    """The form does not have the shape that its own header promises."""


class BodyTooLarge(Refused):
    """The body is longer than any honest one."""


class PageNotFound(Refused):
    """Nothing is served at this address."""


class MethodNotAllowed(Refused):
    """This address does not take this method."""


class TicketUnknown(Refused):
    """No gift has this code."""


class RoundNotCounted(Refused):
    """Nothing is published of a round before it is counted."""


class PartnerNotFound(Refused):
    """No partner has this id."""


class BadgeNotGranted(Refused):
    """This partner was never certified, so it has no badge."""


class Barred(Refused):
    """Whoever asks may not do this, at least not so."""


class SignInNeeded(Barred):
    """Only people who signed in may do this."""


class NotPermitted(Barred):
    """None of your roles may do this."""


class FormForeign(Barred):
    """This form was not sent from our own page in this session."""


STATUS |= {
    SignInNeeded: 401,
    NotPermitted: 403,
    FormForeign: 403,
    TooManyAttempts: 429,
    TooManyCodes: 429,
    TicketUnknown: 404,
    RoundNotCounted: 404,
    people.AccountNotOpened: 404,
    people.RolesContradict: 422,
    KeyRefused: 401,
    BodyMalformed: 422,
    FormMalformed: 400,
    BatchTooLarge: 422,
    BodyTooLarge: 413,
    PageNotFound: 404,
    MethodNotAllowed: 405,
    PartnerNotFound: 404,
    BadgeNotGranted: 404,
}


def status_of(refusal: Refused) -> int:
    """Give the HTTP status of a refusal; what is not listed contradicts the ledger."""
    return STATUS.get(type(refusal), 409)


def name_of(refusal: Refused) -> str:
    """Give the name clients may rely on: the class in snake case."""
    name = type(refusal).__name__
    return "".join(
        "_" + letter.lower() if letter.isupper() and place else letter.lower()
        for place, letter in enumerate(name)
    )


def error_of(refusal: Refused) -> dict[str, Any]:
    """Give the body of an error answer: a stable name, a sentence, the facts of the refusal."""
    sentence = (type(refusal).__doc__ or "").strip().splitlines()
    fields = {
        name: value if isinstance(value, int | list) else str(value)
        for name, value in refusal.fields.items()
    }
    return {
        **fields,
        "name": name_of(refusal),
        "message": sentence[0] if sentence else name_of(refusal).replace("_", " "),
    }


def malformed(error: ValidationError) -> BodyMalformed:
    """Turn what pydantic found into a refusal that names each field, and repeats no value."""
    return BodyMalformed(
        problems=[
            {"field": ".".join(map(str, found["loc"])) or "body", "problem": found["msg"]}
            for found in error.errors(include_url=False, include_input=False, include_context=False)
        ]
    )


def json_answer(
    status: int, body: dict[str, Any], headers: dict[str, str] | None = None
) -> Response:
    """Serialise an answer that is never cached."""
    return Response(
        msgspec.json.encode(body),
        status,
        headers={**UNCACHED, **(headers or {})},
        media_type="application/json",
    )


def answer_refused(_: Request, refusal: Exception) -> Response:
    """Answer a refusal that a handler raised."""
    if not isinstance(refusal, Refused):
        raise TypeError from refusal
    status = status_of(refusal)
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None  # noqa: PLR2004
    return json_answer(status, {"error": error_of(refusal)}, headers)


def answer_unavailable(_: Request, cause: Exception) -> Response:
    """Answer that nothing is known to be recorded and that the same request should come again."""
    name, message = {
        QueueFull: ("queue_full", "More gifts are waiting than can be stored at once."),
        Closed: ("stopping", "The service is stopping."),
        LedgerUnavailable: ("ledger_unavailable", "The database did not confirm."),
    }.get(type(cause), ("database_unavailable", "The database does not answer."))
    body = {"error": {"name": name, "message": f"{message} Send the same request again."}}
    return json_answer(503, body, {"Retry-After": str(RETRY_SECONDS)})
