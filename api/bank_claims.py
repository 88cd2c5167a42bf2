"""What bank transactions can be for: statements, calls of pledges, payouts, cheques handed in."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, assert_never
from uuid import UUID

from psycopg import Connection

from api.deps import Context
from api.tickets import uuid_of
from ledger.allocations import Allocation, Target
from ledger.bank.matching import Claim, Expected, Known, Open
from ledger.bank.transactions import TargetUnknown
from ledger.references import is_creditor_reference
from projections import bank, payouts, pledges, remittances, statements
from projections.pledges import Call
from projections.read_model import ReadModel
from projections.statements import Statement

# What must have read the whole feed before anything is matched.
MODELS: Final[tuple[ReadModel, ...]] = (
    bank.bank,
    statements.statements,
    pledges.pledges,
    remittances.remittances,
    payouts.payouts,
)


OWNED: Final[dict[str, Target]] = {
    "statement": "statement",
    "pledge": "pledge",
    "payout": "payout",
    "remittance": "remittance",
}


def of_statement(one: Statement) -> Claim:
    return Claim(
        target="statement",
        target_id=one.statement_id,
        partner_id=one.partner_id,
        reference=one.reference,
        outstanding_cents=one.outstanding_cents,
        due_on=one.due_on,
    )


def of_call(one: Call) -> Claim:
    """A sponsor pays its pledge: of which call, the oldest that is not paid tells."""
    return Claim(
        target="pledge",
        target_id=one.pledge_id,
        partner_id=None,
        reference=one.reference,
        outstanding_cents=one.outstanding_cents,
        due_on=one.due_on,
    )


def claims_of_references(connection: Connection[Any], references: Iterable[str]) -> list[Claim]:
    """Give what some references ask for, paid already or not."""
    asked = sorted(references)
    found = statements.by_references(connection, asked)
    calls = pledges.calls_by_references(connection, asked)
    return [of_statement(one) for one in found.values()] + [of_call(one) for one in calls]


def open_claims(connection: Connection[Any]) -> list[Claim]:
    """Give all that is asked for and not paid, the longest due first."""
    found = [of_statement(one) for one in statements.outstanding(connection)]
    called = [one.pledge_id for one in pledges.every(connection) if one.outstanding_cents]
    calls = (one for one in pledges.calls_of(connection, *called) if one.outstanding_cents)
    found += [of_call(one) for one in calls]
    return sorted(found, key=lambda claim: (claim.due_on, claim.reference))


def expected(connection: Connection[Any]) -> list[Expected]:
    """Give the sums that are on their way to the bank as one: cheques, cash, payouts of cards."""
    found = [
        Expected(
            target="remittance",
            target_id=one.remittance_id,
            cents=one.undeposited_cents,
            on=one.received_on,
            partner_id=one.partner_id,
        )
        for one in remittances.undeposited(connection)
    ]
    paid_out = payouts.unbanked(connection)
    return found + [
        Expected(
            target="payout",
            target_id=one.payout_id,
            cents=one.outstanding_cents,
            on=one.arrival_on,
        )
        for one in paid_out
    ]


def known_for(context: Context, connection: Connection[Any], some: Sequence[Open]) -> Known:
    """Gather what proposals for some transactions are made from."""
    claims = open_claims(connection)
    macs = {one.counterparty_mac for one in some if one.counterparty_mac is not None}
    return Known(
        claims=claims,
        by_mac={context.keyring.bank_mac("end-to-end", claim.reference): claim for claim in claims},
        payers=bank.payers(connection, macs),
        expected=expected(connection),
    )


def named_target(connection: Connection[Any], word: str, reference: str = "") -> Allocation:
    """Give what an officer names, for one cent: by a reference, or as `statement:ID` or `other`.

    Whose it is comes from the ledger, never from a form. Raises TargetUnknown.
    """
    if reference:
        written = reference.replace(" ", "").upper()
        known = [written] if is_creditor_reference(written) else []
        for claim in claims_of_references(connection, known):
            return allocation_of(claim.target, claim.target_id, claim.partner_id)
        raise TargetUnknown(target="reference")
    kind, _, text = word.partition(":")
    if word in {"charge", "other"}:
        return allocation_of("charge" if word == "charge" else "other", None, None)
    target_id = uuid_of(text)
    if kind not in OWNED or target_id is None:
        raise TargetUnknown(target=kind)
    target = OWNED[kind]
    return allocation_of(target, target_id, owner_of(connection, target, target_id))


def allocation_of(target: Target, target_id: UUID | None, partner_id: UUID | None) -> Allocation:
    return Allocation(target=target, target_id=target_id, partner_id=partner_id, cents=1)


def owner_of(connection: Connection[Any], target: Target, target_id: UUID) -> UUID | None:
    """Say whose a target is, None for nobody's. Raises TargetUnknown."""
    partner_id: UUID | None = None
    match target:
        case "statement":
            statement = statements.one(connection, target_id)
            found = statement is not None
            partner_id = None if statement is None else statement.partner_id
        case "remittance":
            remittance = remittances.one(connection, target_id)
            # What one person alone declared is not money yet.
            found = remittance is not None and remittance.state in {"approved", "returned"}
            partner_id = None if remittance is None else remittance.partner_id
        case "pledge":
            found = pledges.one(connection, target_id) is not None
        case "payout":
            found = payouts.one(connection, target_id) is not None
        case "charge" | "other":
            found = False
        case _:
            assert_never(target)
    if not found:
        raise TargetUnknown(target=target)
    return partner_id
